"""A share changes hands within seconds, and nobody spends a part of it that somebody else has."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from tests.rollout_specs import migrate, phase, spec
from tests.rollout_world import START
from tests.simple_work import plan

from firelift.api.run import RunControl, RunKind, RunState
from firelift.migration.budget_leases import HEARD, SECOND, Lease
from firelift.migration.ledger import budgets, paths
from firelift.migration.ledger.runs import RunDocument, RunStore
from firelift.operator.pace import ensure, give_back
from firelift.rollout.observation import LedgerSeen, Observation, Rollout, RunSeen
from firelift.stores.memory import MemoryStore


@dataclass
class Operator:
    """One rollout's turns, once a second."""

    store: MemoryStore
    name: str
    kind: RunKind = RunKind.MIGRATE
    epoch: int = 1
    held: RunDocument | None = None
    lease: Lease | None = None
    complete: set[str] = field(default_factory=set)
    run: int = 1

    def __post_init__(self) -> None:
        self.rollout = Rollout("shop", self.name, f"uid-{self.name}", 1, spec(phase("one", migrate(100))))

    @property
    def id(self) -> str:
        return f"a1.r{self.run}"

    async def turn(self, state: RunState = RunState.RUN) -> float:
        control = RunControl(state=state, epoch=self.epoch, lease_seconds=30)
        made = plan(self.id, ledger=self.rollout.ledger_id, kind=self.kind)
        agreed = await ensure(self.store, self.rollout, made, self.seen(), control)
        self.held, self.lease = agreed.held, agreed.lease or self.lease
        return agreed.lease.share if agreed.lease else 0.0

    async def leaves(self, halted: Mapping[str, RunDocument]) -> bool:
        assert self.lease is not None
        return await give_back(self.store, self.lease, self.seen(), halted)

    def seen(self) -> Observation:
        runs = {run: RunSeen(run, exists=True, complete=run in self.complete) for run in {self.id, *self.complete}}
        return Observation(now=START, ledger=LedgerSeen(), runs=runs)


async def seconds_until(newcomer: Operator, share: float, others: list[Operator]) -> int:
    """How many seconds of turns, each a second apart, it takes until a newcomer has this share."""
    for second in range(60):
        for other in others:
            await other.turn()
        if await newcomer.turn() >= share:
            return second
        spendable = [
            lease.spendable(newcomer.store.now) for lease in (await budgets.read(newcomer.store)).budget.leases
        ]
        assert sum(spendable) <= 500
        newcomer.store.now += SECOND
    raise AssertionError("it never got its share")


@pytest.mark.parametrize(("kinds", "share"), [("m", 250), ("mm", 166), ("mv", 200), ("mmm", 125)])
async def test_a_new_rollout_has_its_fair_share_within_six_seconds(kinds: str, share: float) -> None:
    store = MemoryStore()
    of = {"m": RunKind.MIGRATE, "v": RunKind.VERIFY}
    others = [Operator(store, f"o{number}", of[kind]) for number, kind in enumerate(kinds)]
    for _ in range(60):
        for other in others:
            await other.turn()
        store.now += SECOND
    assert await seconds_until(Operator(store, "new"), share, others) <= 6


async def test_a_share_is_only_free_when_no_worker_can_spend_by_the_control_that_it_was_in() -> None:
    store = MemoryStore()
    one, other = Operator(store, "one"), Operator(store, "other")
    assert (await one.turn(), await other.turn(), await one.turn()) == (500, 0, 250)
    assert one.held is not None
    store.now = one.held.seen.update_time + HEARD - 50
    assert await other.turn() == 0
    store.now += 100
    assert await other.turn() == 250


async def test_a_control_that_was_not_changed_yet_frees_nothing() -> None:
    store = MemoryStore()
    one, other = Operator(store, "one"), Operator(store, "other")
    assert (await one.turn(), await other.turn()) == (500, 0)
    before = one.held

    async def away(writes: object) -> None:
        if any(write.path == paths.run(one.rollout.ledger_id, one.id) for write in writes):  # type: ignore[attr-defined]
            raise ConnectionError("the operator is killed")

    store.faults.before_commit = away
    with pytest.raises(ConnectionError):
        await one.turn()
    store.faults.before_commit = None
    assert before is not None
    await budgets.heard(store, before)
    store.now += HEARD * 2
    assert await other.turn() == 0
    store.now += 30 * SECOND
    assert await other.turn() == 500


async def test_what_a_complete_run_had_is_free_at_once() -> None:
    store = MemoryStore()
    one, other = Operator(store, "one"), Operator(store, "other")
    assert (await one.turn(), await other.turn()) == (500, 0)
    one.complete.add(one.id)
    assert await one.leaves({})
    assert await other.turn() == 500


async def test_a_next_run_that_wants_less_leaves_what_the_complete_one_had() -> None:
    store = MemoryStore()
    one, other = Operator(store, "one"), Operator(store, "other")
    assert (await one.turn(), await other.turn()) == (500, 0)
    one.complete.add(one.id)
    one.run, one.kind = 2, RunKind.VERIFY
    assert (await one.turn(), await other.turn()) == (100, 400)


@pytest.mark.parametrize("state", [RunState.HOLD, RunState.STOP])
async def test_a_run_that_is_halted_gives_its_share_back_when_all_have_heard_of_it(state: RunState) -> None:
    store = MemoryStore()
    one, other = Operator(store, "one"), Operator(store, "other")
    assert (await one.turn(), await other.turn()) == (500, 0)
    await one.turn(state)
    assert one.held is not None
    assert await one.leaves({one.id: one.held})
    assert await other.turn() == 0
    store.now += HEARD
    assert await other.turn() == 500
    if state is RunState.HOLD:
        assert await seconds_until(one, 250, [other]) <= 6


async def test_of_any_other_run_the_share_runs_out() -> None:
    store = MemoryStore()
    one, other = Operator(store, "one"), Operator(store, "other")
    assert (await one.turn(), await other.turn()) == (500, 0)
    assert not await one.leaves({})
    await RunStore(store, one.rollout.ledger_id).ensure(
        plan(one.id, ledger=one.rollout.ledger_id), RunControl(state=RunState.HOLD, epoch=2)
    )
    store.now += HEARD * 2
    assert await other.turn() == 0
    store.now += 30 * SECOND
    assert await other.turn() == 500
