"""Field masks on documents held as mappings of Firestore values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from firelift.migration.store import FieldPath, Fields, Value
from firelift.stores.firestore.values import FirestoreValues

KIT = FirestoreValues()


def select(fields: Fields, mask: Iterable[FieldPath]) -> dict[str, Value]:
    """Just the masked parts of a document, in new maps where a path goes into one."""
    picked: dict[str, Value] = {}
    for path in mask:
        value = find(fields, path)
        if value is not None:
            _set(picked, path, value)
    return picked


def merge(fields: Fields, changes: Fields, mask: Iterable[FieldPath]) -> dict[str, Value]:
    """The document after a masked update: a masked path is set to its value in `changes`, or deleted without one."""
    merged = dict(fields)
    for path in mask:
        value = find(changes, path)
        if value is None:
            _remove(merged, path)
        else:
            _set(merged, path, value)
    return merged


def find(fields: Fields, path: FieldPath) -> Value | None:
    """The value at a path, None when there is none."""
    head, *rest = path
    value = fields.get(head)
    for name in rest:
        value = None if value is None else KIT.entries(value).get(name)
    return value


def _set(fields: dict[str, Value], path: FieldPath, value: Value) -> None:
    head, rest = path[0], path[1:]
    if not rest:
        fields[head] = value
        return
    inner = _inner(fields, head)
    _set(inner, rest, value)
    fields[head] = KIT.new_map(inner)


def _remove(fields: dict[str, Value], path: FieldPath) -> None:
    head, rest = path[0], path[1:]
    if not rest:
        fields.pop(head, None)
        return
    if head in fields and KIT.is_map(fields[head]):
        inner = _inner(fields, head)
        _remove(inner, rest)
        fields[head] = KIT.new_map(inner)


def _inner(fields: Mapping[str, Value], name: str) -> dict[str, Value]:
    return KIT.entries(fields[name]) if name in fields else {}
