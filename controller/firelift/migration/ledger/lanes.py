"""Making the lanes of a run: ranges of a source, lanes of earlier journals, or what an earlier attempt has left."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby, pairwise

from firelift.api import shares
from firelift.api.cohort import Selection
from firelift.api.run import WAY_BACK, RunKind, RunPlan
from firelift.migration.clock import Pause
from firelift.migration.entities.lanes import EntityLanes, by_entity, source_of
from firelift.migration.ledger.journal import Journal
from firelift.migration.ledger.lane_map import adopt_lane_map, read_lane_map
from firelift.migration.ledger.letters import Letters
from firelift.migration.ledger.runs import RunStore
from firelift.migration.ledger.seal import seal_run
from firelift.migration.ledger.standing import FORWARD
from firelift.migration.store import Source
from firelift.migration.transform.reverse import target_source
from firelift.migration.work import Lane, LaneMap

SCANNING = frozenset(
    {RunKind.MIGRATE, RunKind.SWEEP, RunKind.VERIFY, RunKind.DELETE, RunKind.DRY_RUN, RunKind.VALIDATE}
)


async def ensure_lanes(journal: Journal, plan: RunPlan, pause: Pause = asyncio.sleep) -> LaneMap:
    """The lanes of a run, made by whoever comes first.

    All runs that this one walks or follows are sealed before its lanes are made, so that what it reads is final.
    """
    there = await read_lane_map(journal.store, journal.ledger, plan.id)
    return there or await adopt_lane_map(journal.store, journal.ledger, plan.id, await _make(journal, plan, pause))


async def _make(journal: Journal, plan: RunPlan, pause: Pause) -> LaneMap:
    walked = await _all_walked(journal, plan)
    letters = await _letters(journal, plan)
    if plan.follows is not None:
        followed = await _followed(journal, plan.follows)
        if followed is not None:
            return _numbered([letters, followed])
    read = await _read(journal, plan, pause)
    forward = [*read, letters] if plan.migration.target.aggregate is not None else [letters, *read]
    return _numbered([*forward, *walked, await _returning(journal, plan)])


async def _letters(journal: Journal, plan: RunPlan) -> LaneMap:
    # Just a run that computes all groups anew knows what has become of their letters.
    if plan.migration.target.aggregate is not None and plan.follows is not None:
        return LaneMap()
    count = await Letters(journal.store, journal.ledger, plan.letters).count()
    return LaneMap([Lane(0, letters=True)] if count else [], estimate=count)


async def _read(journal: Journal, plan: RunPlan, pause: Pause) -> list[LaneMap]:
    """The lanes that read records: of entities, of the whole source, or both, one behind the other."""
    if not by_entity(plan):
        scanned = await _scanned(journal, plan) if plan.kind in SCANNING else LaneMap()
        return [replace(scanned, lanes=[replace(lane, joined=joins(plan)) for lane in scanned.lanes])]
    lanes, records = await EntityLanes(journal.store, plan, pause).make(lambda records: _lanes_for(plan, records))
    of_entities = LaneMap(lanes, estimate=records)
    listing = lanes[0].listing
    if not plan.closing or listing is None:
        return [of_entities]
    closing = await _scanned(journal, plan, one=plan.pace.per_entity_writes_per_minute is not None)
    left_out = [replace(lane, listing=listing) for lane in closing.lanes]
    return [of_entities, LaneMap(left_out, estimate=closing.estimate)]


def goes_back(plan: RunPlan) -> bool:
    """Whether a run takes back what the app wrote in the new shape, or checks that; a `Selection` covers them."""
    return plan.kind in WAY_BACK and plan.migration.reverse is not None and plan.selection != Selection()


async def _returning(journal: Journal, plan: RunPlan) -> LaneMap:
    if not goes_back(plan):
        return LaneMap()
    subjects = (await RunStore(journal.store, journal.ledger).read(plan.subjects)).values()
    # What a revert has brought back is not to be brought back again where that revert is taken back itself.
    forward = any(subject is not None and subject.plan.kind in FORWARD for subject in subjects)
    return await _scanned(journal, plan, target_source(plan.migration)) if forward else LaneMap()


def _lanes_for(plan: RunPlan, records: int) -> int:
    return shares.lanes(plan.shares, records)


def _numbered(maps: Sequence[LaneMap]) -> LaneMap:
    lanes = (lane for each in maps for lane in each.lanes)
    numbered = [replace(lane, number=number) for number, lane in enumerate(lanes)]
    return LaneMap(numbered, estimate=sum(each.estimate for each in maps))


async def _scanned(journal: Journal, plan: RunPlan, source: Source | None = None, *, one: bool = False) -> LaneMap:
    """Ranges of a source; one, where no entity may be written by two processes."""
    source = source or source_of(plan, journal.store.values)
    records = await journal.store.count(source)
    parts = 1 if one else _lanes_for(plan, records)
    cuts = await journal.store.split_points(source, parts) if parts > 1 else []
    ranges = pairwise([None, *cuts, None])
    return LaneMap([Lane(n, start, end) for n, (start, end) in enumerate(ranges)], estimate=records)


async def _all_walked(journal: Journal, plan: RunPlan) -> list[LaneMap]:
    """The lanes of all subjects, the newest first; where a revert meets entity markers, those go in front.

    A revert that is taken back itself had removed its markers before its documents: backwards, they come behind these.
    """
    walked = [await _walked(journal, plan, subject) for subject in reversed(plan.subjects)]
    if plan.kind is not RunKind.REVERT or plan.migration.entity_marker is None:
        return walked
    reverts = await _reverts(journal, plan)
    found: list[LaneMap] = []
    for whole, same in groupby(walked, lambda each: bool(each.lanes) and each.lanes[0].subject in reverts):
        maps = list(same)
        if whole:
            found += [replace(each, lanes=[replace(lane, whole=True) for lane in each.lanes]) for each in maps]
        else:
            found += [LaneMap([replace(lane, marks=True) for lane in each.lanes]) for each in maps] + maps
    return found


async def _reverts(journal: Journal, plan: RunPlan) -> set[str]:
    subjects = await RunStore(journal.store, journal.ledger).read(plan.subjects)
    return {run for run, subject in subjects.items() if subject is not None and subject.plan.kind is RunKind.REVERT}


async def _walked(journal: Journal, plan: RunPlan, subject: str) -> LaneMap:
    """A lane for each of the subject's, but for those whose images are joined to the scan."""
    lanes, seals = await seal_run(journal, subject)
    apart = {lane.number for lane in lanes.lanes if not (joins(plan) and lane.by_path)}
    turns = await _turns(journal, subject, lanes) if plan.kind is RunKind.REVERT else {}
    walked = [Lane(number, subject=subject, subject_lane=number, turn=turns.get(number, 0)) for number in sorted(apart)]
    walked.sort(key=lambda lane: lane.turn)
    return LaneMap(walked, estimate=sum(each.totals.written for each in seals if each.lane in apart))


