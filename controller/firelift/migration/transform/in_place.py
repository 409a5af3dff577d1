"""What a migration in place must not write: its own marker twice, or the field that says whose record it is."""

from __future__ import annotations

from collections.abc import Iterable

from firelift.migration.errors import TransformUnusable
from firelift.migration.fields import overlap, written
from firelift.migration.store import FieldPath


def require_own_marker(marker: FieldPath, others: Iterable[FieldPath]) -> None:
    """Pass or raise.

    Raises:
        TransformUnusable: when the transform writes the marker too.
    """
    for other in others:
        if overlap(marker, other):
            raise TransformUnusable(
                f"marker.field {written(marker)} is written by the transform too, at {written(other)}"
            )


def require_entity_kept(entity_key: FieldPath, touched: Iterable[FieldPath]) -> None:
    """Pass or raise.

    Raises:
        TransformUnusable: when the result would have another entity: no cohort, no sweep and no verify would find it.
    """
    for path in touched:
        if overlap(entity_key, path):
            raise TransformUnusable(
                f"entityKey {written(entity_key)} is changed in place, at {written(path)}: neither a sweep nor a "
                "verify would find the documents again; leave that field as it is, or use another entityKey"
            )
