"""Whatever is lost, late, doubled, raced or killed: each document changes once, and no live write is lost."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.property.ledger_invariants import check
from tests.property.ledger_world import Fault, Race, Script, Turn, World
from tests.simple_work import SOURCE

IDS = [f"d{number:02d}" for number in range(13)]
SEEDED = [*IDS[:11], "d05-poison"]

ids = st.sampled_from(IDS)
races = st.sampled_from(Race)
seldom = st.sampled_from([Fault.NONE] * 25 + [Fault.NEVER, Fault.CRASH_BEFORE])
often = st.sampled_from([Fault.NONE] * 6 + list(Fault))
calls = st.builds(Turn, seldom, st.integers(0, 3))
entries = st.builds(Turn, often, st.integers(0, 3), st.none() | races, st.integers(0, 3))
scripts = st.builds(Script, st.lists(calls, max_size=30), st.lists(entries, max_size=12), st.integers(2, 6))


class Ledger(RuleBasedStateMachine):
    """Operators, workers and the app, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.world.seed(SEEDED)

    @property
    def running(self) -> bool:
        passes = self.world.passes
        return bool(passes) and not passes[-1].complete

    @rule(copy=st.booleans(), cuts=st.lists(ids, max_size=2))
    @precondition(lambda self: not self.running)
    def a_pass_begins(self, copy: bool, cuts: list[str]) -> None:  # noqa: FBT001 - drawn by Hypothesis
        self.world.begin(copy=copy, cuts=cuts)

    @rule(script=scripts)
    @precondition(lambda self: self.running)
    def a_worker_works(self, script: Script) -> None:
        self.world.work(script)

    @rule(one=scripts, other=scripts)
    @precondition(lambda self: self.running)
    def two_workers_work_on_the_same_lanes(self, one: Script, other: Script) -> None:
        self.world.work(one, other)

    @rule()
    @precondition(lambda self: self.running)
    def a_later_attempt_follows(self) -> None:
        self.world.follow()

    @rule()
    @precondition(lambda self: self.running)
    def the_lanes_are_sealed_and_followed(self) -> None:
        self.world.seal()
        self.world.follow()

    @rule(number=st.integers(0, 9))
    @precondition(lambda self: self.world.late)
    def a_late_commit_lands(self, number: int) -> None:
        self.world.deliver(number)

    @rule(each=ids, how=races)
    def the_app_writes(self, each: str, how: Race) -> None:
        self.world.write(f"{SOURCE}/{each}", how)

    @invariant()
    def the_rules_hold(self) -> None:
        check(self.world)

    def teardown(self) -> None:
        try:
            if self.running:
                self.world.work(Script())
                assert self.world.passes[-1].complete, "an undisturbed worker gets to the end"
            while self.world.late:
                self.world.deliver(0)
            check(self.world)
        finally:
            self.world.close()


Ledger.TestCase.settings = settings(max_examples=200, stateful_step_count=15, deadline=None)
TestLedger = Ledger.TestCase
