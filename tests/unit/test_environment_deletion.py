"""Deletion: what is retained goes at once, what is destroyed is approved, and whoever is stuck reads the way out."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from tests.environment_plans import MODULES, index_address
from tests.environment_world import Lock, World, world
from tests.unit.test_environment_life import AUTO, ONE_INDEX, ready_world

from firelift.api.approval import ApprovalDecision
from firelift.api.environment.terraform import ApplyMode

DRIFTED = MODULES + index_address("by-device")
DESTROY = {"terraform": {"apply": "Auto", "deletionPolicy": "Destroy"}}
WAY_OUT = (
    "kubectl patch firestoreenvironment prod -n team --type merge -p "
    """'{"spec":{"terraform":{"apply":"Manual","deletionPolicy":"Retain"}}}'"""
)


def test_what_is_retained_is_let_go_at_once() -> None:
    made = ready_world()
    made.delete()
    decision = made.turn()
    assert not decision.finalizer
    assert made.known
    assert made.real


def test_a_run_at_work_is_waited_for_before_the_object_goes() -> None:
    made = world(**AUTO)
    made.turn()
    made.delete()
    assert made.turn().finalizer
    made.finish()
    assert not made.turn().finalizer


def test_a_destroy_takes_the_protection_off_and_then_everything_by_approvals_that_name_it() -> None:
    made = ready_world(terraform={"apply": "Auto", "deletionPolicy": "Destroy"}, **ONE_INDEX)
    made.missing = "ConfigMap firestore-rules is not there"
    made.delete()
    status = made.settle()
    assert status.reason == "AwaitingApproval"
    assert "delete protection goes off" in status.message
    made.decide()
    assert made.settle().reason == "AwaitingApproval", "no address was named"
    made.approve_all()
    status = made.settle()
    assert "deleted with all its documents" in status.message
    assert not made.gone
    made.approve_all()
    made.settle()
    assert made.gone
    assert made.real == {}


def test_a_destroy_mends_nothing_on_its_way() -> None:
    made = ready_world(terraform={"apply": "Auto", "deletionPolicy": "Destroy"}, **ONE_INDEX)
    made.real.pop(DRIFTED)
    made.delete()
    assert made.settle().plan_summary == "+0 ~1 -0"


def test_what_was_never_applied_is_destroyed_by_letting_go() -> None:
    made = world(terraform={"deletionPolicy": "Destroy"})
    made.settle()
    made.delete()
    assert not made.turn().finalizer


def test_a_lost_memory_does_not_let_a_destroy_be_forgotten() -> None:
    made = ready_world(terraform={"apply": "Auto", "deletionPolicy": "Destroy"})
    made.state = None
    made.delete()
    assert made.settle().reason == "AwaitingApproval"


def _asked(_: World) -> None:
    return None


def _rejected(made: World) -> None:
    made.settle()
    made.decide(ApprovalDecision.REJECT)


def _without_provider(made: World) -> None:
    made.failing = "Error: Failed to query available provider packages " + "x" * 2000


def _locked(made: World) -> None:
    made.lock = Lock("lock-1", "other", "grace", "laptop", made.now - timedelta(seconds=1000))


def _without_inputs(made: World) -> None:
    made.missing = "not found: ConfigMap firestore-rules"


def _without_credentials(made: World) -> None:
    made.missing = made.unidentified = "not found: key credentials.json of Secret google"


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        (_asked, "AwaitingApproval"),
        (_rejected, "Rejected"),
        (_without_provider, "PlanFailed"),
        (_locked, "StateLocked"),
        (_without_inputs, "AwaitingApproval"),
        (_without_credentials, "InputMissing"),
    ],
)
def test_a_destroy_that_cannot_go_on_says_how_to_let_go_and_that_is_enough(
    trouble: Callable[[World], None], reason: str
) -> None:
    made = ready_world(**DESTROY, **ONE_INDEX)
    made.delete()
    trouble(made)
    status = made.settle()
    assert status.reason == reason
    assert WAY_OUT in status.message
    assert "no approval can be made there" in status.message
    before = dict(made.real)
    made.edit(**json.loads(status.message.partition("-p '")[2].partition("'")[0])["spec"])
    assert made.environment.spec.terraform.apply is ApplyMode.MANUAL, "who may not approve may not change Auto"
    made.settle()
    assert made.gone
    assert made.real == before
