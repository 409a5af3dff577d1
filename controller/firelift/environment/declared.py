"""What a spec and the file that it names declare together: one key for each thing, and one owner for each field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from firelift.api.environment.cross_field import has_enough_fields
from firelift.api.environment.database import Edition
from firelift.api.environment.indexes import CompositeIndex, FieldOverride, TtlSpec
from firelift.api.environment.spec import EnvironmentSpec
from firelift.environment.indexes_file import IndexesFile, read, without_implied_name
from firelift.environment.references import Read, of_indexes
from firelift.environment.unusable import Unusable

MOST_INDEXES = 200

LEDGER = ("_firelift", "firelift_deadletters", "firelift_entities", "firelift_journal", "firelift_runs")
"""The collection groups of Firelift's own whose documents have an `expireAt`; the module `firestore` has them too."""
EXPIRES = "expireAt"


@dataclass(frozen=True, slots=True)
class Declared:
    """Indexes, overrides and TTLs by their keys, which are their addresses in Terraform."""

    composite: Mapping[str, CompositeIndex]
    fields: Mapping[str, FieldOverride]
    ttls: Mapping[str, TtlSpec]
    ledger: Mapping[str, TtlSpec] = field(default_factory=dict)
    """TTLs of Firelift's own documents: the modules know what they are, and are only told that they are wanted."""

    @property
    def every_ttl(self) -> dict[str, TtlSpec]:
        """All that are to be active."""
        return {**self.ledger, **self.ttls}


def declared(spec: EnvironmentSpec, found: Read) -> Declared:
    """Join the spec and its file. What both have is one thing, under the spec's key and in the spec's words.

    Raises:
        Unusable: the file is none, or the two together declare what Firestore cannot have.
    """
    place = of_indexes(spec)
    file = read(found[place], f"{place.key} of ConfigMap {place.name}") if place else IndexesFile()
    joined = Declared(_composite(spec, file), _fields(spec, file), _ttls(spec, file), _ledger(spec))
    _check_owners(joined)
    _check_edition(spec.database.edition, joined)
    return joined


def _composite(spec: EnvironmentSpec, file: IndexesFile) -> dict[str, CompositeIndex]:
    own = {key: without_implied_name(index) for key, index in spec.indexes.composite.items()}
    keys: dict[CompositeIndex, str] = {}
    for key, index in own.items():
        if keys.setdefault(index, key) != key:
            raise Unusable(f"indexes.composite: {keys[index]} and {key} are one index to Firestore: keep one of them")
    joined = {**{key: index for key, index in file.composite.items() if index not in keys}, **own}
    if len(joined) > MOST_INDEXES:
        raise Unusable(
            f"{len(joined)} composite indexes are declared, {MOST_INDEXES} is the most: divide them into environments"
        )
    return dict(sorted(joined.items()))


def _fields(spec: EnvironmentSpec, file: IndexesFile) -> dict[str, FieldOverride]:
    own = {(each.collection, each.path) for each in spec.indexes.fields.values()}
    others = {key: each for key, each in file.fields.items() if (each.collection, each.path) not in own}
    return dict(sorted({**others, **spec.indexes.fields}.items()))


def _ttls(spec: EnvironmentSpec, file: IndexesFile) -> dict[str, TtlSpec]:
    own = {(each.collection, each.path) for each in spec.ttls.values()}
    others = {key: each for key, each in file.ttls.items() if (each.collection, each.path) not in own}
    return dict(sorted({**others, **spec.ttls}.items()))


def _ledger(spec: EnvironmentSpec) -> dict[str, TtlSpec]:
    groups = LEDGER if spec.indexes.ledger else ()
    return {group: TtlSpec(collection=group, path=EXPIRES) for group in groups}


def _check_owners(joined: Declared) -> None:
    paths: dict[str, str] = {}
    for ttl in joined.ttls.values():
        if paths.setdefault(ttl.collection, ttl.path) != ttl.path:
            raise Unusable(
                f"{ttl.collection} has TTLs on {paths[ttl.collection]} and {ttl.path}, in the spec and in its file:"
                " Firestore takes no second one"
            )
    for each in joined.fields.values():
        if paths.get(each.collection) == each.path:
            raise Unusable(
                f"{each.collection}.{each.path} has a TTL and an override, in the spec and in its file: its indexes are"
                " said by `keepIndexed` of the TTL"
            )


def _check_edition(edition: Edition, joined: Declared) -> None:
    if edition is Edition.ENTERPRISE and joined.fields:
        raise Unusable(
            f"{next(iter(joined.fields.values())).collection} has an override in the file of indexes, and `edition:"
            " ENTERPRISE` indexes no field by itself: declare its indexes under `indexes.composite`"
        )
    alone = [key for key, index in joined.composite.items() if not has_enough_fields(index)]
    if edition is Edition.STANDARD and alone:
        raise Unusable(
            f"index {alone[0]} must have two fields or more, or one vector: Firestore has those of one field"
        )
