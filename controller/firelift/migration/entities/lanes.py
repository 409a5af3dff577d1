"""Which runs go by entities, and the lanes that they then have."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from firelift.api.cohort import BUCKETS
from firelift.api.run import RunKind, RunPlan
from firelift.migration.clock import Pause
from firelift.migration.conditions import filters
from firelift.migration.entities.order import groups, place
from firelift.migration.entities.packed import PackedEntities
from firelift.migration.entities.reader import ByKey, Entities
from firelift.migration.entities.whose import Whose
from firelift.migration.ledger.listings import Listing, Listings, Members
from firelift.migration.store import Source, Store, ValueKit
from firelift.migration.transform.reshape import field_path
from firelift.migration.work import Lane

BY_ENTITY = frozenset(
    {RunKind.MIGRATE, RunKind.SWEEP, RunKind.VERIFY, RunKind.DELETE, RunKind.DRY_RUN, RunKind.VALIDATE}
)

COUNTED = 3_000
"""Entities whose records are counted. Of more a hundred queries would be needed; each is taken to have one."""


def by_entity(plan: RunPlan) -> bool:
    """Whether a run reads records entity by entity: where entities are listed, or all of them are named."""
    if plan.kind not in BY_ENTITY:
        return False
    migration, selection = plan.migration, plan.selection
    named = bool(selection.ids) and selection.from_bucket >= selection.to_bucket
    addressable = migration.entity_key is not None or migration.source.collection is not None
    listed = migration.entity_collection is not None or migration.target.aggregate is not None
    return listed or (named and addressable)


def source_of(plan: RunPlan, kit: ValueKit) -> Source:
    """The whole source of a run's migration; where conditions choose from it, just what keeps them."""
    source, of_entities = plan.migration.source, plan.migration.entity_collection is not None
    where = () if of_entities else filters(kit, plan.selection.where)
    collection = source.collection or source.collection_group or ""
    return Source(collection, all_descendants=source.collection is None, where=where)


def listing_name(plan: RunPlan) -> str:
    """The list of a run's entities.

    The phases of an attempt share one of each migration. A sweep and a verify look for those that came later, and
    conditions may hold for others by now, so each of these has a list of its own.
    """
    if plan.kind is not RunKind.MIGRATE or plan.selection.where:
        return plan.id
    phases, last = _shared(plan)
    return last if _of_records(plan) else phases


def _shared(plan: RunPlan) -> tuple[str, str]:
    """The lists of an attempt: that of its phases, and for groups that of the one that lists all that is left."""
    name = f"a{plan.attempt}.{plan.migration.name}"
    return name, f"{name}.all"


def _of_records(plan: RunPlan) -> bool:
    """Whether entities are listed from the records, for groups whose entities nobody else lists."""
    return plan.migration.target.aggregate is not None and plan.closing


@dataclass(frozen=True, slots=True)
class EntityLanes:
    """Makes the lanes of a run that goes by entities."""

    store: Store
    plan: RunPlan
    pause: Pause

    async def make(self, lanes_for: Callable[[int], int]) -> tuple[list[Lane], int]:
        """The lanes, not numbered, and about how many records they have; `lanes_for` says how many those need."""
        listing = await self._listing()
        name = listing.name if listing else None
        chosen = await chosen_entities(self.store, self.plan, name, (0, BUCKETS))
        records = await self._records(chosen, listing.total if listing else 0)
        edges = pairwise([0, *chosen.cuts(lanes_for(records)), BUCKETS])
        return [Lane(0, buckets=(start, end), listing=name) for start, end in edges], records

    async def _listing(self) -> Listing | None:
        collection = self.plan.migration.entity_collection
        aggregate = self.plan.migration.target.aggregate
        if (
            collection is None and aggregate is None
        ) or self.plan.selection.from_bucket >= self.plan.selection.to_bucket:
            return None
        listings = Listings(self.store, self.plan.ledger, self.plan.seed)
        if collection is None or _of_records(self.plan):
            key = field_path(self.plan.migration.entity_key or "", "entityKey")
            whose = Whose(self.store, self.plan.seed, key)
            source = source_of(self.plan, self.store.values)
            return await listings.ensure(listing_name(self.plan), source, self.pause, Members([key], whose.entity))
        chosen = Source(collection, where=filters(self.store.values, self.plan.selection.where))
        return await listings.ensure(listing_name(self.plan), chosen, self.pause)

    async def _records(self, chosen: PackedEntities, listed: int) -> int:
        """The records of some entities: counted where they are named, else a share of all, at least one of any."""
        source = source_of(self.plan, self.store.values)
        if listed and not self.plan.selection.where:
            count = await self.store.count(source)
            return max(min(1, count), round(count * chosen.total / listed)) if chosen.total < listed else count
        if self.plan.migration.entity_key is None or chosen.total > COUNTED:
            return chosen.total
        asked = ByKey(self.store, source, field_path(self.plan.migration.entity_key, "entityKey"))
        return sum(await asyncio.gather(*(self.store.count(asked.of(group)) for group in groups(chosen))))


async def chosen_entities(store: Store, plan: RunPlan, listing: str | None, buckets: tuple[int, int]) -> PackedEntities:
    """The entities of a run's selection in some buckets.

    Raises:
        StoreError: when the lists cannot be read.
    """
    selection, (start, end) = plan.selection, buckets
    chosen = PackedEntities(plan.seed)
    chosen.add(entity for entity in selection.ids if start <= place(plan.seed, entity)[0] < end)
    first, behind = max(start, selection.from_bucket), min(end, selection.to_bucket)
    if listing is None or first >= behind:
        return chosen
    listings, others = Listings(store, plan.ledger, plan.seed), frozenset(selection.except_ids)
    for name in (listing, *await _listed_before(listings, plan)):
        async for part in listings.parts(name, first, behind):
            chosen.add(entity for entity in part if entity not in others)
    return chosen


async def _listed_before(listings: Listings, plan: RunPlan) -> list[str]:
    """Whom the phases have listed: an entity without records is on no list any more, and its aggregates are there."""
    if plan.migration.target.aggregate is None or plan.kind is RunKind.MIGRATE:
        return []
    return [name for name in _shared(plan) if await listings.read(name) is not None]


def entities_of(store: Store, plan: RunPlan, lane: Lane) -> Entities:
    """What a lane of entities reads, asked for when it begins."""

    async def entities() -> Sequence[str]:
        return list(await chosen_entities(store, plan, lane.listing, lane.buckets or (0, 0)))

    return entities
