"""Checks that need no database: what of a migration can be told from its words and its code alone. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain

from firelift.api.migration import MigrationSpec
from firelift.api.plan import Check, SourceSample
from firelift.migration.aggregate.groups import compile_aggregation
from firelift.migration.entrypoint import Entrypoint
from firelift.migration.errors import TransformUnusable
from firelift.migration.fields import parse
from firelift.migration.preflight.lossy import lossy
from firelift.migration.preflight.targets import between
from firelift.migration.preflight.verdicts import passed, refused
from firelift.migration.processors.marking import compile_marker
from firelift.migration.store import ValueKit
from firelift.migration.transform.one_to_many import compile_one_to_many
from firelift.migration.transform.reverse import compile_reverse
from firelift.migration.transform.transform import compile_transform

_RESERVED = re.compile(r"__.*__|_firelift|firelift_.*|\.\.?")


def spoken(
    migrations: Sequence[MigrationSpec],
    kit: ValueKit,
    now: datetime,
    retention_seconds: int,
    samples: Iterable[SourceSample] = (),
) -> tuple[Check, ...]:
    """All of them, over all migrations: by migration, then between migrations.

    `samples` tell which fields there are; of a migration without one the words alone do.
    """
    tried = {each.migration: each for each in samples}
    of_one = (_of_one(each, kit, now, lossy(each, tried.get(each.name), retention_seconds)) for each in migrations)
    return (*chain.from_iterable(of_one), *between(migrations))


def _of_one(spec: MigrationSpec, kit: ValueKit, now: datetime, loss: Check | None) -> Iterator[Check]:
    yield _transform(spec, kit, now)
    yield _names(spec)
    if loss is not None:
        yield loss


def _transform(spec: MigrationSpec, kit: ValueKit, now: datetime) -> Check:
    name = f"transform {spec.name}"
    try:
        compiled = compile_transform(spec, kit, now)
        if spec.one_to_many:
            compile_one_to_many(compiled)
        if spec.reverse:
            compile_reverse(compiled)
        if spec.target.aggregate:
            compile_aggregation(spec, compiled)
        if spec.entity_marker:
            compile_marker(spec.entity_marker, now)
    except TransformUnusable as unusable:
        return refused(name, f"{unusable}; correct migration {spec.name}")
    if not isinstance(compiled.reshape, Entrypoint):
        return passed(name, "all paths and expressions compile")
    return passed(name, f"{compiled.reshape.name} imports, and takes (doc, context)")


def _names(spec: MigrationSpec) -> Check:
    name = f"names {spec.name}"
    segments = [segment for path in _fields(spec) for segment in _segments(path)]
    segments += [part for part in (spec.template or "").split("/") if "{" not in part]
    reserved = sorted({segment for segment in segments if _RESERVED.fullmatch(segment)})
    if reserved:
        return refused(name, f"{', '.join(reserved)} is reserved by Firestore or Firelift; choose another name")
    return passed(name, "no reserved name is written")


def _fields(spec: MigrationSpec) -> Iterator[str]:
    """Everything that is written by name, of whatever document."""
    for transform in (spec.transform, *([spec.reverse.transform] if spec.reverse else [])):
        yield from (*transform.rename.values(), *transform.set)
    if spec.marker:
        yield spec.marker.field
    if spec.entity_marker:
        yield from spec.entity_marker.set
    if aggregate := spec.target.aggregate:
        yield from (*aggregate.set, *filter(None, [aggregate.fingerprint_field]))


def _segments(path: str) -> tuple[str, ...]:
    try:
        return parse(path)
    except ValueError:  # the transform's own check tells of it
        return ()
