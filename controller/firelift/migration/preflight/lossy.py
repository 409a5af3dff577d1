"""Values that go for good: what a transform removes or overwrites, and no inverse of it brings back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from firelift.api.migration import MigrationSpec, OnExisting
from firelift.api.plan import MOST_OVERWRITTEN, Check, SourceSample
from firelift.migration.errors import TransformUnusable
from firelift.migration.fields import changed_paths, overlap, parse, written
from firelift.migration.preflight.verdicts import warned
from firelift.migration.store import Document, FieldPath
from firelift.migration.transform.reshape import Reshape, compile_reshape
from firelift.migration.transform.transform import Result, Transform

_REPLACING = {
    OnExisting.OVERWRITE: "replaces targets that the app wrote",
    OnExisting.KEEP_NEWER: "replaces targets that the app wrote before their sources",
}
_DAY = 86_400


def lossy(spec: MigrationSpec, sample: SourceSample | None, retention_seconds: int) -> Check | None:
    """What a person should know before values go; None where none do. `sample` None: nothing could be tried."""
    what = "; ".join(_lost(spec, sample))
    if not what:
        return None
    days = retention_seconds / _DAY
    return warned(
        f"lossy {spec.name}",
        f"{what}; only the ledger keeps the values of before, for {days:,.1f} days after the end "
        "(ledgerRetentionSeconds), and no revert can give them back then",
    )


def overwritten(transform: Transform, documents: Iterable[Document]) -> tuple[str, ...]:
    """The paths of a declared transform in place at which some of these documents lose a value to another one."""
    if not isinstance(transform.reshape, Reshape) or not transform.spec.in_place:
        return ()
    found: dict[str, None] = {}
    for document in documents:
        outcome = transform.attempt(document)
        if isinstance(outcome, Result):
            found.update(dict.fromkeys(_overwritten(transform, transform.reshape, document, outcome)))
    return tuple(found)[:MOST_OVERWRITTEN]


def _overwritten(transform: Transform, reshape: Reshape, document: Document, outcome: Result) -> Iterator[str]:
    moved = (*(old for old, _ in reshape.renames), *reshape.removals)
    places = [path for path, _ in reshape.sets] + ([transform.marker[0]] if transform.marker else [])
    for path in changed_paths(transform.kit, document.fields, outcome.fields):
        if _value_goes(transform, document, path) and not any(path[: len(old)] == old for old in moved):
            yield from (written(place) for place in places if overlap(place, path))


def _value_goes(transform: Transform, document: Document, path: FieldPath) -> bool:
    """Whether the document has something at a path, or instead of a map on the way to it."""
    kit, value = transform.kit, document.fields.get(path[0])
    for name in path[1:]:
        if value is None or not kit.is_map(value):
            break
        value = kit.entries(value).get(name)
    return value is not None


def _lost(spec: MigrationSpec, sample: SourceSample | None) -> Iterator[str]:
    if not spec.in_place:
        if spec.on_existing in _REPLACING:
            yield f"onExisting: {spec.on_existing} {_REPLACING[spec.on_existing]}"
        return
    if spec.transform.python is not None:
        yield f"{spec.transform.python.entrypoint} may replace any field in place"
        return
    if spec.transform.remove:
        yield f"fields are removed in place: {', '.join(spec.transform.remove)}"
    if sample is not None and sample.produced:
        if sample.overwritten:
            yield f"fields are overwritten in place: {', '.join(sample.overwritten)}"
    elif named := tuple(_made_of_themselves(spec)):
        yield f"fields may be overwritten in place: {', '.join(named)}"


def _made_of_themselves(spec: MigrationSpec) -> Iterator[str]:
    """Where no document has told: the fields that an expression reads and writes, but for those that are renamed."""
    try:
        reshape = compile_reshape(spec.transform)
    except TransformUnusable:  # the check of the transform tells of it
        return
    renamed = {parse(old) for old in spec.transform.rename}
    for path, expression in reshape.sets:
        read = expression.doc.fields
        if path not in renamed and expression.doc.used and (read is None or path[0] in read):
            yield written(path)
