"""The quiet p95 of a database's Commits outlives a run: the next one like it is compared with it from the beginning."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.test_budget import Database

from firelift.migration.budget import MOST_QUIET, QUIET_KEPT, Budget
from firelift.migration.budget_leases import SECOND
from firelift.migration.pressure import Work

BATCH = 100


def _run(database: Database, name: str, *latencies: int, batch: int = BATCH, **asked: Any) -> list[float]:
    """A run from its first turn on: the rate after each twenty of its Commits, more than a cooling apart."""
    database.work.clear()
    database.ask(run=name, **asked)
    rates = []
    for latency in latencies:
        database.passes(40)
        database.did(commits=20, written=20 * batch, latency_ms=latency)
        database.ask(run=name, **asked)
        rates.append(database.budget.rate)
    return rates


def test_a_run_that_begins_on_a_suffering_database_is_cut() -> None:
    database = Database()
    assert _run(database, "one", 80, 90) == [500, 500]
    assert _run(database, "two", 400, 400) == [250, 125]
    assert database.budget.cause == "p95 of commits was 400 ms, more than twice its quiet 80 ms"


def test_what_is_known_of_quiet_commits_survives_what_is_written_and_read() -> None:
    database = Database()
    _run(database, "one", 80)
    database.budget = Budget.model_validate(database.budget.model_dump(mode="json", by_alias=True))
    assert _run(database, "two", 400) == [250]


@pytest.mark.parametrize("latency", [81, 130, 160])
def test_a_run_that_is_hardly_slower_than_the_one_before_is_not_cut(latency: int) -> None:
    database = Database()
    _run(database, "one", 80)
    assert _run(database, "two", latency, latency) == [500, 500]


@pytest.mark.parametrize(
    "other",
    [{"sort": "trades/Verify"}, {"batch": 2 * BATCH}, {"batch": BATCH // 10}],
    ids=["another kind of run", "larger batches", "smaller batches"],
)
def test_commits_of_other_work_are_compared_with_their_own_kind_alone(other: dict[str, Any]) -> None:
    database = Database()
    _run(database, "one", 80, sort="trades/Migrate")
    assert _run(database, "two", 400, **{"sort": "trades/Migrate"} | other) == [500]
    assert _run(database, "three", 400, sort="trades/Migrate") == [250]


def test_what_another_rollout_writes_is_no_measure_of_this_one() -> None:
    database = Database()
    _run(database, "one", 80)
    database.ask("b")
    database.passes(40)
    database.did("b", commits=20, written=20 * BATCH, latency_ms=400)
    database.ask("b")
    assert database.budget.rate == 500


def test_three_cuts_without_effect_move_what_the_next_run_is_compared_with() -> None:
    database = Database()
    _run(database, "one", 80)
    assert _run(database, "two", 400, 400, 400, 400)[-1] == 62.5
    before = database.budget.rate
    assert _run(database, "three", 400) == [before]


def test_a_quiet_time_that_is_long_past_is_taken_anew() -> None:
    database = Database()
    _run(database, "one", 80)
    database.passes(QUIET_KEPT / SECOND)
    rate = database.budget.rate
    assert _run(database, "two", 400)[-1] == rate
    assert _run(database, "three", 900)[-1] == rate / 2, "more than twice the new one"


def test_what_is_remembered_is_bounded() -> None:
    database = Database()
    for number in range(MOST_QUIET + 10):
        _run(database, f"r{number}", 80, sort=f"m{number}")
    kept = {each.sort for each in database.budget.quiet}
    assert len(kept) == MOST_QUIET
    assert f"a/m{MOST_QUIET + 9}/64" in kept


@pytest.mark.parametrize(("written", "size"), [(0, 1), (20, 1), (39, 1), (40, 2), (2_020, 64), (4_020, 128)])
def test_commits_are_compared_with_those_of_up_to_twice_as_many_documents(written: int, size: int) -> None:
    assert Work(commits=20, written=written).size == size
