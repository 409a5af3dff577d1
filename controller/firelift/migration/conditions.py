"""The conditions of a cohort: as filters for the database, and as it would judge a document that was read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache

from firelift.api.where import WhereCondition
from firelift.migration import fields as paths
from firelift.migration.store import FieldPath, Fields, Filter, Value, ValueKit
from firelift.migration.transform.reshape import field_path


def filters(kit: ValueKit, where: Iterable[WhereCondition]) -> tuple[Filter, ...]:
    """What the database is asked for.

    Raises:
        TransformUnusable: naming the field of the API whose path cannot be read.
    """
    return tuple(Filter(_path(each.field), [kit.encode(value) for value in each.values]) for each in where)


def holds(kit: ValueKit, where: Sequence[WhereCondition], fields: Fields) -> bool:
    """Whether a document keeps all conditions."""
    return all(_equals(kit, paths.get(kit, fields, _path(each.field)), each.values) for each in where)


@cache
def _path(text: str) -> FieldPath:
    return field_path(text, "cohort.where")


def _equals(kit: ValueKit, stored: Value | None, values: Iterable[str | int | bool]) -> bool:
    if stored is None:
        return False
    plain = kit.decode(stored)
    return any(plain == value and isinstance(plain, bool) == isinstance(value, bool) for value in values)
