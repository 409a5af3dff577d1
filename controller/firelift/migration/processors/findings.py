"""Sentences for what a verify finds: fields and types, never values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from firelift.migration import fields as paths
from firelift.migration.fields import written
from firelift.migration.ignored import respecting
from firelift.migration.store import Document, FieldPath, Fields, Missing, Value, ValueKit
from firelift.migration.transform.transform import Transform

Documents = Mapping[str, Document | Missing]
"""What was read, by path."""

LISTED = 5

KINDS: dict[type, str] = {
    type(None): "null",
    bool: "a boolean",
    int: "an integer",
    float: "a double",
    str: "a string",
    bytes: "bytes",
    datetime: "a timestamp",
    dict: "a geo point",
    list: "a vector",
}


def unlike(transform: Transform, there: Document, result: Fields) -> str:
    """What a target lacks or has otherwise of what it should be, for a person; empty when there is nothing.

    Whatever else it has is its own affair, and so is what is ignored.
    """
    kit = transform.kit
    if kit.same(there.fields, result):
        return ""
    wanted = respecting(kit, result, there.fields, transform.ignored)
    missed = list(paths.missed_paths(kit, there.fields, wanted))
    return differences(kit, there.fields, wanted, missed) if missed else ""


def differences(kit: ValueKit, there: Fields, wanted: Fields, at: Iterable[FieldPath]) -> str:
    """What differs at some paths, for a person."""
    found = [_difference(kit, path, paths.get(kit, there, path), paths.get(kit, wanted, path)) for path in sorted(at)]
    more = f" and {len(found) - LISTED} more" if len(found) > LISTED else ""
    return "; ".join(found[:LISTED]) + more


def _difference(kit: ValueKit, path: FieldPath, there: Value | None, wanted: Value | None) -> str:
    found, expected = kind(kit, there), kind(kit, wanted)
    if found == expected:
        return f"{written(path)} is another {found.partition(' ')[2] or found}"
    return f"{written(path)} is {found} instead of {expected}"


def kind(kit: ValueKit, value: Value | None) -> str:
    """What a value is, with its article."""
    if value is None:
        return "absent"
    if kit.is_map(value):
        return "a map"
    if kit.is_list(value):
        return "a list"
    return KINDS.get(type(kit.decode(value)), "a value")
