"""The write budget of a database: its ramp, its cuts, and who may spend what of it."""

from itertools import pairwise
from typing import Any

import pytest

from firelift.migration.budget import LEAST, START, STEP, Budget, Claim, allot, due, fair
from firelift.migration.budget_leases import SECOND
from firelift.migration.errors import StaleEpoch
from firelift.migration.pressure import COOLING, Work

NOON = 1_800_000_000 * SECOND
LEASE = 30


class Database:
    """A budget whose rollouts ask for their shares as their operators would."""

    def __init__(self) -> None:
        self.budget = Budget()
        self.now = NOON
        self.work: dict[str, Work] = {}

    def ask(self, who: str = "a", *, cap: float = 10_000, epoch: int = 1, **changes: Any) -> float:
        claim = Claim(
            ledger=who,
            name=f"shop/{who}",
            run=changes.pop("run", "r1"),
            epoch=epoch,
            cap=cap,
            want=changes.pop("want", cap),
            lease_seconds=LEASE,
            work=self.work.get(who, Work()),
            sort=changes.pop("sort", ""),
        )
        self.budget = allot(self.budget, claim, self.now)
        return self.share(who)

    def share(self, who: str = "a") -> float:
        lease = self.budget.lease(who)
        return lease.share if lease else 0.0

    def did(self, who: str = "a", latency_ms: int = 0, **counts: int) -> None:
        """More of a run's journal."""
        before = self.work.get(who, Work())
        more = {name: getattr(before, name) + count for name, count in counts.items()}
        latencies = tuple((self.now, latency_ms) for _ in range(counts.get("commits", 0))) if latency_ms else ()
        self.work[who] = before.model_copy(update=more | {"latencies": (*before.latencies, *latencies)[-200:]})

    def passes(self, seconds: float) -> None:
        self.now += int(seconds * SECOND)

    def works(self, seconds: float, part: float = 1.0, *who: str, cap: float = 10_000) -> None:
        """Time in which these rollouts write a part of what they may, and renew their leases."""
        for _ in range(int(seconds // 10)):
            for each in who or ("a",):
                self.did(each, commits=10, written=int(self.share(each) * 10 * part))
            self.passes(10)
            for each in who or ("a",):
                self.ask(each, cap=cap)


def test_a_database_that_nobody_has_written_to_begins_at_500_writes_a_second() -> None:
    assert Database().ask() == START == 500


def test_the_rate_grows_by_half_every_five_minutes_that_it_is_used() -> None:
    database = Database()
    database.ask()
    rates = []
    for _ in range(5):
        database.works(300)
        rates.append(database.share())
    assert rates == [750, 1125, 1687.5, 2531.25, 3796.875]


def test_the_rate_grows_to_the_cap_and_no_further() -> None:
    database = Database()
    database.ask(cap=600)
    database.works(3000, cap=600)
    assert (database.share(), database.budget.rate) == (600, 600)


@pytest.mark.parametrize(("part", "rate"), [(1.0, 750), (0.55, 750), (0.4, 500), (0.0, 500)])
def test_a_rate_that_is_not_used_does_not_grow(part: float, rate: float) -> None:
    database = Database()
    database.ask()
    database.works(320, part)
    assert database.share() == rate


def test_a_long_idle_takes_the_rate_back_a_step_every_five_minutes() -> None:
    database = Database()
    database.ask()
    database.works(900)
    assert database.budget.rate == 1687.5
    database.passes(660)
    assert database.ask() == 750
    database.passes(86_400)
    assert database.ask() == 500


def test_a_successor_of_an_operator_has_its_share_at_once_and_others_keep_theirs() -> None:
    database = Database()
    for _ in range(40):
        database.passes(1)
        database.ask("a", cap=500)
        database.ask("b", cap=500)
    assert (database.share("a"), database.share("b")) == (250, 250)
    database.passes(14)
    assert database.ask("b", cap=500) == 250, "its operator is away, and its workers are not"
    assert database.ask("a", cap=500, epoch=2) == 250
    assert database.ask("a", cap=500, epoch=2, run="r2") == 250, "also with the next run"
    assert database.ask("b", cap=500) == 250


def test_a_restart_neither_resets_nor_raises_the_rate() -> None:
    database = Database()
    database.ask()
    database.works(300)
    for _ in range(100):
        database.passes(0.1)
        assert database.ask(epoch=2) == 750


def test_two_rollouts_share_one_budget_and_the_first_gives_back_what_the_second_needs() -> None:
    database = Database()
    assert (database.ask("a"), database.ask("b")) == (500, 0)
    assert database.ask("a") == 250
    assert database.ask("b") == 0, "workers of the first may not have heard of it yet"
    database.passes(20)
    assert (database.ask("a"), database.ask("b")) == (250, 0)
    database.passes(10)
    assert (database.ask("a"), database.ask("b")) == (250, 250)


def test_two_rollouts_with_200_each_stay_within_200_together() -> None:
    database = Database()
    for _ in range(8):
        database.ask("a", cap=200)
        database.ask("b", cap=200)
        database.passes(15)
        assert sum(lease.spendable(database.now) for lease in database.budget.leases) <= 200
    assert (database.share("a"), database.share("b")) == (100, 100)


def test_the_ceiling_is_the_highest_cap_of_those_that_are_active() -> None:
    database = Database()
    for _ in range(6):
        database.ask("a", cap=50)
        database.ask("b", cap=400)
        database.passes(15)
    assert (database.share("a"), database.share("b"), database.budget.effective(database.now)) == (50, 350, 400)


def test_a_rollout_that_has_ended_leaves_its_share_to_the_others_when_its_lease_is_over() -> None:
    database = Database()
    for _ in range(4):
        database.ask("a")
        database.ask("b")
        database.passes(15)
    database.passes(LEASE)
    assert database.ask("b") == 500


def test_a_run_that_follows_in_the_same_rollout_takes_over_its_share_at_once() -> None:
    database = Database()
    database.ask("a")
    database.passes(1)
    assert database.ask("a", run="r2") == 500
    assert len(database.budget.leases) == 1


@pytest.mark.parametrize(
    ("total", "mine", "others", "part"),
    [
        (100, 1000, [], 100),
        (100, 20, [1000], 20),
        (100, 1000, [20], 80),
        (90, 1000, [1000, 1000], 30),
        (90, 1000, [10, 1000], 40),
        (0, 10, [10], 0),
    ],
)
def test_what_one_does_not_want_goes_to_the_others(total: float, mine: float, others: list[float], part: float) -> None:
    assert fair(total, mine, others) == part


def test_more_than_one_commit_in_a_hundred_that_is_asked_to_slow_down_halves_the_rate() -> None:
    database = Database()
    database.ask()
    database.did(commits=97, pressured=3)
    assert database.ask() == 250
    assert database.budget.cause == "3.0% of commits were asked to slow down, and 1% may be"


@pytest.mark.parametrize(("commits", "pressured"), [(199, 1), (1, 1), (298, 2)])
def test_one_in_a_hundred_and_a_single_one_are_no_pressure(commits: int, pressured: int) -> None:
    database = Database()
    database.ask()
    database.did(commits=commits, pressured=pressured)
    assert database.ask() == 500


def test_a_word_that_nothing_lands_is_one_cut_and_another_one_after_half_a_minute_a_second() -> None:
    database = Database()
    database.ask()
    rates = []
    for seconds, word in ((10, 1), (5, 1), (40, 1), (0, 2)):
        database.passes(seconds)
        database.work["a"] = Work(stuck=NOON + word)
        database.ask()
        rates.append(database.budget.rate)
    assert rates == [250, 250, 250, 125]
    assert database.budget.cause == "commits were only asked to slow down, and none of a worker has landed"


def test_a_word_that_is_heard_while_nothing_counts_is_not_heard_again_afterwards() -> None:
    database = Database()
    database.ask()
    database.did(commits=10, pressured=5)
    rates, writes = [], 0
    for seconds in range(60):
        if seconds == 20:
            database.work["a"] = database.work["a"].model_copy(update={"stuck": NOON + 1})
        before = database.budget
        database.ask()
        written = due(before, database.budget, "a", database.now)
        database.budget = database.budget if written else before
        rates.append(database.budget.rate)
        writes += written
        database.passes(1)
    assert set(rates) == {250}
    assert writes == 1 + 1 + 3, "the cut, the word, and three renewals"


def test_pressure_on_two_rollouts_is_added_up() -> None:
    database = Database()
    database.ask("a", cap=100)
    database.ask("b", cap=100)
    database.did("a", commits=50, pressured=1)
    database.did("b", commits=50, pressured=1)
    database.ask("a", cap=100)
    database.ask("b", cap=100)
    assert database.budget.rate == 50


def test_one_event_is_one_cut_and_another_after_half_a_minute_a_second_one() -> None:
    database = Database()
    database.ask()
    rates = []
    for _ in range(7):
        database.did(commits=10, pressured=5)
        database.passes(10)
        database.ask()
        rates.append(database.budget.rate)
    assert rates == [250, 250, 250, 125, 125, 125, 62.5]


def test_a_cut_rate_grows_again_and_says_why_it_was_cut_until_then() -> None:
    database = Database()
    database.ask()
    database.did(commits=10, pressured=5)
    database.ask()
    database.works(290)
    assert (database.budget.rate, bool(database.budget.cause)) == (250, True)
    database.works(10)
    assert (database.budget.rate, database.budget.cause) == (375, "")
    database.works(600)
    assert database.budget.rate == 375 * 1.5 * 1.5


def test_a_cut_rate_comes_back_to_the_start_without_being_used_and_no_further() -> None:
    database = Database()
    database.ask()
    database.did(commits=10, pressured=5)
    database.ask()
    database.works(3000, 0.0)
    assert database.budget.rate == 500


def test_no_cut_goes_below_the_least_rate() -> None:
    database = Database()
    for _ in range(20):
        database.did(commits=10, pressured=5)
        database.ask()
        database.passes(40)
    assert database.budget.rate == LEAST


def test_commits_twice_as_slow_as_the_quiet_ones_halve_the_rate() -> None:
    database = Database()
    database.ask()
    for latency, rate in ((80, 500), (90, 500), (150, 500), (180, 250)):
        database.passes(10)
        database.did(commits=20, latency_ms=latency)
        database.ask()
        assert database.budget.rate == rate
    assert database.budget.cause == "p95 of commits was 180 ms, more than twice its quiet 80 ms"


def test_a_few_milliseconds_more_are_no_pressure() -> None:
    database = Database()
    database.ask()
    for latency in (5, 20, 50):
        database.passes(10)
        database.did(commits=20, latency_ms=latency)
        database.ask()
    assert database.budget.rate == 500


def test_commits_that_three_cuts_make_no_faster_are_slow_for_another_reason() -> None:
    database = Database()
    database.ask()
    rates = []
    for latency in (80, *[500] * 8):
        database.passes(40)
        database.did(commits=20, latency_ms=latency)
        database.ask()
        rates.append(database.budget.rate)
    assert rates == [500, 250, 125, 62.5, *[62.5] * 5]


def test_what_was_there_before_a_lease_is_not_judged() -> None:
    database = Database()
    database.did(commits=10, pressured=90, latency_ms=900)
    assert database.ask() == 500


def test_an_operators_absence_hides_no_pressure_and_no_quiet_time() -> None:
    database = Database()
    database.did(commits=20, latency_ms=80)
    database.ask()
    database.did(commits=20, latency_ms=80)
    database.passes(10)
    database.ask()
    database.did(commits=30, pressured=2)
    database.passes(5 * LEASE)
    assert database.ask() == 250


def test_a_former_leader_takes_nothing() -> None:
    database = Database()
    database.ask(epoch=3)
    with pytest.raises(StaleEpoch, match="epoch 2, and one of epoch 3"):
        database.ask(epoch=2)


def test_a_lease_is_written_when_half_of_it_is_over_or_the_share_changes() -> None:
    database = Database()
    database.ask("a")

    def worth(seconds: float) -> bool:
        before = database.budget
        database.passes(seconds)
        database.ask("a")
        after, database.budget = database.budget, before
        return due(before, after, "a", database.now)

    assert [worth(seconds) for seconds in (1, 10, 3, 1, 1)] == [False, False, False, True, True]
    database.passes(-16)
    database.ask("b")
    assert worth(1), "the second one needs a part"


def test_a_clock_that_jumps_never_makes_the_rate_grow_faster() -> None:
    database = Database()
    database.ask()
    rates = []
    for jump in (3600.0, -7200.0, 86_400.0, -86_400.0):
        database.works(100)
        database.passes(jump)
        database.ask()
        rates.append(database.budget.rate)
    assert rates == [500] * 4
    assert all(later <= earlier for earlier, later in pairwise(rates))


def test_steps_and_cooling_are_as_documented() -> None:
    assert (STEP, COOLING) == (300 * SECOND, 30 * SECOND)
