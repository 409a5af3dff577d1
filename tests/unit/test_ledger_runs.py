"""Run documents: made once, controlled by the newest leader, kept fresh without needless writes."""

import pytest
from tests.simple_work import LEDGER, plan

from firelift.api.run import RunControl, RunState
from firelift.migration.errors import LedgerBroken, StaleEpoch
from firelift.migration.ledger import paths
from firelift.migration.ledger.runs import RunStore
from firelift.stores.memory import MemoryStore

RUN = RunControl(state=RunState.RUN, epoch=3, lease_seconds=30)
HOLD = RunControl(state=RunState.HOLD, epoch=3, lease_seconds=30)


def versions(store: MemoryStore) -> int:
    return len(store.history(paths.run(LEDGER, "r1")))


def later(store: MemoryStore, seconds: float) -> None:
    store.now += int(seconds * 1_000_000)


async def test_a_run_is_read_as_it_was_made() -> None:
    store = MemoryStore()
    runs = RunStore(store, LEDGER)
    made = await runs.ensure(plan("r1"), RUN)
    assert (made.plan, made.control) == (plan("r1"), RUN)
    found = await runs.read(["r1", "r2"])
    assert found["r1"] is not None
    assert (found["r1"].plan, found["r1"].control, found["r2"]) == (plan("r1"), RUN, None)
    assert await runs.plan("r1") == plan("r1")
    assert (await runs.control("r1")).control == RUN


async def test_the_plan_of_a_run_that_exists_stays() -> None:
    store = MemoryStore()
    runs = RunStore(store, LEDGER)
    await runs.ensure(plan("r1"), RUN)
    again = await runs.ensure(plan("r1", seed="another"), HOLD)
    assert (again.plan.seed, again.control) == ("seed", HOLD)


@pytest.mark.parametrize(
    ("control", "seconds", "written"),
    [
        (RUN, 1, False),
        (RUN, 14.9, False),
        (RUN, 15.1, True),
        (HOLD, 1, True),
        (RUN.model_copy(update={"epoch": 4}), 1, True),
        (RUN.model_copy(update={"lease_seconds": 60}), 1, True),
    ],
)
async def test_a_run_is_written_when_its_control_differs_or_half_of_its_lease_is_gone(
    control: RunControl, seconds: float, written: object
) -> None:
    store = MemoryStore()
    runs = RunStore(store, LEDGER)
    await runs.ensure(plan("r1"), RUN)
    later(store, seconds)
    await runs.ensure(plan("r1"), control)
    assert versions(store) == 1 + bool(written)
    assert (await runs.control("r1")).control == control


async def test_a_run_on_hold_needs_no_fresh_lease() -> None:
    store = MemoryStore()
    await RunStore(store, LEDGER).ensure(plan("r1"), HOLD)
    later(store, 1000)
    await RunStore(store, LEDGER).ensure(plan("r1"), HOLD)
    assert versions(store) == 1


async def test_a_former_leader_writes_nothing() -> None:
    store = MemoryStore()
    runs = RunStore(store, LEDGER)
    await runs.ensure(plan("r1"), RUN)
    with pytest.raises(StaleEpoch, match="epoch 3, and this one has 2"):
        await runs.ensure(plan("r1"), HOLD.model_copy(update={"epoch": 2}))
    assert versions(store) == 1


async def test_a_leader_that_is_overtaken_between_read_and_write_writes_nothing() -> None:
    store = MemoryStore()
    runs = RunStore(store, LEDGER)
    await runs.ensure(plan("r1"), RUN)
    overtaken = False

    async def overtake(_: object) -> None:
        nonlocal overtaken
        if not overtaken:
            overtaken = True
            await runs.ensure(plan("r1"), RUN.model_copy(update={"epoch": 9}))

    store.faults.before_commit = overtake
    with pytest.raises(StaleEpoch, match="epoch 9"):
        await runs.ensure(plan("r1"), HOLD)
    assert (await runs.control("r1")).control.state is RunState.RUN


async def test_a_renewed_lease_counts_from_the_servers_time() -> None:
    store = MemoryStore()
    runs = RunStore(store, LEDGER)
    await runs.ensure(plan("r1"), RUN)
    later(store, 29)
    assert 0.9 < (await runs.control("r1")).lease_left < 1
    await runs.ensure(plan("r1"), RUN)
    assert 29 < (await runs.control("r1")).lease_left < 30
    later(store, 31)
    assert (await runs.control("r1")).lease_left < 0


@pytest.mark.parametrize("ask", ["plan", "control"])
async def test_a_run_that_does_not_exist_is_named(ask: str) -> None:
    with pytest.raises(LedgerBroken, match=r"r7"):
        await getattr(RunStore(MemoryStore(), LEDGER), ask)("r7")
