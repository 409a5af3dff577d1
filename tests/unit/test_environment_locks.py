"""Whose lock it is: released only when it is of a run of ours that has provably ended, explained in any other case."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.environment_world import Lock, World, world

from firelift.environment.state import RunKind

AUTO = {"terraform": {"apply": "Auto", "driftIntervalSeconds": 60}}


def locked(made: World, *, by: str, host: str, created_ago: float = 5) -> World:
    made.lock = Lock("lock-1", "other", by, host, made.now - timedelta(seconds=created_ago))
    return made


def until_reason(made: World, reason: str) -> None:
    while made.turn().status.reason != reason:
        made.finish()
        made.pass_time(1)


def never_released(made: World) -> str:
    """That the lock at hand is met, waited for and left alone; what is said of it."""
    lock = made.lock
    told = []
    for _ in range(10):
        told.append(made.turn().status)
        made.finish(others=False)
        assert made.lock is lock, "it was released"
        made.pass_time(20)
    status = [each for each in told if each.reason == "StateLocked"][-1]
    assert status.lock is not None
    assert status.lock.id == (lock.id if lock is not None else "")
    return f"{status.lock.holder}: {status.message}"


def test_a_lock_of_somebody_else_is_waited_for_and_never_released() -> None:
    made = locked(world(**AUTO), by="grace", host="laptop", created_ago=100_000)
    said = never_released(made)
    assert said.startswith("Foreign: ")
    assert "who is none of our runs" in said
    assert "force-unlock lock-1" in said
    made.lock = None
    made.pass_time(60)
    assert made.settle(seconds=10).reason == "Ready"


@pytest.mark.parametrize("when", ["Planning", "Applying"])
def test_the_lock_of_an_operator_that_was_killed_is_released(when: str) -> None:
    made = world(**AUTO)
    until_reason(made, when)
    assert made.lock is not None
    made.crash()
    made.pass_time(10)
    assert made.settle().reason == "Ready"
    assert any(event.reason == "RunLost" for event in made.events)


def test_a_lock_on_the_host_of_a_run_of_ours_but_older_than_it_is_not_ours() -> None:
    made = world(**AUTO)
    made.turn()
    made.crash()
    never_released(locked(made, by="grace", host="pod-1", created_ago=1000))


def test_a_lock_that_a_run_has_met_is_not_the_runs_own() -> None:
    """The other one works on the same host, as another environment's run does, and was faster by a moment."""
    made = world(**AUTO)
    before, seen = made.state, made.observe()
    decision = made.decided(seen)
    assert made.record(before, decision)
    made.pass_time(1)
    made.lock_by_stranger(made.process.host)
    made.act(decision.intents)
    assert "from where an operator of ours lives" in never_released(made)


def test_a_run_that_has_ended_well_holds_nothing_any_more() -> None:
    made = world(**AUTO)
    made.settle(seconds=20)
    assert made.state is not None
    assert made.state.worked == ()


def test_a_lock_that_is_taken_after_a_run_was_lost_is_not_the_runs() -> None:
    """The next operator has the host of the one before: its machine, or a pod of a fixed name."""
    made = world(**AUTO)
    until_reason(made, "Applying")
    made.restart()
    made.turn()
    made.lock = None
    made.pass_time(30)
    made.lock_by_stranger(made.process.host)
    never_released(made)


@pytest.mark.parametrize("lives", [True, False])
def test_the_run_of_an_operator_that_nobody_can_see_is_waited_for_until_a_person_says_so(*, lives: bool) -> None:
    made = world(**AUTO)
    made.process.seen = False
    until_reason(made, "Applying")
    if lives:
        made.lose_the_lease()
    else:
        made.crash()
    status = made.turn().status
    assert status.reason == "Applying"
    assert "life-1 on pod-1, of which nothing can be seen from here" in status.message
    made.edit(attempt=2)
    said = never_released(made)
    assert said.startswith("Foreign: ")
    assert "of operator life-1 of which nothing can be seen from here" in said
    if lives:
        made.finish()
    else:
        made.lock = None
    made.pass_time(60)
    assert made.settle(seconds=10).reason == "Ready"


def test_the_run_of_an_operator_that_stands_still_is_waited_for() -> None:
    made = world(**AUTO)
    until_reason(made, "Applying")
    made.lose_the_lease()
    made.pass_time(10_000)
    status = made.turn().status
    assert status.reason == "Applying"
    assert "is at work in operator life-1" in status.message
    assert [run.kind for run in made.at_work] == [RunKind.APPLY]


def test_a_lock_that_one_of_two_lost_runs_may_have_left_is_released_once() -> None:
    made = world(**AUTO)
    until_reason(made, "Planning")
    made.crash()
    made.turn()
    made.crash()
    assert made.settle(seconds=10).reason == "Ready"
    assert made.state is not None
    assert made.state.worked == ()


def test_who_holds_a_lock_is_told_as_alive_while_its_operator_lives() -> None:
    made = world(**AUTO)
    until_reason(made, "Applying")
    made.lose_the_lease()
    made.state = None
    assert never_released(made).startswith("Alive: ")
