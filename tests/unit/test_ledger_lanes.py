"""The lanes of a run: made once, of what is final, in an order that can be taken back."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.simple_work import LEDGER, SOURCE, begin, build, plain, plan
from tests.virtual_time import VirtualClock, in_virtual_time, run

from firelift.api.run import RunKind, RunPlan
from firelift.migration.errors import FencedError, MigrationError, RunStopped
from firelift.migration.ledger.journal import Journal
from firelift.migration.ledger.lane_map import adopt_lane_map, read_lane_map
from firelift.migration.ledger.lanes import ensure_lanes, lanes_before
from firelift.migration.ledger.progress import Progress, RunProgress
from firelift.migration.ledger.seal import seal_run
from firelift.migration.store import Put, Source
from firelift.migration.work import Batch, Change, Lane, LaneMap, Record
from firelift.migration.worker import Share, work
from firelift.stores.memory import MemoryStore


def filled(count: int) -> MemoryStore:
    store = MemoryStore()
    for number in range(count):
        store.apply([Put(f"{SOURCE}/d{number:05d}", {"n": store.values.encode(number)})])
    return store


async def done(store: MemoryStore, made: RunPlan, index: int = 0, count: int = 1) -> RunProgress:
    await begin(store, made)
    await work(store, Share(LEDGER, made.id, index, count), build(500), clock=VirtualClock())
    return await Progress(store, LEDGER, made.id).update()


def big(run: str, **changes: Any) -> RunPlan:
    made = plan(run, **changes)
    return made.model_copy(update={"pace": made.pace.model_copy(update={"batch_size": 300})})


@pytest.mark.parametrize(
    ("records", "workers", "lanes"),
    [(0, 1, 1), (499, 4, 1), (999, 4, 1), (1000, 4, 2), (2000, 1, 4), (4000, 2, 8), (4000, 1, 4)],
)
async def test_a_small_source_has_few_lanes(records: int, workers: int, lanes: int) -> None:
    made = await ensure_lanes(Journal(filled(records), LEDGER), plan("r1", workers=workers))
    assert (len(made.lanes), made.estimate) == (lanes, records)
    assert [each.number for each in made.lanes] == list(range(lanes))


async def test_lanes_cover_the_source_without_gap_or_overlap() -> None:
    store = filled(2100)
    made = await ensure_lanes(Journal(store, LEDGER), plan("r1"))
    ranges = [Source(SOURCE, start=lane.start, end=lane.end) for lane in made.lanes]
    assert [lane.start for lane in made.lanes] == [None, *(lane.end for lane in made.lanes[:-1])]
    assert made.lanes[-1].end is None
    assert sum([await store.count(each) for each in ranges]) == 2100


async def test_workers_that_come_at_once_agree_on_the_lanes() -> None:
    store = filled(1000)

    async def yield_to_others(_: object) -> None:
        await asyncio.sleep(0)

    store.faults.before_read = yield_to_others
    store.faults.before_commit = yield_to_others
    made = await asyncio.gather(*(ensure_lanes(Journal(store, LEDGER), plan("r1")) for _ in range(4)))
    assert made == [made[0]] * 4
    assert await read_lane_map(store, LEDGER, "r1") == made[0]


async def test_the_lanes_of_a_great_many_runs_fit_one_document() -> None:
    runs = [f"a{attempt}.one-percent.migrate.fitness-logs.sweep.{attempt}" for attempt in range(136)]
    walked = [Lane(0, subject=run, subject_lane=lane) for run in runs for lane in range(128)]
    made = LaneMap([replace(lane, number=number) for number, lane in enumerate(walked)], estimate=7)
    assert await adopt_lane_map(MemoryStore(), LEDGER, "verify", made) == made


@given(
    st.lists(
        st.builds(Lane, st.just(0), st.none() | st.text(), st.none() | st.text(), cursor=st.none() | st.text())
        | st.builds(
            Lane,
            st.just(0),
            subject=st.sampled_from(["r1", "r2"]),
            subject_lane=st.integers(0, 3),
            cursor=st.none() | st.just("0000000001:2"),
        )
    )
)
def test_lanes_are_read_as_they_were_made(lanes: list[Lane]) -> None:
    made = LaneMap([replace(lane, number=number) for number, lane in enumerate(lanes)], estimate=len(lanes))
    assert run(adopt_lane_map(MemoryStore(), LEDGER, "r3", made)) == made


@in_virtual_time
async def test_indexes_share_the_lanes_and_the_run_is_complete_when_the_last_is_done() -> None:
    store = filled(4000)
    made = big("r1", workers=2)
    first = await done(store, made, 0, 2)
    assert (first.complete, first.sealed, first.lanes) == (False, 4, 8)
    second = await done(store, made, 1, 2)
    assert (second.complete, second.totals.updated, second.scanned) == (True, 4000, 4000)


@in_virtual_time
async def test_a_journal_is_walked_lane_by_lane_newest_subject_first() -> None:
    store = filled(1000)
    await done(store, big("r1"))
    await done(store, big("r2"))
    made = await ensure_lanes(Journal(store, LEDGER), plan("back", kind=RunKind.REVERT, subjects=("r1", "r2")))
    assert [(each.subject, each.subject_lane) for each in made.lanes] == [("r2", 0), ("r2", 1), ("r1", 0), ("r1", 1)]
    assert made.estimate == 2000
    verify = await ensure_lanes(Journal(store, LEDGER), plan("look", kind=RunKind.VERIFY, subjects=("r1",)))
    assert [(each.subject, each.joined) for each in verify.lanes] == [(None, True), (None, True)]


def test_only_a_revert_has_an_order() -> None:
    lanes = LaneMap([Lane(0, subject="r2"), Lane(1, subject="r2"), Lane(2, subject="r1"), Lane(3, subject="r0")])
    subjects = ("r0", "r1", "r2")
    revert = plan("back", kind=RunKind.REVERT, subjects=subjects)
    assert [lanes_before(revert, lanes, lane) for lane in lanes.lanes] == [[], [], [0, 1], [0, 1, 2]]
    verify = plan("look", kind=RunKind.REVERT_VERIFY, subjects=subjects)
    assert [lanes_before(verify, lanes, lane) for lane in lanes.lanes] == [[], [], [], []]


@in_virtual_time
async def test_a_run_that_is_walked_is_final_before_its_walker_begins() -> None:
    store = filled(10)
    await begin(store, plan("r1"))
    await ensure_lanes(Journal(store, LEDGER), plan("r1"))
    await ensure_lanes(Journal(store, LEDGER), plan("back", kind=RunKind.REVERT, subjects=("r1",)))
    with pytest.raises(FencedError, match="lane 0 of run r1 is sealed at entry 1"):
        await done(store, plan("r1"))
    assert len(store.history(f"{SOURCE}/d00003")) == 1
    assert not (await Progress(store, LEDGER, "r1").update()).complete


@in_virtual_time
async def test_a_run_that_had_not_begun_cannot_begin_after_its_successor() -> None:
    store = filled(10)
    await begin(store, plan("r1"))
    await seal_run(Journal(store, LEDGER), "r1")
    with pytest.raises(FencedError, match="closed by a successor"):
        await done(store, plan("r1"))
    progress = await Progress(store, LEDGER, "r1").update()
    assert (progress.complete, progress.totals.read) == (False, 0)


@in_virtual_time
async def test_a_follower_goes_on_where_its_predecessors_stood() -> None:
    store = filled(1000)
    await _interrupted(store, big("r1"), after=2)
    await begin(store, big("r2", follows="r1"))
    await seal_run(Journal(store, LEDGER), "r2")
    progress = await done(store, big("r3", follows="r2"))
    before = await Progress(store, LEDGER, "r1").update()
    left = 1000 - before.totals.updated
    assert 0 < left < 1000
    assert (progress.complete, progress.totals.updated, progress.estimate) == (True, left, left)
    page = await store.page(Source(SOURCE), limit=2000)
    assert [plain(store, each) for each in page.documents] == [{"n": number + 1} for number in range(1000)]


async def _interrupted(store: MemoryStore, made: RunPlan, after: int) -> None:
    left = after

    async def count(writes: Any) -> None:
        nonlocal left
        if any(write.path.startswith(SOURCE) for write in writes):
            if not left:
                raise MigrationError("the machine is gone")
            left -= 1

    store.faults.before_commit = count
    with pytest.raises(MigrationError, match="the machine is gone"):
        await done(store, made)
    store.faults.before_commit = None


@in_virtual_time
async def test_progress_is_the_same_for_who_looks_often_and_who_looks_once() -> None:
    store = filled(700)
    made = await begin(store, plan("r1"))
    often = Progress(store, LEDGER, "r1")
    before = await often.update()
    assert (before.lanes, before.estimate, before.complete) == (0, 0, False)
    worker = asyncio.create_task(work(store, Share(LEDGER, "r1", 0, 1), build(20), clock=VirtualClock()))
    seen = []
    while not worker.done():
        await asyncio.sleep(0.001)
        seen.append(await often.update())
    await worker
    last, once = await often.update(), await Progress(store, LEDGER, made.id).update()
    assert (last.totals, last.scanned, last.complete) == (once.totals, once.scanned, once.complete)
    assert once.totals.updated == 700
    counts = [each.totals.updated for each in seen]
    assert counts == sorted(counts)


@in_virtual_time
async def test_a_worker_that_comes_back_takes_its_failure_back() -> None:
    store = filled(3)
    await _interrupted(store, plan("r1"), after=0)
    assert (await Progress(store, LEDGER, "r1").update()).said.failure == "MigrationError: the machine is gone"
    assert (await done(store, plan("r1"))).said.failure == ""


class Nothing:
    """A reader without records, and what is done with them."""

    async def read(self, _: str | None) -> Batch:
        return Batch((), "", exhausted=True)

    async def prepare(self, _: Sequence[Record], *, again: bool) -> list[Change]:
        raise AssertionError(f"there is nothing to prepare {again=}")


@in_virtual_time
async def test_an_older_subject_waits_until_every_lane_of_the_newer_one_is_taken_back() -> None:
    store = filled(1000)
    await done(store, big("r1"))
    await done(store, big("r2"))
    await begin(store, plan("back", kind=RunKind.REVERT, subjects=("r1", "r2"), workers=2))

    def back(index: int) -> asyncio.Task[None]:
        share = Share(LEDGER, "back", index, 2)
        return asyncio.create_task(work(store, share, lambda *_: (Nothing(), Nothing()), clock=VirtualClock()))

    journal, one = Journal(store, LEDGER), back(1)
    await asyncio.sleep(60)
    assert [await journal.end("back", lane) for lane in range(4)] == [0, 0, 0, 0]
    await asyncio.gather(one, back(0))
    times = [entry.commit_time for lane in range(4) if (entry := await journal.last("back", lane))]
    assert max(times[:2]) < min(times[2:])
    assert (await Progress(store, LEDGER, "back").update()).complete


@in_virtual_time
async def test_an_index_that_waits_for_a_lower_one_in_vain_makes_room_for_it() -> None:
    store = filled(1000)
    await done(store, big("r1"))
    await done(store, big("r2"))
    await begin(store, plan("back", kind=RunKind.REVERT, subjects=("r1", "r2"), workers=2))
    clock = VirtualClock()
    with pytest.raises(RunStopped, match="index 1 of run back has waited 120 s for lane 0, which is a lower index's"):
        await work(store, Share(LEDGER, "back", 1, 2), lambda *_: (Nothing(), Nothing()), clock=clock)
    assert (await Progress(store, LEDGER, "back").update()).sealed == 0


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_lanes_that_wait_for_others_are_shared_out_so_that_an_index_waits_only_for_lower_ones(count: int) -> None:
    lanes = LaneMap([Lane(number) for number in range(5)])
    shares = [Share(LEDGER, "r1", index, count).of(lanes, ordered=True) for index in range(count)]
    assert [lane.number for share in shares for lane in share] == [0, 1, 2, 3, 4]


async def test_more_indexes_than_workers_have_lanes_of_their_own() -> None:
    made = await ensure_lanes(Journal(filled(5000), LEDGER), plan("r1", workers=1, indexes=2))
    assert [len(Share(LEDGER, "r1", index, 2).of(made)) for index in range(2)] == [4, 4]


async def test_a_look_at_many_lanes_that_stand_still_is_one_question() -> None:
    store = MemoryStore()
    await begin(store, plan("r1"))
    await adopt_lane_map(store, LEDGER, "r1", LaneMap([Lane(number) for number in range(200)], estimate=200))
    progress, asked = Progress(store, LEDGER, "r1"), list[str]()
    await progress.update()

    async def count(kind: str) -> None:
        asked.append(kind)

    store.faults.before_read = count
    assert (await progress.update()).lanes == 200
    assert asked == ["get", "get"], "whether lanes have moved, and what workers say"
