"""A few documents of each source, transformed as a migrate would: what they become, and what cannot move."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from firelift.api.migration import MigrationSpec
from firelift.api.plan import Check, PlanRequest, SourceSample
from firelift.api.rollout import RolloutMode
from firelift.api.run import RunPlan
from firelift.migration.aggregate.gather import HELD_BYTES
from firelift.migration.aggregate.groups import Aggregation, Group, compile_aggregation
from firelift.migration.aggregate.members import Members
from firelift.migration.entities.reader import ByKey
from firelift.migration.entities.whose import Whose
from firelift.migration.errors import StoreError, TransformUnusable
from firelift.migration.preflight.largest import groups_of_all, told, with_largest
from firelift.migration.preflight.lossy import overwritten
from firelift.migration.preflight.probes import source_of
from firelift.migration.preflight.verdicts import passed, refused, warned
from firelift.migration.refusal import Refused
from firelift.migration.store import Document, Source, Store
from firelift.migration.transform.one_to_many import Elements, compile_one_to_many
from firelift.migration.transform.reshape import field_path
from firelift.migration.transform.transform import Result, Transform, compile_transform

DOCUMENTS = 200
"""Of each source, at most: a bad one of a hundred is met seven times in eight."""

PLACES = 4
"""Where in the source they are taken from, so that the oldest ids are not all that is seen."""

ENTITIES = 10
"""Whose records are put into groups."""

FEW = 20
"""Of fewer documents nothing is concluded from all of them being refused."""

_KIB = 1024

_Outcomes: TypeAlias = list[tuple[str, int | Refused | None]]
"""Path, and how many documents it becomes, why it cannot move, or None where it is left alone."""


@dataclass(frozen=True, slots=True)
class Sampler:
    """Reads and transforms; it writes nothing, and raises nothing of the database's or the transform's."""

    store: Store
    plan: RunPlan
    request: PlanRequest

    async def all(self) -> tuple[tuple[SourceSample, ...], tuple[Check, ...]]:
        """A sample of each source that can be read, of each migration that compiles, and what it says."""
        found = [await self._of(spec) for spec in self.request.migrations]
        known = tuple(each for each in found if each is not None and each.sampled)
        return known, (*(self._check(each) for each in known), *told(self.request, known))

    async def _of(self, spec: MigrationSpec) -> SourceSample | None:
        try:
            transform = compile_transform(spec, self.store.values, self.plan.now)
            documents = await self._documents(source_of(spec))
            if spec.target.aggregate is not None:
                return await self._grouped(spec, transform, documents)
            sample = self._sample(spec, documents, _outcomes(transform, documents))
            sample = sample.model_copy(update={"overwritten": overwritten(transform, documents)})
            if not self._paced or spec.entity_key is None:
                return sample
            records, whose = self._by_entity(spec)
            return await with_largest(sample, spec, records, whose, documents, ENTITIES)
        except (StoreError, TransformUnusable):  # their own checks tell of it
            return None

    async def _documents(self, source: Source) -> list[Document]:
        starts = [None, *await self.store.split_points(source, PLACES)][:PLACES]
        found: dict[str, Document] = {}
        for start in starts:
            place = Source(source.collection, all_descendants=source.all_descendants, start=start)
            page = await self.store.page(place, limit=DOCUMENTS // len(starts))
            found |= {document.path: document for document in page.documents}
        return list(found.values())

    async def _grouped(
        self, spec: MigrationSpec, transform: Transform, documents: Sequence[Document]
    ) -> SourceSample | None:
        """Of an aggregate the records of a few entities, which only together become something."""
        records, whose = self._by_entity(spec)
        entities = list(dict.fromkeys(entity for each in documents if (entity := whose.entity(each))))[:ENTITIES]
        aggregation = compile_aggregation(spec, transform)
        read: list[Document] = []
        outcomes: _Outcomes = []
        largest = 0
        for entity in entities:
            page = await records.page([entity], None, DOCUMENTS)
            own = [document for document in page.documents if whose.entity(document) == entity]
            read += own
            # Sums hold no documents, so that how many there are says nothing of them.
            matters = (aggregation.reducer is not None or self._paced) and not page.exhausted
            count = await self.store.count(records.of([entity])) if matters else len(own)
            found = _groups(aggregation, entity, own, count)
            outcomes += found
            largest = max(largest, groups_of_all(sum(each == 1 for _, each in found), len(own), count))
        sample = self._sample(spec, read, outcomes)
        return sample.model_copy(update={"entities": len(entities), "most_of_entity": largest})

    @property
    def _paced(self) -> bool:
        return self.request.pace.per_entity_writes_per_minute is not None

    def _by_entity(self, spec: MigrationSpec) -> tuple[ByKey, Whose]:
        key = field_path(spec.entity_key or "", "entityKey")
        return ByKey(self.store, source_of(spec), key), Whose(self.store, self.plan.seed, key)

    def _sample(self, spec: MigrationSpec, documents: Sequence[Document], outcomes: _Outcomes) -> SourceSample:
        bad = [(path, each) for path, each in outcomes if isinstance(each, Refused)]
        size = self.store.values.size
        return SourceSample(
            migration=spec.name,
            sampled=len(documents),
            transformed=len(outcomes),
            produced=sum(each for _, each in outcomes if isinstance(each, int)),
            left_alone=sum(each is None for _, each in outcomes),
            refused=len(bad),
            size_bytes=sum(size(value) for document in documents for value in document.fields.values()),
            example=f"{bad[0][0]}: {bad[0][1].reason}"[:256] if bad else "",
        )

    def _check(self, sample: SourceSample) -> Check:
        name, spec = f"sample {sample.migration}", self._spec(sample.migration)
        what = "groups" if spec.target.aggregate else "documents"
        if not sample.refused:
            return passed(name, f"of {sample.transformed:,} {what} that were tried {_becomes(spec, sample)}")
        trouble = f"{sample.refused:,} of {sample.transformed:,} {what} that were tried cannot move, such as"
        rehearsing = self.request.mode is not RolloutMode.MIGRATE
        if sample.refused == sample.transformed >= FEW and not rehearsing:
            return refused(name, f"{trouble} {sample.example}")
        more = "" if rehearsing else "; mode: Validate looks at all of them"
        return warned(name, f"{trouble} {sample.example}; onInvalid is {spec.on_invalid}{more}")

    def _spec(self, name: str) -> MigrationSpec:
        return next(spec for spec in self.request.migrations if spec.name == name)


def _outcomes(transform: Transform, documents: Iterable[Document]) -> _Outcomes:
    splitting = compile_one_to_many(transform) if transform.spec.one_to_many else None
    attempt = splitting.attempt if splitting else transform.attempt
    return [(document.path, _became(attempt(document))) for document in documents]


def _became(outcome: object) -> int | Refused | None:
    if isinstance(outcome, Elements):
        return len(outcome.results)
    if isinstance(outcome, Result):
        return 1
    return outcome if isinstance(outcome, Refused) else None


def _groups(aggregation: Aggregation, entity: str, documents: Sequence[Document], count: int) -> _Outcomes:
    """The groups of an entity's documents, the first of `count`, and those that belong to none."""
    outcomes: _Outcomes = []
    held = 0
    groups: dict[str, Members] = {}
    for document in documents:
        try:
            target = aggregation.target(entity, document)
        except Refused as refusal:
            outcomes.append((document.path, refusal))
            continue
        if target is not None:
            members = groups.setdefault(target, aggregation.members()[0])
            held += aggregation.take_in(members, entity, document)
    needed = held * count // max(1, len(documents))
    if needed > HELD_BYTES:
        return [*outcomes, (aggregation.spec.document.replace("{entity}", entity), _outgrown(entity, count, needed))]
    for target, members in groups.items():
        result = aggregation.result(Group(entity, target, members))
        outcomes.append((target, result if result is None or isinstance(result, Refused) else 1))
    return outcomes


def _outgrown(entity: str, count: int, needed: int) -> Refused:
    return Refused(
        "target.aggregate",
        f"entity {entity} has {count:,} documents, which need about {needed // 2**20:,} MiB, and a lane may hold "
        f"{HELD_BYTES // 2**20}: nothing of it would be written; use `set` instead of `python`, or leave documents out "
        "by appliesWhen",
    )


def _becomes(spec: MigrationSpec, sample: SourceSample) -> str:
    alone = f", and {sample.left_alone:,} are left alone" if sample.left_alone else ""
    size = f"; a source has {sample.size_bytes / sample.sampled / _KIB:,.1f} KiB on average"
    if spec.one_to_many or spec.target.aggregate:
        return f"none is refused{alone}; {sample.sampled:,} sources become {sample.produced:,} targets{size}"
    return f"none is refused{alone}{size}"
