"""Whether migrations get into each other's way, or into their own: who writes what, and who reads it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import combinations, permutations, product

from firelift.api.migration import MigrationSpec, OnExisting
from firelift.api.plan import Check
from firelift.migration.fields import overlap, parse
from firelift.migration.preflight.verdicts import passed, refused, warned

_PLACEHOLDER = re.compile(r"\{[^{}]*\}")


def between(migrations: Sequence[MigrationSpec]) -> Iterator[Check]:
    """All that is to be said about any two of them, and about each and its own source."""
    found = [check for pair in combinations(migrations, 2) for check in _pair(*pair)]
    found += [check for spec in migrations for check in _with_itself(spec)]
    yield from found or [passed("targets", "no target is another migration's target or source")]


def _pair(one: MigrationSpec, other: MigrationSpec) -> Iterator[Check]:
    name = f"targets {one.name}, {other.name}"
    if one.template and _same(one.template, other.template):
        yield _one_target(name, one, other)
    if one.entity_marker and other.entity_marker and _same(_marker(one), _marker(other)):
        yield _one_marker(name, one, other)
    if one.in_place and other.in_place and _reads(one, _source(other)):
        message = f"both change documents of {one.lock_group} in place, one after the other in the order of the spec"
        yield warned(name, message)
    for writer, marking in permutations((one, other)):
        if _same(writer.template, _marker(marking)):
            yield _onto_a_marker(name, writer, f"the entity marker of {marking.name}")
    for writer, reader in permutations((one, other)):
        for document in _written(writer):
            if _reads(reader, _collection(document)):
                message = (
                    f"{reader.name} reads what {writer.name} writes, {document}: what it finds depends on "
                    "which of them has run; split them into phases, or narrow the source"
                )
                yield warned(name, message)


def _one_target(name: str, one: MigrationSpec, other: MigrationSpec) -> Check:
    template = one.template
    if OnExisting.OVERWRITE in {one.on_existing, other.on_existing}:
        message = f"both write {template}, and one of them overwrites the other's fields at each run; use FillMissing"
        return refused(name, message)
    return warned(name, f"both write {template}: where both have a value, the one that runs first wins")


def _one_marker(name: str, one: MigrationSpec, other: MigrationSpec) -> Check:
    document, shared = _marker(one), _both_set(one, other)
    if shared and one.entity_collection != other.entity_collection:
        message = (
            f"both set {shared} of their entity marker {document}, for the entities of {one.entity_collection} and of "
            f"{other.entity_collection}: an id that is in both would be said to have moved when only one of them has "
            "moved it; give each a field or a document of its own, unless no id is in both"
        )
        return warned(name, message)
    if shared:
        message = (
            f"both set {shared} of their entity marker {document}: it would say that an entity has moved when only one "
            "of them has moved it; give each a field or a document of its own"
        )
        return refused(name, message)
    message = (
        f"both have one entity marker, each its own fields of it, {document}: an app must ask for the field that it "
        "means, and not for the document"
    )
    return warned(name, message)


def _both_set(one: MigrationSpec, other: MigrationSpec) -> str:
    """The fields of one marker that the other one sets too."""
    mine, others = (each.entity_marker.set if each.entity_marker else {} for each in (one, other))
    return ", ".join(dict.fromkeys(path for path, there in product(mine, others) if _meet(path, there)))


def _meet(one: str, other: str) -> bool:
    try:
        return overlap(parse(one), parse(other))
    except ValueError:  # the check of the transform tells of it
        return False


def _onto_a_marker(name: str, writer: MigrationSpec, whose: str) -> Check:
    message = (
        f"{writer.name} writes {writer.template}, where {whose} is: the document is there before it says anything, so "
        "an app must ask for the marker's field"
    )
    return warned(name, message)


def _with_itself(spec: MigrationSpec) -> Iterator[Check]:
    name = f"targets {spec.name}"
    if spec.template and _reads(spec, _collection(spec.template)):
        yield refused(name, f"its target {spec.template} lies in its own source, so that it would read what it writes")
    marker = _marker(spec)
    if marker and _reads(spec, _collection(marker)):
        yield from _marker_in_source(name, spec, marker)
    if _same(spec.template, marker):
        yield _onto_a_marker(name, spec, "its own entity marker")


def _marker_in_source(name: str, spec: MigrationSpec, marker: str) -> Iterator[Check]:
    if marker != f"{spec.entity_collection}/{{entity}}":
        message = (
            f"its entity marker {marker} lies in its own source and is no document of entityCollection "
            f"{spec.entity_collection}, so that it would read what it writes as another record"
        )
        yield refused(name, message)
    elif loose := ", ".join(_loose(spec)):
        message = f"its entity marker {marker} is a document of its own source, and it is written after the records: "
        yield warned(name, message + _disturbed(spec, loose))


def _disturbed(spec: MigrationSpec, loose: str) -> str:
    if spec.in_place:
        return f"the transform may write {loose} too, and who reverts cannot tell the two apart; use another field"
    return (
        f"a verify or a delete finds copies that lack {loose}, until a sweep has written them all again; name {loose} "
        "in ignoreFields or in transform.remove"
    )


def _loose(spec: MigrationSpec) -> Iterator[str]:
    """What a marker on a record sets and the migration of that record does not leave alone."""
    transform, sets = spec.transform, spec.entity_marker.set if spec.entity_marker else {}
    if not spec.in_place:
        left_out = (
            () if spec.target.aggregate else (*spec.ignore_fields, *(() if transform.python else transform.remove))
        )
        yield from (path for path in sets if not any(_covers(other, path) for other in left_out))
        return
    written = (*transform.rename, *transform.rename.values(), *transform.set, *transform.remove)
    own = (*written, spec.marker.field) if spec.marker else written
    yield from (path for path in sets if transform.python or any(_meet(path, other) for other in own))


def _covers(whole: str, path: str) -> bool:
    return _meet(whole, path) and len(parse(whole)) <= len(parse(path))


def _written(spec: MigrationSpec) -> Iterator[str]:
    """What a migration writes beside its source: templates of documents."""
    yield from filter(None, (spec.template, _marker(spec)))


def _marker(spec: MigrationSpec) -> str:
    return spec.entity_marker.document if spec.entity_marker else ""


def _reads(spec: MigrationSpec, collection: str) -> bool:
    """Whether the documents of a collection, which may have placeholders, are of a migration's source."""
    if spec.source.collection_group is not None:
        return collection.rsplit("/", maxsplit=1)[-1] == spec.source.collection_group
    return _shape(collection) == _shape(spec.source.collection or "") or _matches(collection, spec.source.collection)


def _matches(collection: str, path: str | None) -> bool:
    pattern = "[^/]+".join(re.escape(part) for part in _PLACEHOLDER.split(collection))
    return path is not None and re.fullmatch(pattern, path) is not None


def _collection(document: str) -> str:
    return document.rpartition("/")[0]


def _source(spec: MigrationSpec) -> str:
    return spec.source.collection or spec.source.collection_group or ""


def _same(one: str | None, other: str | None) -> bool:
    """Whether two templates may lead to one document, going by their shapes."""
    return bool(one) and _shape(one or "") == _shape(other or "")


def _shape(template: str) -> str:
    return _PLACEHOLDER.sub("{}", template)
