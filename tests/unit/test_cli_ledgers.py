"""What the ledger tells a person: dead letters without what was in them, runs and their lanes."""

from __future__ import annotations

from typing import Any

import pytest
from tests.cli_scene import shown
from tests.moving import COPY, LEDGER, migration, plan, ran, seeded

from firelift.api.run import RunControl, RunKind, RunState
from firelift.cli import ledger_lanes, ledgers
from firelift.migration.ledger.failures import write_failure
from firelift.migration.ledger.root import RootOwner, create_root
from firelift.migration.ledger.runs import RunStore
from firelift.stores.memory import MemoryStore

STRICT = migration(COPY, validate=[{"rule": "out.kcal >= 0", "message": "kcal must not be negative"}])
MIGRATE = plan(RunKind.MIGRATE, STRICT)
OWNER = RootOwner("cluster-1", "uid-1", "team/move", 1)


async def moved(*bad: int, of: int = 6) -> MemoryStore:
    documents: dict[str, Any] = {
        f"fitness_logs/{number:04d}": {"userId": "ada", "kcal": -1 if number in bad else number, "note": "private"}
        for number in range(of)
    }
    store = await seeded(documents)
    await create_root(store, LEDGER, OWNER, "db")
    await ran(store, MIGRATE)
    return store


async def test_a_dead_letter_is_its_path_and_why_and_never_what_was_in_it() -> None:
    found, whole = await ledgers.dead_letters(await moved(2, 4), LEDGER, 10, closed=False)
    assert whole
    assert {(each.path, each.reason, each.rule, each.open) for each in found} == {
        ("fitness_logs/0002", "kcal must not be negative", "out.kcal >= 0", True),
        ("fitness_logs/0004", "kcal must not be negative", "out.kcal >= 0", True),
    }
    assert "private" not in repr(found)
    assert found[0].time.endswith("Z")


async def test_that_there_are_more_dead_letters_is_told() -> None:
    found, whole = await ledgers.dead_letters(await moved(1, 2, 3), LEDGER, 2, closed=False)
    assert (len(found), whole) == (2, False)
    found, whole = await ledgers.dead_letters(await moved(1, 2), LEDGER, 2, closed=False)
    assert (len(found), whole) == (2, True)


async def test_a_letter_that_was_taken_up_is_shown_only_when_asked_for() -> None:
    store = await moved(2)
    await ran(store, plan(RunKind.SWEEP, migration(COPY), 1, letters=(MIGRATE.id,)))
    assert await ledgers.dead_letters(store, LEDGER, 10, closed=False) == ([], True)
    found, _ = await ledgers.dead_letters(store, LEDGER, 10, closed=True)
    assert [each.open for each in found] == [False]


async def begun(state: RunState = RunState.RUN) -> MemoryStore:
    """A run that is over, and one that a worker has not begun."""
    store = await moved()
    control = RunControl(state=state, epoch=1, lease_seconds=60)
    await RunStore(store, LEDGER).ensure(plan(RunKind.VERIFY, STRICT, 1), control)
    return store


async def test_the_runs_of_a_database_are_those_that_are_not_over() -> None:
    store = await begun()
    assert await ledgers.ledgers(store) == [LEDGER]
    (seen,) = await ledgers.runs(store, LEDGER)
    assert seen.run.plan.id == "verify.1"
    assert seen.owner == OWNER
    assert seen.writes
    assert {each.run.plan.id for each in await ledgers.runs(store, LEDGER, over=True)} == {MIGRATE.id, "verify.1"}


@pytest.mark.parametrize("state", [RunState.HOLD, RunState.STOP])
async def test_a_run_that_is_held_or_stopped_does_not_write(state: RunState) -> None:
    found = await ledgers.runs(await begun(state), LEDGER)
    assert [each.writes for each in found] == ([False] if state is RunState.HOLD else [])


async def test_the_lanes_tell_why_a_worker_gave_up() -> None:
    store = await begun()
    await write_failure(store, LEDGER, "verify.1", 0, "PERMISSION_DENIED on fitness_logs")
    page = shown(ledger_lanes.section(await ledgers.runs(store, LEDGER)))
    assert "verify.1" in page
    assert "no lanes yet" in page
    assert "PERMISSION_DENIED on fitness_logs" in page


def test_a_ledger_without_runs_says_so() -> None:
    assert "none: the ledger has no run" in shown(ledger_lanes.section([]))
