"""The states in which other operators are known to stick, each by its name, and where else the way out is proven.

- *a second rollout ignored after a first fails*: here, and tests/e2e/test_sticking_states.py with real parts
- *marked failed but still writing*: here, there, and in every turn of every random world of
  tests/property/test_rollout_machine.py ("works although the rollout is at rest")
- *two waiting for each other*: here, and tests/unit/test_rollout_locks.py for any order of any groups
- *approved but never executed*: here, there, and tests/e2e/test_api_faults.py (while nobody can watch)
- *done but forever reconciling*: here, and there
- *finalizer left after uninstall*: tests/chart/test_release.py and tests/integration/test_leaving.py
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest
from tests.rollout_specs import APPROVE, gate, migrate, migration, phase, soak
from tests.rollout_world import World, unplanned, world

from firelift.api.approval import ApprovalDecision
from firelift.api.run import RunState
from firelift.rollout.machine import decide

ALL = [migration(name) for name in ("a", "b")]
GATE = gate(intervalSeconds=10, windowSeconds=10)
WHILE = 40


def rollout(name: str, *groups: str, **changes: object) -> World:
    """One that moves these collection groups, a phase for each."""
    phases = [phase(f"p{number}", migrate(100, group)) for number, group in enumerate(groups)]
    one = unplanned(*phases, migrations=ALL, **changes)
    one.rollout = replace(one.rollout, name=name, uid=name)
    return one


def side_by_side(*worlds: World, turns: int = 100) -> None:
    """Their turns, work and time, on one database."""
    locks = worlds[0].locks
    for _ in range(turns):
        for each in worlds:
            each.locks = locks
            each.turn()
            locks = each.locks
            each.work()
            each.pass_time(10)


def failed(name: str, *groups: str, action: str = "Pause") -> World:
    """One whose first worker fails."""
    one = rollout(name, *groups, onFailure={"action": action})
    one.until("Migrating")
    next(iter(one.runs.values())).job_failed = True
    return one


def test_a_second_rollout_is_not_ignored_after_a_first_fails() -> None:
    first, second, elsewhere = failed("first", "a"), rollout("second", "a"), rollout("elsewhere", "b")

    side_by_side(first, second, elsewhere)

    assert first.reason == "StepFailed"
    assert elsewhere.reason == "Completed"
    assert second.reason == "WaitingForLock"
    assert second.status is not None
    assert second.status.waiting_for is not None
    assert second.status.waiting_for.name, "it says for whom"

    first.edit(intent="Revert", revertTo="RolloutStart")
    side_by_side(first, second, elsewhere)
    assert (first.reason, second.reason) == ("Reverted", "Completed")


def test_a_second_rollout_needs_nobody_when_the_first_takes_itself_back() -> None:
    first, second = failed("first", "a", action="Revert"), rollout("second", "a")

    side_by_side(first, second)

    assert (first.reason, second.reason) == ("Reverted", "Completed")


@pytest.mark.parametrize("by", ["a worker", "a gate"])
def test_none_that_is_marked_failed_is_still_writing(by: str) -> None:
    one = world(phase("p", migrate(100)), gates=[GATE], onFailure={"action": "Pause"})
    one.until("Migrating")
    if by == "a gate":
        one.measure = lambda _name, _end: 0.5
        while one.reason == "Migrating":
            one.work(0.001)
            one.pass_time(10)
            one.turn()
        assert one.reason == "GateFailed"
    else:
        next(iter(one.runs.values())).job_failed = True
        one.until("StepFailed")

    done = [run.done for run in one.runs.values()]
    for _ in range(WHILE):
        assert {run.state for run in one.runs.values()} == {RunState.HOLD}
        one.work()
        one.turn()
        one.pass_time(10)
    assert [run.done for run in one.runs.values()] == done


@pytest.mark.parametrize(("one", "other"), list(permutations(("ab", "ba"), 2)))
def test_no_two_are_waiting_for_each_other(one: str, other: str) -> None:
    first, second = rollout("first", *one), rollout("second", *other)

    side_by_side(first, second)

    assert (first.reason, second.reason) == ("Completed", "Completed")


@pytest.mark.parametrize("lost", [0, 1, 5])
def test_nothing_that_is_approved_is_never_executed(lost: int) -> None:
    one = world(phase("p", APPROVE, migrate(100)))
    one.until("AwaitingApproval")

    one.approve()
    for _ in range(lost):
        decide(one.rollout, *one.observe())  # and dies before it has told anybody

    one.until("Completed", turns=10)
    assert all(run.complete for run in one.runs.values())


def test_what_an_approval_of_an_older_plan_decides_is_asked_again_and_not_waited_for() -> None:
    one = world(phase("p", APPROVE, migrate(100)))
    one.until("AwaitingApproval")
    one.approve(ApprovalDecision.APPROVE, digest="sha256:" + "0" * 64)

    one.turn()

    assert one.reason == "AwaitingApproval"
    assert one.status is not None
    assert one.status.approval is not None
    assert one.status.approval.digest != "sha256:" + "0" * 64


def test_none_that_is_done_is_forever_reconciling() -> None:
    one = world(phase("p", migrate(100), soak(10, evidence="None")))
    told = one.until("Completed")
    for _ in range(5):  # what there is to clean up
        one.turn()
        one.pass_time(1)

    before, seen = one.observe()
    decision = decide(one.rollout, before, seen)

    assert ("Reconciling", "False") in [(each.type, each.status) for each in decision.status.conditions]
    assert (decision.state, decision.intents) == (before, ())
    assert decision.status.reason == told.reason
    assert decision.due - one.now > timedelta(minutes=5)
