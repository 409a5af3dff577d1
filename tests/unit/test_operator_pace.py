"""What a run's control says of its share: taken from the budget's document, renewed in time, told in one line."""

from typing import Any

import pytest
from tests.rollout_specs import migrate, phase, spec
from tests.rollout_world import START
from tests.simple_work import plan

from firelift.api.run import RunControl, RunKind, RunPlan, RunState, Totals
from firelift.migration.errors import LedgerBroken, LostRace
from firelift.migration.ledger import budgets, paths
from firelift.migration.store import Put
from firelift.operator.pace import ensure
from firelift.rollout.observation import HolderSeen, JobSeen, LedgerSeen, Observation, PaceSeen, Rollout, RunSeen
from firelift.rollout.pace import text
from firelift.stores.memory import MemoryStore

RUN = RunControl(state=RunState.RUN, epoch=1, lease_seconds=30)


def rollout(name: str = "users", **changes: Any) -> Rollout:
    return Rollout("shop", name, f"uid-{name}", 1, spec(phase("one", migrate(100)), **changes))


def run_of(one: Rollout, kind: RunKind = RunKind.MIGRATE, **changes: Any) -> RunPlan:
    return plan(f"a1.{kind}", ledger=one.ledger_id, kind=kind, **changes)


async def turn(
    store: MemoryStore, one: Rollout, made: RunPlan, control: RunControl = RUN, **seen: Any
) -> tuple[RunControl, PaceSeen | None]:
    runs = {made.id: RunSeen(made.id, exists=True, **seen)}
    agreed = await ensure(store, one, made, Observation(now=START, ledger=LedgerSeen(), runs=runs), control)
    return agreed.held.control, agreed.told


def later(store: MemoryStore, seconds: float) -> None:
    store.now += int(seconds * 1_000_000)


async def test_a_run_gets_its_share_until_the_end_of_its_lease_and_little_is_written() -> None:
    store, one = MemoryStore(), rollout(pace={"maxWritesPerSecond": 300})
    made = run_of(one, workers=4)
    began = store.now
    control, told = await turn(store, one, made)
    assert (control.state, control.writes_per_second, control.processes) == (RunState.RUN, 300.0, 2)
    assert control.share_until == pytest.approx(began + 30_000_000, abs=1000)
    assert text(told) == "300/s of 300/s, its maxWritesPerSecond"
    for _ in range(14):
        later(store, 1)
        assert (await turn(store, one, made))[0] == control
    assert len(store.history(paths.budget())) == 1
    later(store, 2)
    renewed, _ = await turn(store, one, made)
    assert renewed.share_until == pytest.approx(control.share_until + 16_000_000, abs=1000)


async def test_two_rollouts_divide_the_budget_and_name_each_other() -> None:
    store, one, other = MemoryStore(), rollout("users"), rollout("tasks")
    for _ in range(5):
        shares = [await turn(store, each, run_of(each)) for each in (one, other)]
        later(store, 10)
    assert [control.writes_per_second for control, _ in shares] == [250, 250]
    assert [text(told) for _, told in shares] == [
        "250/s of 500/s, shared with shop/tasks",
        "250/s of 500/s, shared with shop/users",
    ]


async def test_a_change_of_the_cap_counts_at_the_next_turn() -> None:
    store, one = MemoryStore(), rollout()
    made = run_of(one)
    await turn(store, one, made)
    slower = rollout(pace={"maxWritesPerSecond": 20})
    assert (await turn(store, slower, made))[0].writes_per_second == 20


async def test_pods_that_a_job_has_already_count_whatever_the_spec_says_by_now() -> None:
    store, one = MemoryStore(), rollout(worker={"parallelism": 1})
    made = run_of(one, workers=4, indexes=9)
    found = [(await turn(store, one, made, job=job))[0].processes for job in (None, JobSeen(parallelism=4))]
    assert found == [1, 4]


async def test_an_index_that_is_done_leaves_its_part_to_the_others() -> None:
    store, one = MemoryStore(), rollout(worker={"parallelism": 4})
    made = run_of(one, workers=4)
    found = [(await turn(store, one, made, job=JobSeen(succeeded=done)))[0].processes for done in (0, 1, 3, 4)]
    assert found == [4, 3, 1, 1]


@pytest.mark.parametrize(
    ("kind", "expected"), [(RunKind.MIGRATE, 500), (RunKind.REVERT, 500), (RunKind.VERIFY, 100), (RunKind.PLAN, None)]
)
async def test_a_run_that_only_checks_wants_little_and_a_plan_nothing(kind: RunKind, expected: float | None) -> None:
    one = rollout()
    control, _ = await turn(MemoryStore(), one, run_of(one, kind))
    assert control.writes_per_second == expected


