"""Checks that need no database: what of a migration can be told from its words and its code alone. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import combinations

from firelift.api.migration import MigrationSpec, OnExisting
from firelift.api.plan import SENTENCE, Check, CheckVerdict
from firelift.migration.aggregate.groups import compile_aggregation
from firelift.migration.entrypoint import Entrypoint
from firelift.migration.errors import TransformUnusable
from firelift.migration.fields import parse
from firelift.migration.sentences import sentence
from firelift.migration.store import ValueKit
from firelift.migration.transform.one_to_many import compile_one_to_many
from firelift.migration.transform.reverse import compile_reverse
from firelift.migration.transform.transform import compile_transform

_RESERVED = re.compile(r"__.*__|_firelift|firelift_.*|\.\.?")
_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
_DAY = 86_400


def passed(name: str, message: str) -> Check:
    """It is as it should be."""
    return Check(check=name[:128], verdict=CheckVerdict.PASS, message=sentence(message, SENTENCE))


def warned(name: str, message: str) -> Check:
    """A person should know it."""
    return Check(check=name[:128], verdict=CheckVerdict.WARN, message=sentence(message, SENTENCE))


def refused(name: str, message: str) -> Check:
    """Nothing may be written before it is mended."""
    return Check(check=name[:128], verdict=CheckVerdict.FAIL, message=sentence(message, SENTENCE))


def spoken(
    migrations: Sequence[MigrationSpec], kit: ValueKit, now: datetime, retention_seconds: int
) -> tuple[Check, ...]:
    """All of them, over all migrations: by migration, then between migrations."""
    return (
        *(check for each in migrations for check in _of_one(each, kit, now, retention_seconds)),
        *_between(migrations),
    )


def _of_one(spec: MigrationSpec, kit: ValueKit, now: datetime, retention_seconds: int) -> Iterator[Check]:
    yield _transform(spec, kit, now)
    yield _names(spec)
    if (lossy := _lossy(spec, retention_seconds)) is not None:
        yield lossy


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
    except TransformUnusable as unusable:
        return refused(name, f"{unusable}; correct migration {spec.name}")
    if not isinstance(compiled.reshape, Entrypoint):
        return passed(name, "all paths and expressions compile")
    return passed(name, f"{compiled.reshape.name} imports, and takes (doc, context)")


def _names(spec: MigrationSpec) -> Check:
    name = f"names {spec.name}"
    written = [*spec.transform.rename.values(), *spec.transform.set, *([spec.marker.field] if spec.marker else [])]
    segments = [segment for path in written for segment in _segments(path)]
    segments += [part for part in (spec.template or "").split("/") if "{" not in part]
    reserved = sorted({segment for segment in segments if _RESERVED.fullmatch(segment)})
    if reserved:
        return refused(name, f"{', '.join(reserved)} is reserved by Firestore or Firelift; choose another name")
    return passed(name, "no reserved name is written")


def _segments(path: str) -> tuple[str, ...]:
    try:
        return parse(path)
    except ValueError:  # the transform's own check tells of it
        return ()


def _lossy(spec: MigrationSpec, retention_seconds: int) -> Check | None:
    what = _lost(spec)
    if not what:
        return None
    days = retention_seconds / _DAY
    return warned(
        f"lossy {spec.name}",
        f"{what}; only the ledger keeps the values of before, for {days:,.1f} days after the end "
        "(ledgerRetentionSeconds), and no revert can give them back then",
    )


def _lost(spec: MigrationSpec) -> str:
    if not spec.in_place:
        overwrites = spec.on_existing is OnExisting.OVERWRITE
        return "onExisting: Overwrite replaces targets that the app wrote" if overwrites else ""
    if spec.transform.python is not None:
        return f"{spec.transform.python.entrypoint} may replace any field in place"
    if spec.transform.remove:
        return f"fields are removed in place: {', '.join(spec.transform.remove)}"
    return ""


def _between(migrations: Sequence[MigrationSpec]) -> Iterator[Check]:
    found = [check for pair in combinations(migrations, 2) for check in _pair(*pair)]
    found += [check for spec in migrations if (check := _into_itself(spec)) is not None]
    yield from found or [passed("targets", "no target is another migration's target or source")]


def _pair(one: MigrationSpec, other: MigrationSpec) -> Iterator[Check]:
    name = f"targets {one.name}, {other.name}"
    if one.template and _shape(one.template) == _shape(other.template or ""):
        yield _one_target(name, one, other)
    if one.in_place and other.in_place and _reads(one, _source(other)):
        message = f"both change documents of {one.lock_group} in place, one after the other in the order of the spec"
        yield warned(name, message)
    for writer, reader in ((one, other), (other, one)):
        if writer.template and _reads(reader, writer.template.rpartition("/")[0]):
            message = (
                f"{reader.name} reads what {writer.name} writes, {writer.template}: what it finds depends on "
                "which of them has run; split them into phases, or narrow the source"
            )
            yield warned(name, message)


def _one_target(name: str, one: MigrationSpec, other: MigrationSpec) -> Check:
    template = one.template
    if OnExisting.OVERWRITE in {one.on_existing, other.on_existing}:
        message = f"both write {template}, and one of them overwrites the other's fields at each run; use FillMissing"
        return refused(name, message)
    return warned(name, f"both write {template}: where both have a value, the one that runs first wins")


def _into_itself(spec: MigrationSpec) -> Check | None:
    if not spec.template or not _reads(spec, spec.template.rpartition("/")[0]):
        return None
    message = f"its target {spec.template} lies in its own source, so that it would read what it writes"
    return refused(f"targets {spec.name}", message)


def _reads(spec: MigrationSpec, collection: str) -> bool:
    """Whether the documents of a collection, which may have placeholders, are of a migration's source."""
    if spec.source.collection_group is not None:
        return collection.rsplit("/", maxsplit=1)[-1] == spec.source.collection_group
    return _shape(collection) == _shape(spec.source.collection or "") or _matches(collection, spec.source.collection)


def _matches(collection: str, path: str | None) -> bool:
    pattern = "[^/]+".join(re.escape(part) for part in _PLACEHOLDER.split(collection))
    return path is not None and re.fullmatch(pattern, path) is not None


def _source(spec: MigrationSpec) -> str:
    return spec.source.collection or spec.source.collection_group or ""


def _shape(template: str) -> str:
    return _PLACEHOLDER.sub("{}", template)
