"""However rollouts come, go, restart and are pressed: together they stay within one budget that grows as it may."""

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from firelift.migration.budget import GROWTH, START, STEP, Budget, Claim, allot, due
from firelift.migration.budget_leases import SECOND, Lease
from firelift.migration.pressure import Work

NOON = 1_800_000_000 * SECOND
LEASE = 30
ROUNDING = 1e-6


@dataclass
class Rollout:
    """What one operator knows, what it has written into its run's control, and what its workers have read of that."""

    name: str
    cap: float
    epoch: int = 1
    run: int = 0
    work: Work = field(default_factory=Work)
    control: tuple[float, int] = (0.0, 0)
    view: tuple[float, int] = (0.0, 0)

    def spends(self, now: int) -> float:
        """Writes per second of its workers, who go by what they have read until it has run out."""
        share, until = self.view
        return share if now < until else 0.0

    def claim(self) -> Claim:
        return Claim(
            ledger=self.name,
            name=self.name,
            run=f"r{self.run}",
            epoch=self.epoch,
            cap=self.cap,
            want=self.cap,
            lease_seconds=LEASE,
            work=self.work,
        )


rollouts = st.sampled_from("abc")
caps = st.sampled_from([1.0, 50.0, 200.0, 500.0, 2_000.0, 10_000.0])


class OneBudget(RuleBasedStateMachine):
    """Three rollouts on one database, each with an operator of its own that comes and goes."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.budget = Budget()
        self.rose = NOON - STEP
        self.fell = NOON - LEASE * SECOND
        self.highest = START

    @initialize(drawn=st.tuples(caps, caps, caps))
    def begin(self, drawn: tuple[float, float, float]) -> None:
        self.rollouts = {name: Rollout(name, cap) for name, cap in zip("abc", drawn, strict=True)}
        self.highest = max(START, *drawn)

    @rule(who=rollouts, written=st.booleans(), heard=st.booleans())
    def a_turn(self, who: str, written: bool, heard: bool) -> None:  # noqa: FBT001 - drawn by Hypothesis
        """Ask; the operator may die before it has written the control, and workers may not have read it yet."""
        one = self.rollouts[who]
        before, spendable = self.budget, self._spendable()
        after = allot(before, one.claim(), self.now)
        if due(before, after, who, self.now):
            self._changed(before, after, spendable)
        if written:
            lease = self._lease(who)
            one.control = (lease.share, lease.expires)
        if heard:
            one.view = one.control

    @rule(who=rollouts)
    def workers_look_at_their_control(self, who: str) -> None:
        self.rollouts[who].view = self.rollouts[who].control

    @rule(part=st.sampled_from([0.3, 0.9, 1.0]), minutes=st.integers(1, 12))
    def they_work_and_turn_for_some_minutes(self, part: float, minutes: int) -> None:
        for _ in range(minutes * 4):
            for who, one in self.rollouts.items():
                spent = int(one.spends(self.now) * 15 * part)
                one.work = one.work.model_copy(
                    update={"written": one.work.written + spent, "commits": one.work.commits + spent // 100}
                )
                self.a_turn(who, written=True, heard=True)
            self.time_passes(15)

    @rule(who=rollouts, commits=st.integers(0, 300), pressured=st.integers(0, 20), latency=st.integers(0, 500))
    def commits_are_answered(self, who: str, commits: int, pressured: int, latency: int) -> None:
        one = self.rollouts[who]
        latencies = ((self.now, latency),) * min(commits, 30) if latency else ()
        one.work = one.work.model_copy(
            update={
                "commits": one.work.commits + commits,
                "pressured": one.work.pressured + pressured,
                "latencies": (*one.work.latencies, *latencies)[-200:],
            }
        )

    @rule(who=rollouts)
    def an_operator_restarts(self, who: str) -> None:
        one = self.rollouts[who]
        before = allot(self.budget, one.claim(), self.now)
        one.epoch += 1
        after = allot(self.budget, one.claim(), self.now)
        assert (after.rate, [lease.share for lease in after.leases]) == (
            before.rate,
            [lease.share for lease in before.leases],
        )

    @rule(who=rollouts)
    @precondition(lambda self: self.rollouts)
    def the_next_run_begins_when_no_worker_of_the_last_one_is_left(self, who: str) -> None:
        one = self.rollouts[who]
        one.run, one.work, one.control, one.view = one.run + 1, Work(), (0.0, 0), (0.0, 0)

    @rule(who=rollouts, cap=caps)
    def somebody_edits_a_cap(self, who: str, cap: float) -> None:
        self.rollouts[who].cap = cap
        self.highest = max(self.highest, cap)

    @rule(seconds=st.sampled_from([1, 5, 14, 16, 29, 31, 299, 301]))
    def time_passes(self, seconds: int) -> None:
        before = self.budget.effective(self.now)
        self.now += seconds * SECOND
        if self.budget.effective(self.now) < before:
            self.fell = self.now

    @rule(hours=st.integers(1, 48))
    def the_clock_jumps(self, hours: int) -> None:
        self.time_passes(hours * 3600)

    @invariant()
    def no_worker_spends_what_the_budget_does_not_know_of(self) -> None:
        for who, one in self.rollouts.items() if hasattr(self, "rollouts") else ():
            lease = self.budget.lease(who)
            assert one.spends(self.now) <= (lease.spendable(self.now) if lease else 0.0)

    @invariant()
    def shares_never_sum_above_the_budget(self) -> None:
        """But for leases that were granted before it fell, for as long as they last."""
        if self.now >= self.fell + LEASE * SECOND:
            assert self._spendable() <= self.budget.effective(self.now) + ROUNDING

    @invariant()
    def the_rate_is_bounded(self) -> None:
        assert 0 < self.budget.rate <= self.highest

    def _changed(self, before: Budget, after: Budget, spendable: float) -> None:
        if after.rate > before.rate:
            assert after.rate <= before.rate * GROWTH
            assert self.now - self.rose >= STEP, "half as much again every five minutes, and no faster"
            self.rose = self.now
        if after.effective(self.now) < before.effective(self.now):
            self.fell = self.now
        self.budget = after
        assert self._spendable() <= max(spendable, after.effective(self.now)) + ROUNDING
        assert all(lease.share <= lease.cap for lease in after.leases)

    def _spendable(self) -> float:
        return sum(lease.spendable(self.now) for lease in self.budget.leases)

    def _lease(self, who: str) -> Lease:
        lease = self.budget.lease(who)
        assert lease is not None
        return lease


OneBudget.TestCase.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
TestOneBudget = OneBudget.TestCase
