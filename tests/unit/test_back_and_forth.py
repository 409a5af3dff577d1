"""Forward, back, forward and back again: each time the data is as it was, and what the app wrote meanwhile stays."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.moving import IN_PLACE, LEDGER, counts, everything, migration, plan, ran, seeded, seen, stored
from tests.virtual_time import VirtualClock, in_virtual_time

from firelift.api.migration import MigrationSpec
from firelift.api.run import RunControl, RunKind, RunPlan, RunState, VerifyPlan
from firelift.migration.errors import RunStopped
from firelift.migration.ledger.progress import EXAMPLES, Progress, RunProgress
from firelift.migration.ledger.runs import RunStore
from firelift.migration.processors.build import build
from firelift.migration.store import Create, Update
from firelift.migration.tail import MAX_EXAMPLE
from firelift.migration.worker import Share, work
from firelift.stores.memory import MemoryStore

MANY = {f"fitness_logs/{number:05d}": {"userId": f"u{number % 7}", "n": number} for number in range(2_100)}


def back(spec: MigrationSpec, number: int, *subjects: str, **changes: Any) -> RunPlan:
    return plan(RunKind.REVERT, spec, number, subjects=subjects, **changes)


@in_virtual_time
async def test_a_later_attempt_is_taken_back_as_wholly_as_the_first() -> None:
    for spec in (migration(), migration(IN_PLACE)):
        store = await seeded({"fitness_logs/1": {"userId": "ada"}, "tasks/1": {"name": "walk", "n": 1}})
        before = everything(store)
        for number in range(3):
            forward = plan(RunKind.MIGRATE, spec, number)
            assert (await ran(store, forward)).totals.written == 1
            assert (await ran(store, back(spec, number, forward.id))).totals.written == 1
            assert everything(store) == before


@in_virtual_time
async def test_what_the_app_has_made_since_in_the_new_shape_stays_and_is_no_mismatch_of_the_revert() -> None:
    store = await seeded({"fitness_logs/1": {"userId": "ada"}})
    await ran(store, plan(RunKind.MIGRATE, migration()))
    await store.commit([Create("users/ada/fitness_logs/new", stored({"userId": "ada", "n": 2}))])
    assert counts(await ran(store, back(migration(), 0, "migrate.0"))) == {"read": 1, "deleted": 1}
    checked = await ran(store, plan(RunKind.REVERT_VERIFY, migration(), subjects=("migrate.0",)))
    assert checked.totals.mismatches == 0
    assert await seen(store, "users/ada/fitness_logs/new") == {"userId": "ada", "n": 2}


@in_virtual_time
async def test_a_revert_whose_pods_die_half_way_goes_on_index_by_index() -> None:
    store = await seeded(MANY)
    before = everything(store)
    forward = plan(RunKind.MIGRATE, migration(), workers=1, indexes=2)
    taken = back(migration(), 0, forward.id, workers=1, indexes=4)
    await led(store, forward)
    await begun(store, taken)
    leave = asyncio.Event()
    leaving = asyncio.get_running_loop().call_later(0.05, leave.set)
    for index in (0, 2):
        try:
            await work(store, Share(LEDGER, taken.id, index, 4), build, leave=leave, clock=VirtualClock())
        except RunStopped:
            continue
    leaving.cancel()
    halfway = await Progress(store, LEDGER, taken.id).update()
    assert not halfway.complete
    done = await led(store, taken)
    assert done.complete
    assert done.totals.deleted == len(MANY)
    assert everything(store) == before


@in_virtual_time
async def test_of_many_differences_the_ledger_keeps_a_few_short_examples() -> None:
    store = await seeded(MANY)
    await led(store, plan(RunKind.MIGRATE, migration()))
    for path, fields in list(MANY.items())[:200]:
        copy = Update(f"users/{fields['userId']}/{path}", stored({"n": "x" * 5_000}), [("n",)], None)
        await store.commit([copy])
    verify = plan(RunKind.VERIFY, migration(), subjects=("migrate.0",), verify=VerifyPlan(recheck_seconds=0))
    found = await led(store, verify)
    assert found.totals.different == 200
    assert 0 < len(found.examples) <= EXAMPLES
    assert all(len(example) <= MAX_EXAMPLE for example in found.examples)


async def begun(store: MemoryStore, made: RunPlan) -> None:
    control = RunControl(state=RunState.RUN, epoch=1, lease_seconds=1_000_000)
    await RunStore(store, LEDGER).ensure(made, control)


async def led(store: MemoryStore, made: RunPlan) -> RunProgress:
    """The run from its document to its end, one index after the other."""
    await begun(store, made)
    for index in range(made.shares):
        await work(store, Share(LEDGER, made.id, index, made.shares), build, clock=VirtualClock())
    return await Progress(store, LEDGER, made.id).update()
