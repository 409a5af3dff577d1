"""An index that is being built is waited for: it costs no retry, no failure and no deadline, and all can see it."""

from __future__ import annotations

from tests.rollout_specs import migrate, phase
from tests.rollout_world import START, world
from tests.simple_work import LEDGER, SOURCE, begin, build, plan, seed
from tests.virtual_time import VirtualClock, in_virtual_time

from firelift.migration.errors import IndexNotReady
from firelift.migration.index_wait import INDEX_SECONDS
from firelift.migration.ledger import paths
from firelift.migration.ledger.failures import (
    FRESH,
    Said,
    clear_failure,
    read_said,
    write_failure,
    write_pressed,
    write_waiting,
)
from firelift.migration.ledger.progress import Progress
from firelift.migration.worker import Share, work
from firelift.stores.memory import MemoryStore

LINK = "https://console.firebase.google.com/v1/r/project/shop/firestore/indexes?create_composite=Ck9wcm9q"
BUILDING = f"The query requires an index. That index is currently building. See its status here: {LINK}"
WAITS = f"waiting for an index, and asking again every 30 s: {BUILDING}"


@in_virtual_time
async def test_a_worker_waits_until_the_index_is_ready_and_then_does_all_of_its_work() -> None:
    store, clock = MemoryStore(), VirtualClock()
    await seed(store, {f"{SOURCE}/d{number}": {"n": number} for number in range(10)})
    made = await begin(store, plan("r1"))
    said, refused = set(), []

    async def not_ready(call: str) -> None:
        if call == "page" and clock.seconds() < 600:
            refused.append(clock.seconds())
            raise IndexNotReady("FAILED_PRECONDITION", BUILDING)
        if call == "page":
            said.add((await read_said(store, [paths.failure(LEDGER, "r1", 0)])).waiting)

    store.faults.before_read = not_ready
    await work(store, Share(LEDGER, "r1", 0, 1), build(), clock=clock)
    store.faults.before_read = None
    progress = await Progress(store, LEDGER, made.id).update()
    assert (progress.complete, progress.totals.updated, progress.totals.retries) == (True, 10, 0)
    assert 600 / INDEX_SECONDS - 1 <= len(refused) <= 600 / INDEX_SECONDS + 1
    assert said == {WAITS}
    assert progress.said.failure == ""


async def test_who_has_not_said_so_for_long_does_not_wait_any_more() -> None:
    store = MemoryStore()
    place = [paths.failure(LEDGER, "r1", 0)]
    await write_waiting(store, LEDGER, "r1", 0, WAITS)
    first = store.now
    store.now += FRESH - 1_000_000
    await write_waiting(store, LEDGER, "r1", 0, WAITS)
    said = await read_said(store, place)
    assert (said.waiting, said.failure) == (WAITS, "")
    assert said.since <= first + 1_000_000
    store.now += FRESH
    assert not (await read_said(store, place)).waiting


async def test_who_is_only_asked_to_slow_down_hides_neither_a_failure_nor_what_others_wait_for() -> None:
    store = MemoryStore()
    places = [paths.failure(LEDGER, "r1", index) for index in range(2)]
    await write_pressed(store, LEDGER, "r1", 0, "nothing has landed for 12 s")
    pressed = store.now
    assert await read_said(store, places) == Said(pressed=pressed)
    await write_failure(store, LEDGER, "r1", 1, "PERMISSION_DENIED")
    assert await read_said(store, places) == Said(failure="PERMISSION_DENIED", pressed=pressed)
    store.now += FRESH
    assert await read_said(store, places) == Said(failure="PERMISSION_DENIED")
    await clear_failure(store, LEDGER, "r1", 1)
    assert await read_said(store, places) == Said()


def test_a_rollout_that_waits_for_an_index_says_for_which_and_does_not_fail_for_it() -> None:
    one = world(phase("a", migrate(1)), progressDeadlineSeconds=120)
    one.until("Migrating")
    (run,) = one.runs.values()
    run.waiting = WAITS
    for _ in range(60):
        one.pass_time(20)
        one.turn()
    assert one.reason == "WaitingForIndex"
    assert BUILDING in one.message
    assert one.status is not None
    assert one.status.waiting_for is not None
    assert (one.status.waiting_for.name, one.status.waiting_for.since) == (f"index {LINK}", START)
    run.waiting = ""
    one.until("Completed")


def test_a_run_that_waits_for_no_index_any_more_and_does_not_move_is_paused() -> None:
    one = world(phase("a", migrate(1)), progressDeadlineSeconds=120)
    one.until("Migrating")
    (run,) = one.runs.values()
    run.waiting = WAITS
    for _ in range(20):
        one.pass_time(20)
        one.turn()
    run.waiting = ""
    for _ in range(9):
        one.pass_time(20)
        one.turn()
    assert one.reason == "NoProgress"
