"""Decisions by people: who, on what, and until when they count."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.rollout_specs import APPROVE, flags, gate, migrate, migration, phase, soak
from tests.rollout_world import World, world

from firelift.api.approval import ApprovalDecision


def asking(*more: dict[str, Any], step: dict[str, Any] = APPROVE, **changes: Any) -> World:
    one = world(phase("a", step, migrate(1)), *more, **changes)
    one.until("AwaitingApproval")
    return one


def digest(one: World) -> str:
    assert one.status is not None
    assert one.status.approval is not None
    return one.status.approval.digest


def reason(one: World) -> str:
    one.turn()
    assert one.status is not None
    return one.status.reason


def test_the_status_says_what_an_approval_must_name() -> None:
    one = asking()
    assert one.status is not None
    approval = one.status.approval
    assert approval is not None
    assert (approval.phase, approval.step, approval.required) == ("a", "approve", True)
    assert approval.requested_time == one.now
    assert "waits for 1 of 1 approvals" in one.status.message


def test_an_approval_lets_the_step_end() -> None:
    one = asking()
    one.approve()
    assert one.until("Completed").approval is None
    assert one.state is not None
    assert [step.state for step in one.state.phases[0].steps.values()] == ["Done"] * len(one.state.phases[0].steps)


def test_approvals_count_by_different_people() -> None:
    one = asking(step={"approve": {"count": 2}})
    one.approve(approver="ada")
    one.approve(approver="ada")
    assert reason(one) == "AwaitingApproval"
    assert one.status is not None
    assert one.status.approval is not None
    assert one.status.approval.given == ("ada",)
    one.approve(approver="grace")
    one.until("Completed")


def test_an_expired_approval_approves_nothing() -> None:
    one = asking()
    one.approve(expires=one.now)
    assert reason(one) == "AwaitingApproval"
    one.approve(expires=one.now + timedelta(seconds=1))
    assert reason(one) != "AwaitingApproval"


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({"suspend": False}, True),
        ({"pace": {"batchSize": 3}}, True),
        ({"phases": [phase("a", APPROVE, migrate(1)), phase("b", migrate(20))]}, False),
        ({"gates": [gate(limit={"max": "9%"})]}, False),
        ({"migrations": [{**migration("logs"), "onExisting": "Skip"}]}, False),
        ({"migrations": [migration("logs"), migration("unused")]}, True),
    ],
)
def test_a_digest_covers_what_is_still_to_be_done_and_nothing_else(changes: dict[str, Any], *, same: bool) -> None:
    one = asking(phase("b", migrate(10)), migrations=[migration("logs")], gates=[gate()])
    before = digest(one)
    one.approve()
    one.edit(**changes)
    one.approvals, given = [], one.approvals
    one.turn()
    assert (digest(one) == before) is same
    one.approvals = given
    assert (reason(one) != "AwaitingApproval") is same


@pytest.mark.parametrize("step", [APPROVE, migrate(1, irreversible=True, name="final")])
def test_an_approval_covers_the_image_that_will_run(step: dict[str, Any]) -> None:
    one = asking(step=step)
    before = digest(one)
    one.worker_image = "worker@sha256:2"
    one.turn()
    assert digest(one) == before  # the plan has pinned the image that it was made with
    one.approve()
    one.until("Completed")
    assert {run.plan.image for run in one.runs.values()} == {"worker@sha256:1"}


def test_every_step_and_every_attempt_has_a_digest_of_its_own() -> None:
    second = {"name": "again", **APPROVE}
    one = world(phase("a", APPROVE, second, migrate(1)))
    one.until("AwaitingApproval")
    first = digest(one)
    one.approve()
    assert reason(one) == "AwaitingApproval"
    assert digest(one) != first
    again = digest(one)
    one.approve(ApprovalDecision.REJECT)
    assert reason(one) == "Rejected"
    one.edit(attempt=2)
    assert reason(one) == "AwaitingApproval"
    assert digest(one) not in {first, again}


def test_a_rejection_pauses_whatever_the_policy_says_and_cannot_be_skipped() -> None:
    one = asking(onFailure={"action": "Revert"})
    one.approve(ApprovalDecision.REJECT, approver="grace")
    assert reason(one) == "Rejected"
    assert one.status is not None
    assert one.status.message.startswith("grace rejected step approve of phase a, stopped here; raise spec.attempt")
    one.approve(ApprovalDecision.SKIP)
    one.approve()
    assert reason(one) == "Rejected"


def test_a_skip_leaves_a_failed_step_behind_once_its_workers_are_gone() -> None:
    one = world(phase("a", migrate(1)), phase("b", flags("X")), onFailure={"action": "Pause"})
    one.until("Migrating")
    run = next(iter(one.runs.values()))
    run.job_failed = True
    assert reason(one) == "StepFailed"
    one.approve(ApprovalDecision.SKIP)
    one.turn()
    assert one.state is not None
    assert one.state.phases[0].steps["migrate"].state == "Skipped"
    assert run.going
    one.work()
    one.until("Completed")


def test_a_skip_does_nothing_to_a_step_that_has_not_failed() -> None:
    one = world(phase("a", soak(600, evidence="None")))
    one.until("Soaking")
    one.approve(ApprovalDecision.SKIP)
    assert reason(one) == "Soaking"


def test_a_skipped_step_is_taken_back_like_any_other() -> None:
    one = world(phase("a", migrate(1), soak(600, evidence="None")), onFailure={"action": "Pause"})
    one.until("Migrating")
    next(iter(one.runs.values())).job_failed = True
    one.turn()
    one.approve(ApprovalDecision.SKIP)
    one.until("Soaking")
    one.edit(intent="Revert")
    one.until("Reverted")
    assert one.runs["a1.a.migrate.logs.revert.0"].plan.subjects == ("a1.a.migrate.logs.migrate.0",)


def test_an_irreversible_step_begins_only_when_it_is_approved() -> None:
    one = world(phase("a", {**flags("FINAL"), "irreversible": True}))
    one.until("AwaitingApproval")
    assert one.config_maps["app-flags"] == {}
    assert one.state is not None
    assert one.state.phases[0].steps["final"].state == "Pending"
    one.approve()
    one.until("Completed")
    assert one.config_maps["app-flags"] == {"FINAL": "on"}


def test_gates_watch_while_an_irreversible_step_waits_for_its_approval() -> None:
    final = {**flags("FINAL"), "irreversible": True}
    one = world(phase("a", migrate(1), final), gates=[gate(onFailure="Pause")])
    one.until("AwaitingApproval")
    one.measure = lambda _gate, _end: 0.5
    one.until("GateFailed", seconds=60)
    one.approve(ApprovalDecision.OVERRIDE, gate="error-rate", expires=one.now + timedelta(days=1))
    assert reason(one) == "AwaitingApproval"
    assert one.config_maps["app-flags"] == {}
    one.approve()
    one.until("Completed")


def test_an_irreversible_step_that_is_rejected_was_never_begun() -> None:
    one = world(phase("a", {**flags("FINAL"), "irreversible": True}))
    one.until("AwaitingApproval")
    one.approve(ApprovalDecision.REJECT)
    assert reason(one) == "Rejected"
    one.edit(intent="Revert")
    one.until("Reverted")
    assert one.config_maps["app-flags"] == {}
