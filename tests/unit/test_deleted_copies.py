"""A copy that the app has deleted stays deleted, and one that was never made is not taken for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from tests.moving import counts, migration, plan, ran, seeded, seen, stored
from tests.virtual_time import in_virtual_time

from firelift.api.cohort import Selection
from firelift.api.run import RunKind, RunPlan, VerifyPlan
from firelift.api.steps.verify import Authority
from firelift.migration.store import Create, Delete, Update, Write
from firelift.stores.memory import MemoryStore

COUNT = 30
TARGET = "users/u/fitness_logs/07"
SWITCHED = VerifyPlan(authority=Authority.TARGET)


async def moved(**changes: Any) -> MemoryStore:
    store = await seeded({f"fitness_logs/{number:02d}": {"userId": "u", "n": number} for number in range(COUNT)})
    await ran(store, plan(RunKind.MIGRATE, migration(), **changes))
    return store


def sweep(number: int = 0, **changes: Any) -> RunPlan:
    return plan(RunKind.SWEEP, migration(), number, **changes)


def verify(number: int = 0, **changes: Any) -> RunPlan:
    return plan(RunKind.VERIFY, migration(), number, verify=SWITCHED, subjects=("migrate.0",), **changes)


@in_virtual_time
async def test_a_copy_that_the_app_deleted_is_not_made_again_and_no_mismatch_once_reads_have_switched() -> None:
    store = await moved()
    store.apply([Delete(TARGET)])
    for number in range(2):
        assert counts(await ran(store, sweep(number))) == {"read": COUNT, "unchanged": COUNT - 1, "skipped": 1}
    assert await seen(store, TARGET) is None
    assert counts(await ran(store, verify())) == {"read": COUNT, "unchanged": COUNT - 1, "skipped": 1}


@in_virtual_time
async def test_while_the_source_is_read_a_copy_that_is_gone_is_missing() -> None:
    store = await moved()
    store.apply([Delete(TARGET)])
    made = plan(RunKind.VERIFY, migration(), subjects=("migrate.0",))
    assert counts(await ran(store, made)) == {"read": COUNT, "unchanged": COUNT - 1, "missing": 1}


@in_virtual_time
async def test_a_copy_that_a_sweep_had_made_stays_deleted_too() -> None:
    store = await moved()
    late = "users/u/fitness_logs/late"
    store.apply([Create("fitness_logs/late", stored({"userId": "u"}))])
    assert counts(await ran(store, sweep()))["created"] == 1
    store.apply([Delete(late)])
    assert counts(await ran(store, sweep(1)))["skipped"] == 1
    assert await seen(store, late) is None


@pytest.mark.parametrize(
    "app",
    [
        [Create("fitness_logs/late", stored({"userId": "u"}))],
        [Update("fitness_logs/07", stored({"userId": "v"}), [("userId",)], None)],
        [Delete(TARGET), Delete("fitness_logs/07"), Create("fitness_logs/07", stored({"userId": "u"}))],
    ],
    ids=["a late-comer", "a source that belongs elsewhere now", "a source that was made anew"],
)
@in_virtual_time
async def test_what_was_never_made_is_made_by_a_sweep_and_missing_without_one(app: Sequence[Write]) -> None:
    store = await moved()
    for write in app:
        store.apply([write])
    assert counts(await ran(store, verify()))["missing"] == 1
    assert counts(await ran(store, sweep()))["created"] == 1
    assert "missing" not in counts(await ran(store, verify(1)))


@in_virtual_time
async def test_what_the_cohort_of_another_run_had_is_remembered_and_what_a_revert_took_back_is_not() -> None:
    store = await moved(selection=Selection(ids=("u",)))
    store.apply([Delete(TARGET)])
    assert counts(await ran(store, sweep()))["skipped"] == 1
    await ran(store, plan(RunKind.REVERT, migration(), subjects=("migrate.0",)))
    assert counts(await ran(store, sweep(1))) == {"read": COUNT, "created": COUNT}


@in_virtual_time
async def test_late_comers_cost_no_look_into_what_ran_before_them() -> None:
    store = await moved()
    late = [Create(f"fitness_logs/late{number:03d}", stored({"userId": "u"})) for number in range(200)]
    store.apply(late)
    reads = 0

    async def counted(_: str) -> None:
        nonlocal reads
        reads += 1

    store.faults.before_read = counted
    assert counts(await ran(store, sweep()))["created"] == len(late)
    few = reads
    store.apply([Delete(write.path.replace("fitness_logs", "users/u/fitness_logs")) for write in late])
    reads = 0
    assert counts(await ran(store, sweep(1)))["skipped"] == len(late)
    assert few < 200
    assert reads < 400
