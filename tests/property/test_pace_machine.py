"""Operators that die between any two writes, and workers that look rarely: the real ones never pass one budget.

The budget, the controls and the leases are the real code on a database in memory; a worker is its real `Watch`, with a
clock of its own that began anywhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.rollout_specs import migrate, phase, spec
from tests.rollout_world import START
from tests.simple_work import plan

from firelift.api.run import RunControl, RunKind, RunState, Totals
from firelift.migration.budget import START as FIRST_RATE
from firelift.migration.budget_leases import SECOND, Lease
from firelift.migration.errors import Conflict, MigrationError, UnknownOutcome
from firelift.migration.ledger import budgets
from firelift.migration.ledger.runs import RunDocument, RunStore
from firelift.migration.store import Write
from firelift.migration.watch import Watch
from firelift.operator.pace import ensure, give_back
from firelift.rollout.observation import LedgerSeen, Observation, Rollout, RunSeen
from firelift.stores.memory import MemoryStore

T = TypeVar("T")

LEASE, WORKERS, FAIR_WITHIN = 30, 2, 8
ROUNDING = 1e-3


@dataclass
class OneLook:
    """A worker's clock: the database's time from anywhere on. Its watch ends after one look."""

    store: MemoryStore
    offset: float

    def seconds(self) -> float:
        return self.store.now / SECOND + self.offset

    def date(self) -> datetime:
        return START

    async def sleep(self, _: float) -> None:
        raise asyncio.CancelledError


@dataclass
class Operator:
    """One rollout, its operator's memory, and the workers of its run."""

    store: MemoryStore
    name: str
    cap: int
    epoch: int = 1
    run: int = 0
    lease: Lease | None = None
    halted: dict[str, RunDocument] = field(default_factory=dict)
    complete: set[str] = field(default_factory=set)
    totals: Totals = field(default_factory=Totals)
    entries: int = 0
    workers: list[Watch] = field(default_factory=list)
    idle: bool = True

    @property
    def id(self) -> str:
        return f"a1.r{self.run}"

    @property
    def rollout(self) -> Rollout:
        pace, worker = {"maxWritesPerSecond": self.cap}, {"parallelism": WORKERS}
        return Rollout("shop", self.name, self.name, 1, spec(phase("one", migrate(100)), pace=pace, worker=worker))

    def seen(self) -> Observation:
        own = RunSeen(self.id, exists=True, totals=self.totals, entries=self.entries, complete=self.id in self.complete)
        runs = {run: RunSeen(run, exists=True, complete=True) for run in self.complete} | {self.id: own}
        return Observation(now=START, ledger=LedgerSeen(), runs=runs)

    async def turn(self, state: RunState = RunState.RUN) -> None:
        control = RunControl(state=state, epoch=self.epoch, lease_seconds=LEASE)
        made = plan(self.id, ledger=self.rollout.ledger_id, kind=RunKind.MIGRATE, workers=WORKERS)
        agreed = await ensure(self.store, self.rollout, made, self.seen(), control)
        if agreed.lease is not None:
            self.lease, self.halted = agreed.lease, {}
        else:
            self.halted = {self.id: agreed.held}
        await self.leaves()

    async def leaves(self) -> None:
        nothing = self.id in self.complete or self.halted
        if nothing and self.lease is not None and await give_back(self.store, self.lease, self.seen(), self.halted):
            self.lease = None

    def start_workers(self, offset: float) -> None:
        self.workers = [self.worker(offset * number) for number in range(WORKERS)]

    def worker(self, offset: float) -> Watch:
        return Watch(RunStore(self.store, self.rollout.ledger_id), self.id, OneLook(self.store, offset))

    async def look(self, numbers: Sequence[int]) -> None:
        """A worker that has to leave is followed by the next one of its Job."""
        for number in numbers:
            try:
                await self.workers[number].watch()
            except asyncio.CancelledError:
                continue
            except MigrationError:
                self.workers[number] = self.worker(number)

    async def spends(self) -> float:
        """Writes per second that its workers may begin now."""
        return sum([await self._spends(worker) for worker in self.workers])

    async def _spends(self, worker: Watch) -> float:
        permit = asyncio.ensure_future(worker.permit())
        await asyncio.sleep(0)
        may = permit.done() and permit.exception() is None
        permit.cancel()
        await asyncio.gather(permit, return_exceptions=True)
        return worker.allowance(self.rollout.spec.pace, WORKERS).rate if may else 0.0


rollouts = st.sampled_from("ababc")
caps = st.sampled_from([50, 500, 500, 2000])
looking = st.sampled_from([(), (0,), (1,), (0, 1)])


