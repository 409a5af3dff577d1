"""Filters on documents held as mappings of Firestore values: equality as Firestore has it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from firelift.migration.store import FieldPath, Fields, Filter, Value
from firelift.stores.firestore.values import FirestoreValues
from firelift.stores.memory.masks import find

KIT = FirestoreValues()
NUMBERS = frozenset({"integer_value", "double_value"})


def matcher(where: Sequence[Filter]) -> Callable[[Fields], bool]:
    """Tells whether all filters hold. A field that is absent equals nothing."""
    wanted = [(each.path, frozenset(_comparable(value) for value in each.values)) for each in where]
    return lambda fields: _matches(wanted, fields)


def _matches(wanted: Iterable[tuple[FieldPath, frozenset[Any]]], fields: Fields) -> bool:
    for path, values in wanted:
        stored = find(fields, path)
        if stored is None or _comparable(stored) not in values:
            return False
    return True


def _comparable(value: Value) -> tuple[str, Any]:
    """Equal for values that Firestore takes for equal: an integer is a double of its value, and no boolean."""
    kind = value.WhichOneof("value_type")
    return ("number", KIT.decode(value)) if kind in NUMBERS else (kind, KIT.dumps(value))
