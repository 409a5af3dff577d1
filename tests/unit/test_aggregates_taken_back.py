"""Groups that several runs have computed go back run by run, and no run's way back is in the way of another's."""

from __future__ import annotations

from datetime import timedelta

from tests.moving import counts, everything, ran, seeded, stored
from tests.unit.test_aggregates import LOGS, MORNING, copies, log, run
from tests.virtual_time import in_virtual_time

from firelift.api.run import RunKind, RunPlan
from firelift.migration.store import Delete, Put, Write
from firelift.stores.memory import MemoryStore

LATER = MORNING + timedelta(days=3)


async def swept_twice() -> tuple[MemoryStore, list[RunPlan], list[dict[str, dict[str, bytes]]]]:
    """Groups that are made, changed, emptied and made again, with what there was in front of each of three runs."""
    store = await seeded(LOGS)
    runs = [run(RunKind.MIGRATE), run(RunKind.SWEEP), run(RunKind.SWEEP, 1)]
    edits: list[list[Write]] = [
        [],
        [Put("logs/late", stored(log("ada", 3, 50))), Put("logs/new", stored(log("eve", 0, 9))), Delete("logs/4")],
        [Put("logs/last", stored(log("ada", 4, 70, weight=60.5))), Put("logs/4", stored(log("bob", 2, 1)))],
    ]
    before = []
    for made, writes in zip(runs, edits, strict=True):
        before.append(copies(store))
        await store.commit(writes) if writes else None
        assert counts(await ran(store, made)).keys() <= {"read", "created", "updated", "deleted", "unchanged"}
    return store, runs, before


async def taken_back(store: MemoryStore, number: int, *subjects: RunPlan) -> None:
    names = tuple(each.id for each in subjects)
    reverted = counts(await ran(store, run(RunKind.REVERT, number, subjects=names)))
    assert "kept" not in reverted, "nobody has touched it"
    checked = counts(await ran(store, run(RunKind.REVERT_VERIFY, number, subjects=names)))
    assert checked.keys() == {"read", "unchanged"}


@in_virtual_time
async def test_each_run_goes_back_alone_the_newest_first() -> None:
    store, runs, before = await swept_twice()
    for number, (made, there) in enumerate(reversed(list(zip(runs, before, strict=True)))):
        await taken_back(store, number, made)
        assert copies(store) == there
    assert copies(store) == {}


@in_virtual_time
async def test_a_run_goes_back_with_those_that_have_gone_back_before_it() -> None:
    store, (moved, swept, again), before = await swept_twice()
    await taken_back(store, 0, again)
    await taken_back(store, 1, swept, again)
    assert copies(store) == before[1]
    await taken_back(store, 2, moved, swept, again)
    assert copies(store) == {}


@in_virtual_time
async def test_a_sweep_behind_one_that_was_taken_back_computes_the_same_groups_and_goes_back_too() -> None:
    store, (moved, swept, again), _ = await swept_twice()
    whole = copies(store)
    await taken_back(store, 0, again)
    await taken_back(store, 1, swept)
    once_more = run(RunKind.SWEEP, 2)
    assert counts(await ran(store, once_more)) == {"read": 5, "created": 1, "updated": 2, "unchanged": 2}
    assert copies(store) == whole
    await taken_back(store, 2, moved, once_more)
    assert {path for path in everything(store) if "daily_stats" in path} == set()
