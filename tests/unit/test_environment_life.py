"""The life of an environment: planned, shown, approved, applied, ready; and what stands in the way."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.environment_plans import MODULES, index_address, spec_index, ttl_address
from tests.environment_world import Lock, World, world

from firelift.api.approval import ApprovalDecision
from firelift.api.conditions import ConditionStatus
from firelift.api.environment.status import EnvironmentStatus, ResourceState
from firelift.environment.observation import FieldSeen, RolloutSeen
from firelift.environment.state import EnvironmentState

AUTO = {"terraform": {"apply": "Auto"}}
ONE_INDEX = {"indexes": {"composite": {"by-device": spec_index("telemetry", "device", "-time")}}}


def conditions(status: EnvironmentStatus) -> dict[str, str]:
    return {condition.type.value: condition.status.value for condition in status.conditions}


def ready_world(**changes: Any) -> World:
    """An environment that is applied and ready."""
    made = world(**{**AUTO, **changes})
    status = made.settle(seconds=20)
    for _ in range(5):
        if status.reason == "Ready":
            return made
        if status.reason == "AwaitingApproval":
            made.approve_all()
        status = made.settle(seconds=20)
    raise AssertionError(f"{status.reason}: {status.message}")


def test_auto_plans_applies_waits_for_its_index_and_is_ready() -> None:
    made = world(**AUTO, **ONE_INDEX)
    reasons = []
    for _ in range(8):
        reasons.append(made.turn().status.reason)
        made.finish()
        made.pass_time(20)
    assert reasons == ["Planning", "Applying", "IndexesBuilding", "IndexesBuilding", *["Ready"] * 4]
    assert made.serial == 1


def test_manual_waits_for_an_approval_of_the_digest_that_it_shows() -> None:
    made = world(**ONE_INDEX)
    status = made.settle()
    assert status.reason == "AwaitingApproval"
    assert status.plan is not None
    assert status.plan_summary == "+2 ~0 -0"
    assert status.plan.digest in status.message
    assert conditions(status)["AwaitingApproval"] == "True"
    made.decide(digest="sha256:" + "1" * 64)
    assert made.settle().reason == "AwaitingApproval"
    made.decide()
    assert made.settle(seconds=30).reason == "Ready"
    assert made.applied_digests == [status.plan.digest]


def test_an_expired_approval_approves_nothing() -> None:
    made = world()
    made.settle()
    made.decide(expires=made.now - timedelta(seconds=1))
    assert made.settle().reason == "AwaitingApproval"


def test_a_rejected_plan_stalls_until_a_higher_attempt_asks_again() -> None:
    made = world()
    made.settle()
    made.decide(ApprovalDecision.REJECT)
    status = made.settle()
    assert (status.reason, conditions(status)["Stalled"]) == ("Rejected", "True")
    made.decide()
    assert made.settle().reason == "Rejected"
    made.edit(attempt=2)
    assert made.settle().reason == "AwaitingApproval"
    made.decide()
    assert made.settle().reason == "Ready"


def test_what_was_approved_before_the_attempt_rose_applies_nothing() -> None:
    made = world()
    made.rollouts = (RolloutSeen("users", working=True),)
    first = made.settle()
    made.decide()
    assert made.settle().reason == "WaitingForRollout"
    made.decide(ApprovalDecision.REJECT)
    assert made.settle().reason == "Rejected"
    made.edit(attempt=2)
    made.rollouts = ()
    second = made.settle()
    assert second.reason == "AwaitingApproval"
    assert first.plan is not None
    assert second.plan is not None
    assert first.plan.digest != second.plan.digest, "an approval names the attempt by the digest"
    made.state = None
    assert made.settle().reason == "AwaitingApproval", "nor does it when the memory is lost"
    assert made.applied_digests == []


def test_a_plan_that_met_a_lock_is_made_anew_when_the_attempt_rises_meanwhile() -> None:
    made = world()
    made.settle()
    made.decide()
    made.lock = Lock("lock-1", "other", "grace", "laptop", made.now)
    made.turn()
    made.edit(attempt=2)
    made.settle()
    made.lock = None
    made.pass_time(100)
    assert made.settle().reason == "AwaitingApproval"
    assert made.applied_digests == []


def test_another_spec_asks_anew_after_a_rejection() -> None:
    made = world()
    made.settle()
    made.decide(ApprovalDecision.REJECT)
    made.settle()
    made.edit(**ONE_INDEX)
    assert made.settle().reason == "AwaitingApproval"


def test_a_spec_edited_while_its_plan_waits_makes_the_approval_stale() -> None:
    made = world()
    first = made.settle()
    made.decide()
    made.edit(**ONE_INDEX)
    second = made.settle()
    assert second.reason == "AwaitingApproval"
    assert first.plan is not None
    assert second.plan is not None
    assert first.plan.digest != second.plan.digest
    assert made.applied_digests == []


@pytest.mark.parametrize(
    ("change", "address", "sentence"),
    [
        (
            {"database": {"location": "nam5", "pointInTimeRecovery": False}},
            "google_firestore_database.this",
            "goes off",
        ),
        (
            {"ttls": {"old": {"collection": "telemetry", "path": "expireAt"}}},
            ttl_address("old"),
            "deletes 12,408 documents at once",
        ),
    ],
)
def test_what_can_lose_data_is_never_automatic_and_the_approval_names_it(
    change: dict[str, Any], address: str, sentence: str
) -> None:
    made = ready_world()
    made.fields = FieldSeen({"timestamp": 20_000}, expired=12_408)
    made.edit(**change)
    status = made.settle()
    assert status.reason == "AwaitingApproval"
    assert sentence in status.message
    assert status.plan is not None
    assert [each.address for each in status.plan.changes if each.can_lose_data] == [address]
    made.decide()
    status = made.settle()
    assert status.reason == "AwaitingApproval"
    assert f"does not name {address}" in status.message
    made.decide(ApprovalDecision.APPROVE, address)
    assert made.settle().reason == "Ready"


def test_a_ttl_that_deletes_nothing_at_once_is_applied_by_auto() -> None:
    made = ready_world()
    made.edit(ttls={"old": {"collection": "telemetry", "path": "expireAt"}})
    assert made.settle().reason == "Ready"


def test_a_ttl_whose_documents_cannot_be_counted_counts_as_a_loss() -> None:
    made = ready_world()
    made.fields = FieldSeen(error="PERMISSION_DENIED")
    made.edit(ttls={"old": {"collection": "telemetry", "path": "expireAt"}})
    assert "could not be counted: PERMISSION_DENIED" in made.settle().message


def test_a_ttl_on_an_integer_is_refused_with_the_remedy_until_the_documents_are_mended() -> None:
    made = ready_world()
    made.fields = FieldSeen({"integer": 3, "timestamp": 1}, examples=("telemetry/a",))
    made.edit(ttls={"old": {"collection": "telemetry", "path": "timestamp_ms"}})
    status = made.settle()
    assert (status.reason, conditions(status)["Stalled"]) == ("UnsafeTTL", "True")
    assert "3 integer of 4 documents, such as telemetry/a" in status.message
    assert "by a rollout with `transform.set`" in status.message
    made.decide(ApprovalDecision.APPROVE, ttl_address("old"))
    assert made.settle().reason == "UnsafeTTL", "no approval makes it work"
    made.fields = FieldSeen({"timestamp": 4})
    made.pass_time(1000)
    assert made.settle().reason == "Ready"


def test_an_index_that_leaves_ready_makes_the_environment_unready_at_once() -> None:
    made = ready_world(**ONE_INDEX)
    made.building[MODULES + index_address("by-device")] = made.now + timedelta(seconds=600)
    status = made.turn().status
    assert conditions(status)["IndexesReady"] == "False"
    assert conditions(status)["Ready"] == "False"
    assert status.indexes_summary == "0/1 building"
    assert status.indexes[0].state is ResourceState.CREATING


def test_an_admin_api_that_does_not_answer_makes_nothing_ready() -> None:
    made = ready_world(**ONE_INDEX)
    made.ground_error = "UNAVAILABLE"
    status = made.turn().status
    assert status.reason == "DatabaseUnreachable"
    assert conditions(status)["IndexesReady"] == "Unknown"
    assert conditions(status)["Ready"] == "False"


def test_an_apply_waits_for_a_rollout_that_is_mid_phase_unless_the_approval_says_otherwise() -> None:
    made = world()
    made.rollouts = (RolloutSeen("users", working=True),)
    made.settle()
    made.decide()
    status = made.settle()
    assert status.reason == "WaitingForRollout"
    assert "users" in status.message
    made.decide(during_rollouts=True)
    assert made.settle().reason == "Ready"


def test_an_apply_goes_on_by_itself_when_the_rollout_has_ended_its_phase() -> None:
    made = world(**AUTO)
    made.rollouts = (RolloutSeen("users", working=True),)
    assert made.settle().reason == "WaitingForRollout"
    made.rollouts = (RolloutSeen("users", working=False),)
    assert made.settle().reason == "Ready"


def test_a_suspended_environment_is_not_planned_but_observed() -> None:
    made = ready_world(**ONE_INDEX)
    made.edit(suspend=True, **ONE_INDEX)
    status = made.settle()
    assert (status.reason, conditions(status)["Ready"]) == ("Suspended", "True")
    made.building[MODULES + index_address("by-device")] = made.now + timedelta(seconds=600)
    status = made.turn().status
    assert (status.reason, conditions(status)["Ready"]) == ("Suspended", "False")
    runs = made.state.runs if made.state else 0
    made.edit(ttls={"x": {"collection": "telemetry", "path": "expireAt"}})
    made.settle()
    assert made.state is not None
    assert made.state.runs == runs


@pytest.mark.parametrize(("field", "reason"), [("missing", "InputMissing"), ("invalid", "InvalidSpec")])
def test_nothing_is_planned_of_inputs_that_are_not_there_or_make_no_sense(field: str, reason: str) -> None:
    made = world(**AUTO)
    setattr(made, field, "ConfigMap firestore-rules is not there")
    status = made.settle()
    assert status.reason == reason
    assert "ConfigMap firestore-rules" in status.message
    assert made.state is not None
    assert made.state.runs == 0
    # What is declared is not known, so that a gate must not hear that all of it is ready.
    told = conditions(status)
    assert (told["IndexesReady"], told["TTLActive"]) == ("Unknown", "Unknown")


def test_a_failed_plan_is_tried_again_later_and_later() -> None:
    made = world(**AUTO)
    made.failing = "Error: 503"
    gaps = []
    for _ in range(4):
        status = made.settle()
        assert status.reason == "PlanFailed"
        assert "503" in status.message
        assert status.failure is not None
        assert status.failure.retry_time is not None
        gaps.append((status.failure.retry_time - made.now).total_seconds())
        made.now = status.failure.retry_time
    assert gaps == sorted(gaps)
    assert gaps[-1] > 4 * gaps[0]
    made.failing = ""
    assert made.settle().reason == "Ready"


def test_applies_that_fail_again_and_again_wait_for_a_person() -> None:
    made = world(**AUTO)
    for _ in range(5):
        while made.turn().status.reason != "Applying":
            made.finish()
            made.pass_time(600)
        made.failing = "Error: quota"
        made.finish()
        made.failing = ""
    status = made.settle()
    assert status.reason == "ApplyFailed"
    assert "raise `attempt`" in status.message
    assert conditions(status)["Stalled"] == "True"
    made.edit(attempt=2)
    assert made.settle().reason == "Ready"


def test_condition_times_change_only_with_the_condition() -> None:
    made = ready_world()
    before = {each.type: each.last_transition_time for each in made.turn().status.conditions}
    made.pass_time(100)
    assert {each.type: each.last_transition_time for each in made.turn().status.conditions} == before


def test_a_turn_that_is_repeated_decides_nothing_new() -> None:
    made = ready_world(**ONE_INDEX)
    first = made.turn()
    second = made.turn()
    assert second.state == first.state
    assert second.intents == ()
    assert {each.status for each in first.status.conditions if each.type == "Ready"} == {ConditionStatus.TRUE}


def test_a_memory_that_holds_more_than_is_known_now_is_read() -> None:
    assert EnvironmentState.model_validate({"attempt": 3, "outdated": ["approval-0"]}).attempt == 3