@pytest.mark.parametrize("state", [RunState.HOLD, RunState.STOP])
async def test_a_run_that_is_not_to_run_has_no_share(state: RunState) -> None:
    store, one = MemoryStore(), rollout()
    halted = RUN.model_copy(update={"state": state})
    assert await turn(store, one, run_of(one), halted) == (halted, None)
    assert store.history(paths.budget()) == []


async def test_pressure_in_the_journal_cuts_the_budget_and_the_line_says_so() -> None:
    store, one = MemoryStore(), rollout()
    made = run_of(one)
    await turn(store, one, made)
    control, told = await turn(store, one, made, entries=95, totals=Totals(pressured=5, updated=900))
    assert control.writes_per_second == 250
    assert text(told) == ("250/s of 250/s, cut: 5.0% of commits were asked to slow down, and 1% may be")
    assert (await budgets.read(store)).budget.written == 0


async def test_slow_commits_cut_the_budget() -> None:
    store, one = MemoryStore(), rollout()
    made = run_of(one)
    for latency in (60, 60, 400):
        later(store, 5)
        times = tuple(range(store.now, store.now + 20))
        control, told = await turn(store, one, made, commit_latencies_ms=(latency,) * 20, commit_times=times)
    assert control.writes_per_second == 250
    assert "p95 of commits was 400 ms, more than twice its quiet 60 ms" in text(told)


async def test_a_budget_that_cannot_be_read_stops_nothing_silently() -> None:
    store, one = MemoryStore(), rollout()
    encode = store.values.encode
    store.apply([Put(paths.budget(), {"rate": encode("fast")})])
    with pytest.raises(LedgerBroken, match="when no rollout works on this database, delete it"):
        await turn(store, one, run_of(one))
    store.apply([Put(paths.budget(), {"format": encode(7)})])
    with pytest.raises(LedgerBroken, match="format 7; this version reads format 1: upgrade"):
        await turn(store, one, run_of(one))


async def test_an_operator_that_others_are_always_faster_than_takes_no_share() -> None:
    store, one = MemoryStore(), rollout()

    async def overtake(_: object) -> None:
        store.apply([Put(paths.budget(), {"since": store.values.encode(store.now)})])

    store.faults.before_commit = overtake
    with pytest.raises(LostRace, match="the next turn tries again"):
        await turn(store, one, run_of(one))


@pytest.mark.parametrize(
    ("seen", "line"),
    [
        (None, ""),
        (PaceSeen(562.5, 1125, 10_000, ("shop/a", "shop/b")), "562/s of 1,125/s, shared with shop/a and 1 more"),
        (PaceSeen(0, 500, 500, ("shop/a",)), "waiting for its share of the write budget: 0 of 500/s"),
        (
            PaceSeen(0, 500, 500, ("shop/a",), holder=HolderSeen("shop/a", 500, START)),
            "waiting for its share of the write budget: 0 of 500/s; shop/a holds 500/s until 00:00:00 UTC",
        ),
        (
            PaceSeen(5, 500, 5, unbound=True),
            "5.0/s of 500/s, its maxWritesPerSecond, no limit per entity on the way back",
        ),
        (PaceSeen(2.5, 2.5, 2.5), "2.5/s of 2.5/s, its maxWritesPerSecond"),
        (PaceSeen(1, 2, 3, ("n" * 300,)), "1.0/s of 2.0/s, shared with " + "n" * 100),
    ],
)
def test_a_share_is_told_in_one_line(seen: PaceSeen | None, line: str) -> None:
    assert text(seen) == line


async def test_the_run_of_a_later_phase_is_compared_with_the_quiet_one_of_an_earlier_phase() -> None:
    store, one = MemoryStore(), rollout()
    for run, latency, rate in (("a1.one", 80, 500), ("a1.all", 400, 250)):
        made = run_of(one).model_copy(update={"id": run})
        await turn(store, one, made)
        later(store, 40)
        worked: dict[str, Any] = {
            "entries": 20,
            "totals": Totals(created=2_000),
            "commit_latencies_ms": (latency,) * 20,
        }
        await turn(store, one, made, commit_times=(store.now,) * 20, **worked)
        assert (await budgets.read(store)).budget.rate == rate
    (kept,) = (await budgets.read(store)).budget.quiet
    assert (kept.sort, kept.ms) == ("shop.users/things/migrate/64", 80)
