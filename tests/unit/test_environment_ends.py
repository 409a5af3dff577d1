"""What becomes of runs: those that wait for a place, those that could not write their state, those that died."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.environment_world import World, world
from tests.unit.test_environment_life import AUTO, ONE_INDEX, conditions, ready_world

from firelift.api.approval import ApprovalDecision
from firelift.environment.observation import RolloutSeen


def unwritten_world(**changes: Any) -> World:
    """An environment whose first apply could not write its state."""
    made = world(**{**AUTO, **ONE_INDEX, **changes})
    made.unsavable = True
    assert made.settle(seconds=20).reason == "StateUnsaved"
    made.unsavable = False
    return made


def test_nothing_is_planned_on_a_state_that_was_never_written_until_a_person_says_so() -> None:
    made = unwritten_world()
    runs = len(made.begun)
    made.pass_time(100_000)
    made.edit(ttls={"old": {"collection": "telemetry", "path": "expireAt"}})
    status = made.settle(seconds=100)
    assert (status.reason, conditions(status)["Stalled"]) == ("StateUnsaved", "True")
    assert "Secret rescued-state" in status.message
    assert "`terraform state push`" in status.message
    assert len(made.begun) == runs
    made.push()
    made.edit(attempt=2)
    assert made.settle(seconds=30).reason == "Ready"
    assert made.removed == []


def test_a_state_that_a_killed_run_could_not_write_is_found_and_heeded_once() -> None:
    made = ready_world()
    made.unwritten = "file /runs/module/errored.tfstate on pod-1"
    status = made.settle()
    assert status.reason == "StateUnsaved"
    assert made.unwritten in status.message
    assert [event.reason for event in made.events if event.warning] == ["StateUnsaved"]
    made.edit(attempt=2)
    assert made.settle(seconds=20).reason == "Ready"


def test_an_object_whose_state_was_never_written_is_let_go_and_not_destroyed() -> None:
    made = unwritten_world(terraform={"apply": "Auto", "deletionPolicy": "Destroy"})
    made.delete()
    status = made.settle()
    assert status.reason == "StateUnsaved"
    assert "to let go of it and destroy nothing" in status.message
    made.edit(terraform={"deletionPolicy": "Retain"})
    made.settle()
    assert made.gone


def test_outputs_are_told_of_when_the_apply_did_not_live_to_tell() -> None:
    made = world(**AUTO)
    while made.turn().status.reason != "Applying":
        made.finish()
        made.pass_time(1)
    made.finish()
    made.crash()
    assert made.settle(seconds=20).outputs is not None


@pytest.mark.parametrize(
    ("meanwhile", "reason"),
    [
        (lambda made: made.edit(suspend=True), "Suspended"),
        (lambda made: made.edit(**ONE_INDEX), "AwaitingApproval"),
        (lambda made: made.decide(ApprovalDecision.REJECT), "Rejected"),
        (lambda made: setattr(made, "rollouts", (RolloutSeen("users", working=True),)), "WaitingForRollout"),
        (lambda made: setattr(made, "missing", "ConfigMap rules is not there"), "InputMissing"),
    ],
)
def test_an_apply_that_waits_for_its_place_is_not_begun_once_something_else_is_to_be_done(
    meanwhile: Callable[[World], None], reason: str
) -> None:
    made = world()
    made.settle()
    made.decide()
    made.busy = True
    assert made.turn().status.reason == "Applying"
    meanwhile(made)
    assert made.turn().status.reason == "Applying"
    made.busy = False
    assert made.settle().reason == reason
    assert made.applied_digests == []
    assert "Withdrawn" in [event.reason for event in made.events]


def test_an_apply_that_waits_for_its_place_is_begun_when_it_still_holds_and_keeps_its_plan() -> None:
    made = world()
    made.settle()
    made.decide()
    made.busy = True
    made.turn()
    made.pass_time(5000)
    made.edit(suspend=True)
    made.busy = False
    assert made.settle().reason == "Suspended"
    assert made.status is not None
    plan = made.status.plan
    made.edit(suspend=False)
    assert made.settle(seconds=20).reason == "Ready"
    assert plan is not None
    assert made.applied_digests == [plan.digest]


def test_a_plan_that_waits_for_its_place_is_not_made_of_a_spec_that_was_edited() -> None:
    made = world(**AUTO)
    made.busy = True
    made.turn()
    made.edit(**ONE_INDEX)
    made.busy = False
    made.settle(seconds=20)
    assert made.settle(seconds=20).reason == "Ready"
    assert len(made.begun) == 2, "one plan, one apply"


def test_an_operator_that_leads_no_more_begins_nothing_that_waits() -> None:
    made = world(**AUTO)
    made.busy = True
    made.turn()
    made.lose_the_lease()
    made.busy = False
    made.finish()
    assert made.begun == set()


def test_it_is_remembered_what_became_of_the_plan_whose_apply_ended_last() -> None:
    made = world()
    plan = made.settle().plan
    made.decide()
    made.failing = "Error: 403"
    made.settle()
    assert plan is not None
    assert made.state is not None
    assert made.state.ended is not None
    assert (made.state.ended.digest, made.state.ended.whole) == (plan.digest, False)
    made.failing = ""
    made.edit(attempt=2)
    made.settle()
    made.decide()
    made.settle()
    assert (made.state.ended.digest, made.state.ended.whole) == (made.applied_digests[-1], True)
