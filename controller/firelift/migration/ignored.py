"""`ignoreFields`: the parts of a target that are the app's own, whatever a migration would make of them."""

from __future__ import annotations

from collections.abc import Iterable

from firelift.migration import fields as paths
from firelift.migration.store import FieldPath, Fields, ValueKit


def respecting(kit: ValueKit, wanted: Fields, there: Fields, ignored: Iterable[FieldPath]) -> Fields:
    """What a target should become, with all that it has, or lacks, at the ignored paths as it is.

    A map that would hold nothing but ignored fields is not made, and one that holds some is not lost to another value:
    then that whole map stays as it is.
    """
    for path in ignored:
        wanted = _put(kit, _without(kit, wanted, there, path), there, path)
    return wanted


def _without(kit: ValueKit, wanted: Fields, there: Fields, path: FieldPath) -> Fields:
    if paths.get(kit, wanted, path) is None:
        return wanted
    wanted, above = paths.remove(kit, wanted, path), path[:-1]
    while above and paths.get(kit, there, above) is None and not _entries(kit, wanted, above):
        wanted, above = paths.remove(kit, wanted, above), above[:-1]
    return wanted


def _put(kit: ValueKit, wanted: Fields, there: Fields, path: FieldPath) -> Fields:
    value = paths.get(kit, there, path)
    if value is None:
        return wanted
    for depth in range(1, len(path)):
        above = paths.get(kit, wanted, path[:depth])
        if above is not None and not kit.is_map(above):
            path = path[:depth]
            value = paths.get(kit, there, path)
            break
    return paths.put(kit, wanted, path, value)


def _entries(kit: ValueKit, fields: Fields, path: FieldPath) -> Fields:
    value = paths.get(kit, fields, path)
    return {} if value is None else kit.entries(value)
