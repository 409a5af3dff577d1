"""The queries with a condition that runs will ask: whether the database has their indexes, and how many they answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice

from firelift.api.digest import digest
from firelift.api.migration import MigrationSpec
from firelift.api.plan import INDEX_CHECK, Check, PlanRequest
from firelift.api.steps.migrate import CohortSpec
from firelift.migration.conditions import filters
from firelift.migration.entities.order import groups
from firelift.migration.entities.reader import ByKey
from firelift.migration.errors import StoreError, TransformUnusable
from firelift.migration.fields import written
from firelift.migration.preflight.probes import source_of
from firelift.migration.preflight.verdicts import passed, refused
from firelift.migration.store import Source, Store
from firelift.migration.transform.reshape import field_path

NEEDS_INDEX = "FAILED_PRECONDITION"
"""What Firestore answers a query whose index is not there, or is building."""


def cohort_key(migration: str, cohort: CohortSpec) -> str:
    """What stands for the cohort of a migration among counts."""
    return f"{migration} {digest(cohort)}"


@dataclass(frozen=True, slots=True)
class Queries:
    """Asks them; it raises nothing of the database's."""

    store: Store
    request: PlanRequest

    async def indexes(self) -> tuple[Check, ...]:
        """One check for each migration whose runs will ask with a condition."""
        return tuple([check for spec in self.request.migrations if (check := await self._index(spec)) is not None])

    async def chosen(self, counts: Mapping[str, int]) -> dict[str, int]:
        """How many source documents each named or conditional cohort has, as far as the database tells."""
        specs = {spec.name: spec for spec in self.request.migrations}
        found: dict[str, int] = {}
        for migration, cohort in self._cohorts():
            spec = specs.get(migration)
            if spec is None or cohort.percent is not None:
                continue
            try:
                count = await self._count(spec, cohort, counts.get(migration, 0))
            except (StoreError, TransformUnusable):
                continue
            found[cohort_key(migration, cohort)] = count
        return found

    async def _index(self, spec: MigrationSpec) -> Check | None:
        name, asked = f"{INDEX_CHECK}{spec.name}", 0
        try:
            async for source in self._filtered(spec):
                asked += 1
                await self.store.page(source, limit=1, mask=())
        except StoreError as error:
            return refused(name, f"{_named(source)} cannot be asked: {_remedy(source, error)}")
        except TransformUnusable as unusable:
            return refused(name, f"{unusable}; correct migration {spec.name}")
        return passed(name, f"the database has what the {asked:,} kinds of query need") if asked else None

    async def _filtered(self, spec: MigrationSpec) -> AsyncIterator[Source]:
        whole, kit = source_of(spec), self.store.values
        cohorts = [cohort for name, cohort in self._cohorts() if name == spec.name]
        paced = self.request.pace.per_entity_writes_per_minute is not None
        by_entity = spec.entity_collection or spec.target.aggregate or paced or any(each.ids for each in cohorts)
        if by_entity and spec.entity_key is not None:
            yield ByKey(self.store, whole, field_path(spec.entity_key, "entityKey")).of(["firelift"])
        listed = Source(spec.entity_collection) if spec.entity_collection else whole
        for cohort in cohorts:
            if cohort.where is not None:
                yield replace(listed, where=filters(kit, cohort.where))

    async def _count(self, spec: MigrationSpec, cohort: CohortSpec, whole: int) -> int:
        source = source_of(spec)
        if cohort.where is not None and spec.entity_collection is not None:
            entities = Source(spec.entity_collection)
            among = await self.store.count(replace(entities, where=filters(self.store.values, cohort.where)))
            return round(whole * among / max(1, await self.store.count(entities)))
        if cohort.where is not None:
            return await self.store.count(replace(source, where=filters(self.store.values, cohort.where)))
        if spec.entity_key is None:
            return len(cohort.ids or ())
        records = ByKey(self.store, source, field_path(spec.entity_key, "entityKey"))
        return sum([await self.store.count(records.of(group)) for group in groups(cohort.ids or ())])

    def _cohorts(self) -> list[tuple[str, CohortSpec]]:
        phases = (*self.request.started, *self.request.phases)
        moves = [step.migrate for phase in phases for step in phase.steps if step.migrate is not None]
        return [(name, move.cohort) for move in moves for name in move.migrations]


def _named(source: Source) -> str:
    fields = ", ".join(written(each.path) for each in source.where)
    return f"collection {'group ' if source.all_descendants else ''}{source.collection} by {fields}"


def _remedy(source: Source, error: StoreError) -> str:
    if error.code != NEEDS_INDEX:
        return f"{error}; grant the worker roles/datastore.user"
    fields = ", ".join(written(each.path) for each in islice(source.where, 4))
    scope = "COLLECTION_GROUP" if source.all_descendants else "COLLECTION"
    return (
        f"it needs an index of {fields} ascending with scope {scope} on {source.collection.rpartition('/')[2]}, which "
        f"is missing, exempt or building: create it or wait until it is READY; {error}"
    )