async def _turns(journal: Journal, subject: str, lanes: LaneMap) -> dict[int, int]:
    """When each lane of a run goes back, where some had waited for others: those that came last are the first."""
    plan = await RunStore(journal.store, journal.ledger).plan(subject)
    waited = {lane.number: len(lanes_before(plan, lanes, lane)) for lane in lanes.lanes}
    last_first = sorted(set(waited.values()), reverse=True)
    return {number: last_first.index(count) for number, count in waited.items()}


def joins(plan: RunPlan) -> bool:
    """Whether what a run's subjects have written of a source is read together with it, where both go by paths."""
    return plan.kind is RunKind.VERIFY and bool(plan.subjects) and not by_entity(plan)


async def _followed(journal: Journal, run: str) -> LaneMap | None:
    """What a run has left; of one that had not begun, what the one that it followed has left."""
    lanes, seals = await seal_run(journal, run)
    if lanes.closed:
        before = (await RunStore(journal.store, journal.ledger).plan(run)).follows
        return await _followed(journal, before) if before is not None else None
    cursors = {entry.lane: entry.end for entry in seals}
    # The letters that a lane of letters has left are still open, and so in the lane of letters that is made now.
    kept = [lane for lane in lanes.lanes if not lane.letters]
    left = [replace(lane, cursor=cursors[lane.number] or lane.cursor) for lane in kept]
    done = sum(entry.scanned for entry in seals)
    return LaneMap(left, estimate=max(0, lanes.estimate - done))


def ordered(plan: RunPlan, lanes: LaneMap) -> bool:
    """Whether some lanes of a run have to wait for others."""
    aggregate = plan.migration.target.aggregate is not None
    turns = any(lane.turn for lane in lanes.lanes)
    closing = plan.closing and (aggregate or plan.migration.entity_collection is not None)
    return (
        turns
        or closing
        or (aggregate and bool(plan.letters))
        or (plan.kind is RunKind.REVERT and (len(plan.subjects) > 1 or goes_back(plan)))
    )


def lanes_before(plan: RunPlan, lanes: LaneMap, lane: Lane) -> list[int]:
    """The lanes that must be worked off before this one begins.

    A revert takes back what happened last first: a document that two runs have changed goes back the way it came, and
    so does one that a revert had changed twice. All entity markers go before the first document, but for those that a
    revert had removed, and what only the app wrote goes last. A closing scan comes behind the lanes of entities, and
    the letters of an aggregate behind all groups.
    """
    if lane.letters and plan.migration.target.aggregate is not None:
        return [each.number for each in lanes.lanes if not each.letters]
    if lane.listing is not None and lane.buckets is None:
        return [each.number for each in lanes.lanes if each.buckets is not None]
    if plan.kind is not RunKind.REVERT:
        return []
    age = {subject: place for place, subject in enumerate(reversed(plan.subjects))}
    stretches = _stretches(lanes)
    place = {
        each.number: (stretches[each.number], not each.marks, age.get(each.subject or "", 0), each.turn)
        for each in lanes.lanes
    }
    return [each.number for each in lanes.lanes if place[each.number] < place[lane.number]]


def _stretches(lanes: LaneMap) -> dict[int, int]:
    """Which stretch of the way each lane of a revert is part of: of earlier reverts, of what went forward, and so on.

    In each of them markers have an order of their own. What only the app wrote is the last one.
    """
    stretch, whole, found = 0, False, {}
    for lane in lanes.lanes:
        stretch, whole = stretch + (lane.whole is not whole), lane.whole
        found[lane.number] = stretch if lane.subject is not None else len(lanes.lanes) + 1
    return found