class RealPace(RuleBasedStateMachine):
    """Three rollouts on one database, each with an operator of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.store = MemoryStore()
        self.late: list[Sequence[Write]] = []
        self.bound, self.fell = FIRST_RATE, 0
        self.all: dict[str, Operator] = {}

    @initialize(drawn=st.tuples(caps, caps, caps), offset=st.floats(-1e6, 1e6))
    def begin(self, drawn: tuple[int, int, int], offset: float) -> None:
        """The first one is at work already."""
        for name, cap in zip("abc", drawn, strict=True):
            self.all[name] = Operator(self.store, name, cap)
            self.all[name].start_workers(offset)
        self.do(self.turn(self.all["a"], (0, 1)))
        self.bound = self.effective()

    @rule(who=rollouts, looks=looking)
    def a_turn(self, who: str, looks: Sequence[int]) -> None:
        self.do(self.turn(self.all[who], looks))

    @rule(who=rollouts, dies=st.integers(0, 3), how=st.sampled_from(["before", "after", "late"]), looks=looking)
    def an_operator_dies_at_a_write(self, who: str, dies: int, how: str, looks: Sequence[int]) -> None:
        """What it has written may be there, not there, or come later; the next one leads."""
        one, left = self.all[who], [dies]

        async def before(writes: Sequence[Write]) -> None:
            left[0] -= 1
            if left[0] < 0 and how != "after":
                if how == "late" and left[0] == -1:
                    self.late.append(writes)
                raise UnknownOutcome("UNAVAILABLE", "gone")

        async def after(*_: object) -> None:
            if left[0] < 0 and how == "after":
                raise UnknownOutcome("UNAVAILABLE", "gone")

        self.store.faults.before_commit, self.store.faults.after_commit = before, after
        self.do(self.turn(one, looks))
        self.store.faults.before_commit = self.store.faults.after_commit = None
        one.epoch, one.lease, one.halted = one.epoch + 1, None, {}

    @rule()
    @precondition(lambda self: self.late)
    def what_was_on_its_way_comes(self) -> None:
        with suppress(Conflict):
            self.do(self.store.commit(self.late.pop(0)))

    @rule(who=rollouts, looks=looking)
    def workers_look(self, who: str, looks: Sequence[int]) -> None:
        self.do(self.all[who].look(looks))

    @rule(who=rollouts)
    def somebody_suspends_it(self, who: str) -> None:
        self.all[who].idle = True
        self.do(self.turn(self.all[who], (), RunState.HOLD))

    @rule(who=rollouts)
    def a_run_completes_and_the_next_one_begins(self, who: str) -> None:
        one = self.all[who]
        one.complete.add(one.id)
        one.start_workers(0)
        self.do(one.leaves())
        one.run, one.totals, one.entries, one.idle = one.run + 1, Totals(), 0, True
        one.start_workers(1)

    @rule(who=rollouts, pressured=st.integers(0, 20))
    def commits_are_answered(self, who: str, pressured: int) -> None:
        one = self.all[who]
        one.entries += 100
        one.totals = one.totals.model_copy(update={"pressured": one.totals.pressured + pressured})

    @rule(who=rollouts, cap=caps)
    def somebody_edits_a_cap(self, who: str, cap: int) -> None:
        self.all[who].cap = cap

    @rule(seconds=st.sampled_from([0.3, 1, 1.9, 2.1, 3.1, 14, 16, 29, 31, 301]))
    def time_passes(self, seconds: float) -> None:
        """Slowly, so that what changes within it is seen."""
        end = self.store.now + int(seconds * SECOND)
        while self.store.now < end:
            self.store.now = min(end, self.store.now + SECOND)
            self.note()

    @rule(who=st.sets(rollouts, min_size=1))
    def in_good_times_each_has_its_part_within_seconds(self, who: set[str]) -> None:
        """Whoever was there before has turns, and dead ones have been forgotten; then somebody joins."""
        working = {name for name, one in self.all.items() if not one.idle}
        self.seconds(working, LEASE + FAIR_WITHIN + 2)
        self.seconds(working | who, FAIR_WITHIN)
        for name in working | who:
            lease = self.lease(name)
            assert lease is not None
            assert lease.share >= 0.9 * min(lease.cap, self.effective() / len(working | who)), "nobody starves"

    @invariant()
    def workers_together_stay_within_the_budget(self) -> None:
        self.note()
        spent = self.do(self.spent())
        assert spent <= self.bound + ROUNDING

    def note(self) -> None:
        """The budget may have fallen, and shares that were granted before that last as long as their leases."""
        now = self.effective()
        if now < self.bound and not self.fell:
            self.fell = self.store.now
        if now >= self.bound or self.store.now >= self.fell + LEASE * SECOND:
            self.bound, self.fell = now, 0

    def seconds(self, who: set[str], count: int) -> None:
        for _ in range(count):
            for name in sorted(who):
                self.do(self.turn(self.all[name], (0, 1)))
            self.workers_together_stay_within_the_budget()
            self.time_passes(1)

    def effective(self) -> float:
        """What all may spend together, granted now or not yet: the highest cap of those with a lease bounds it."""
        return self.do(budgets.read(self.store)).budget.effective(self.store.now)

    def lease(self, name: str) -> Lease | None:
        return self.do(budgets.read(self.store)).budget.lease(self.all[name].rollout.ledger_id)

    async def spent(self) -> float:
        return sum([await one.spends() for one in self.all.values()])

    async def turn(self, one: Operator, looks: Sequence[int], state: RunState = RunState.RUN) -> None:
        one.idle = state is not RunState.RUN
        with suppress(MigrationError):
            await one.turn(state)
        await one.look(looks)

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def teardown(self) -> None:
        self.runner.close()


RealPace.TestCase.settings = settings(max_examples=20, stateful_step_count=20, deadline=None)
TestRealPace = RealPace.TestCase

moves = st.lists(st.tuples(st.sampled_from("ab"), looking, st.sampled_from([0.1, 0.6, 1.2])), min_size=4, max_size=10)


@given(moves=moves)
@settings(max_examples=150, deadline=None)
def test_a_share_that_changes_hands_is_never_spent_twice(moves: list[tuple[str, Sequence[int], float]]) -> None:
    scene = RealPace()
    scene.begin((500, 500, 500), 1000.0)
    for who, looks, pause in moves:
        scene.do(scene.turn(scene.all[who], looks))
        scene.workers_together_stay_within_the_budget()
        scene.time_passes(pause)
    scene.teardown()
