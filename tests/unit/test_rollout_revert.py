"""The way back: exactly reverse, each inverse finished and checked, and stopped where it would do harm."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.rollout_specs import APPROVE, VERIFY, flags, migrate, migration, phase, soak
from tests.rollout_world import World, world

from firelift.api.approval import ApprovalDecision
from firelift.api.run import RunKind, RunPlan, RunState, Totals
from firelift.rollout.state import StepState

WRITE, READ = flags("WRITE_BOTH"), flags("READ_NEW")


def cohort(name: str, percent: int, *more: dict[str, Any]) -> dict[str, Any]:
    return phase(name, WRITE, migrate(percent), VERIFY, READ, soak(600, evidence="None"), *more)


def soaking(*phases: dict[str, Any], **changes: Any) -> World:
    one = world(*(phases or (cohort("a", 1),)), **changes)
    one.until("Soaking")
    return one


def reverted(one: World, reason: str = "Reverted", to: str | None = None) -> World:
    one.edit(intent="Revert", revertTo=to)
    one.until(reason)
    return one


def in_second_phase(**changes: Any) -> World:
    one = world(phase("a", migrate(1)), cohort("b", 10), **changes)
    one.until("Soaking")
    return one


def totals(**of_kind: Totals) -> Callable[[RunPlan], Totals]:
    return lambda plan: of_kind.get(plan.kind.value.replace("-", "_"), Totals(read=100))


def undone(one: World) -> list[str]:
    assert one.state is not None
    lines = [event.message for event in one.state.history if event.reason in {"StepUndone", "StepKept"}]
    return [line.split()[1] for line in lines]


def test_steps_are_undone_in_exactly_reverse_order() -> None:
    one = reverted(soaking())
    assert undone(one) == ["soak", "read-new", "verify", "migrate", "write-both"]
    assert one.config_maps["app-flags"] == {}


def test_only_the_phase_is_reverted_unless_all_of_it_is_asked_for() -> None:
    one = reverted(in_second_phase())
    assert one.state is not None
    assert one.state.phases[0].steps["migrate"].state is StepState.DONE
    assert one.status is not None
    assert one.status.started_phases == ("a",)


def test_a_revert_can_be_taken_further_back_while_it_runs_and_after_it() -> None:
    one = in_second_phase()
    one.edit(intent="Revert")
    one.turn()
    one.edit(revertTo="RolloutStart")
    one.until("Reverted")
    assert one.status is not None
    assert one.status.started_phases == ()
    two = reverted(in_second_phase())
    two.edit(revertTo="RolloutStart")
    two.until("Reverted")
    two.turn()
    assert two.state is not None
    assert two.state.phases[0].steps["migrate"].state is StepState.UNDONE


@pytest.mark.parametrize(("to", "left"), [("PhaseStart", ("a",)), ("RolloutStart", ())])
def test_a_failure_reverts_as_far_as_the_spec_says(to: str, left: tuple[str, ...]) -> None:
    one = world(phase("a", migrate(1)), phase("b", migrate(10), VERIFY), onFailure={"action": "Revert", "to": to})
    one.totals = lambda plan: Totals(read=100, different=int(plan.kind is RunKind.VERIFY))
    status = one.until("Reverted")
    assert status.started_phases == left
    assert "reverted and verified after verify: 1% > 0% mismatch" in status.message


def test_forward_workers_are_stopped_and_gone_before_anything_is_taken_back() -> None:
    one = world(phase("a", migrate(1)))
    one.until("Migrating")
    run = next(iter(one.runs.values()))
    one.edit(intent="Revert")
    one.turn()
    assert (run.state, run.going) == (RunState.STOP, True)
    one.turn()
    assert list(one.runs) == ["a1.a.migrate.logs.migrate.0"]
    one.until("Reverted")
    assert one.order[1:] == ["a1.a.migrate.logs.revert.0", "a1.a.migrate.logs.revert-verify.0"]


def test_a_run_that_was_never_made_has_nothing_to_take_back() -> None:
    one = world(phase("a", migrate(1)))
    one.locks["logs"] = "other"
    one.until("WaitingForLock")
    reverted(one)
    assert one.order == []


def test_migrations_are_taken_back_last_first() -> None:
    both = [migration("first"), migration("second")]
    one = world(phase("a", migrate(1, "first", "second"), soak(600, evidence="None")), migrations=both)
    one.until("Soaking")
    reverted(one)
    kinds = [(run.split(".")[3], run.split(".")[4]) for run in one.order[2:]]
    assert kinds == [
        ("second", "revert"),
        ("first", "revert"),
        ("second", "revert-verify"),
        ("first", "revert-verify"),
    ]


def test_data_is_swept_again_after_the_flags_until_a_pass_writes_nothing() -> None:
    one = soaking()
    one.totals = lambda plan: Totals(read=100, updated=5 if plan.kind is RunKind.REVERT and plan.pass_number < 2 else 0)
    reverted(one)
    assert [run for run in one.order if ".write-both." in run] == [
        "a1.a.write-both.logs.revert.1",
        "a1.a.write-both.logs.revert.2",
        "a1.a.write-both.logs.revert-verify.2",
    ]


def test_flags_behind_the_migration_need_no_pass() -> None:
    one = reverted(soaking())
    assert not [run for run in one.order if ".read-new." in run]


def test_an_app_that_does_not_follow_its_flags_stops_the_revert_after_three_passes() -> None:
    one = soaking()
    one.totals = totals(revert=Totals(read=100, updated=7))
    one.edit(intent="Revert")
    one.until("RevertFailed")
    assert "pass 3 after restoring the flags of step write-both of phase a still wrote 7 documents" in one.message
    one.totals = totals()
    one.edit(intent=None, attempt=2)
    one.until("Reverted")
    assert one.runs["a2.a.write-both.logs.revert.1"].plan.follows == "a1.a.write-both.logs.revert.1"


def test_a_revert_counts_only_when_it_was_verified() -> None:
    one = soaking()
    one.totals = totals(revert_verify=Totals(read=100, different=3))
    one.edit(intent="Revert")
    one.until("RevertFailed")
    assert "after the revert of step migrate of phase a 3 of 100 documents are not as before" in one.message
    assert "raise spec.attempt to go on reverting, or approve Skip to keep this step as it is" in one.message
    assert one.status is not None
    assert one.status.started_phases == ("a",)


def test_conflicts_are_counted_and_told() -> None:
    one = soaking()
    one.totals = totals(revert=Totals(read=100, kept=4))
    reverted(one, "RevertedWithConflicts")
    assert one.message.startswith("reverted and verified, 4 conflicts were left as the app wrote them")
    assert one.status is not None
    assert one.status.phases[0].conflicts == 4


def test_flags_that_are_no_longer_ours_are_not_touched() -> None:
    one = soaking()
    one.config_maps["app-flags"]["READ_NEW"] = "7"
    one.owned["app-flags"].discard("READ_NEW")
    before = dict(one.config_maps["app-flags"])
    one.edit(intent="Revert")
    one.until("RevertFailed")
    assert one.config_maps["app-flags"] == before
    assert "Firelift wrote 'on', before it was None, and somebody has changed it since" in one.message
    del one.config_maps["app-flags"]["READ_NEW"]
    one.edit(intent=None, attempt=2)
    one.until("Reverted")


def test_a_flag_of_the_same_value_that_somebody_else_owns_is_not_ours() -> None:
    one = soaking()
    one.owned["app-flags"].discard("READ_NEW")
    one.edit(intent="Revert")
    one.until("RevertFailed")
    assert one.config_maps["app-flags"]["READ_NEW"] == "on"


def test_a_step_that_is_kept_stays_as_it_is() -> None:
    one = world(phase("a", {**migrate(1), "onRevert": "Keep"}, READ, soak(600, evidence="None")))
    one.until("Soaking")
    reverted(one)
    assert undone(one) == ["soak", "read-new", "migrate"]
    assert one.order == ["a1.a.migrate.logs.migrate.0"]


def test_a_revert_stops_in_front_of_an_irreversible_step() -> None:
    last = {**flags("FINAL"), "irreversible": True}
    one = world(phase("a", migrate(1), last, soak(600, evidence="None")))
    one.until("AwaitingApproval")
    one.approve()
    one.until("Soaking")
    one.edit(intent="Revert")
    one.until("RevertFailed")
    assert "step final of phase a: it is irreversible, the revert stops in front of it" in one.message
    assert one.config_maps["app-flags"] == {"FINAL": "on"}
    one.approve(ApprovalDecision.SKIP)
    one.until("Reverted")
    assert one.config_maps["app-flags"] == {"FINAL": "on"}


def test_an_irreversible_step_that_was_not_begun_stops_nothing() -> None:
    one = world(phase("a", migrate(1), {**flags("FINAL"), "irreversible": True}))
    one.until("AwaitingApproval")
    reverted(one)
    assert "FINAL" not in one.config_maps["app-flags"]


def test_a_failed_revert_job_holds_everything_and_another_attempt_goes_on() -> None:
    one = soaking()
    one.edit(intent="Revert")
    while not any(".revert.0" in run for run in one.runs):
        one.work()
        one.pass_time(5)
        one.turn()
    run = one.runs["a1.a.migrate.logs.revert.0"]
    run.job_failed, run.failure = True, "UNAVAILABLE for 10 minutes"
    one.until("RevertFailed")
    assert "revert of logs failed in run a1.a.migrate.logs.revert.0: UNAVAILABLE for 10 minutes" in one.message
    assert run.state is RunState.HOLD
    one.edit(intent=None, attempt=2)
    one.until("Reverted")
    assert (run.state, run.job) == (RunState.STOP, False)
    assert one.runs["a2.a.migrate.logs.revert.0"].plan.follows == run.plan.id


def test_a_revert_waits_for_the_lock_like_any_writer() -> None:
    one = world(phase("a", migrate(1)))
    one.until("Completed")
    one.turn()
    assert one.locks == {}
    one.locks["logs"] = "other"
    one.edit(intent="Revert")
    one.until("WaitingForLock")
    del one.locks["logs"]
    one.until("Reverted")
    one.turn()
    assert one.locks == {}


def test_a_revert_job_that_moves_nothing_is_told() -> None:
    one = soaking(progressDeadlineSeconds=120)
    one.edit(intent="Revert")
    while not any(".revert.0" in run for run in one.runs):
        one.work()
        one.pass_time(5)
        one.turn()
    for _ in range(9):
        one.pass_time(20)
        one.turn()
    assert one.status is not None
    assert one.status.reason == "RevertFailed"
    assert "no document moved for" in one.message


def test_a_rollout_that_waits_for_people_can_be_reverted() -> None:
    one = world(phase("a", migrate(1), APPROVE))
    one.until("AwaitingApproval")
    assert undone(reverted(one)) == ["approve", "migrate"]


def test_a_skip_on_the_way_forward_is_not_spent_again_on_the_way_back() -> None:
    one = world(phase("a", flags("A"), migrate(100), soak(600, evidence="None")), onFailure={"action": "Pause"})
    one.until("Migrating")
    run = next(iter(one.runs.values()))
    run.done, run.job_failed, run.failure = 50, True, "boom"
    one.until("StepFailed")
    one.approve(ApprovalDecision.SKIP)
    one.until("Soaking")
    one.totals = totals(revert_verify=Totals(read=100, different=3))
    reverted(one, "RevertFailed")
    assert one.state is not None
    assert one.state.phases[0].steps["migrate"].state is StepState.UNDOING
    one.turn()
    assert one.message.startswith("revert of step migrate of phase a: after the revert")


def test_a_step_that_was_kept_is_named_and_not_called_verified() -> None:
    one = soaking()
    one.totals = totals(revert_verify=Totals(read=100, different=3))
    reverted(one, "RevertFailed")
    one.approve(ApprovalDecision.SKIP)
    status = one.until("Reverted")
    assert "reverted and verified, except for what was kept as it is: step migrate of phase a after" in status.message


def test_an_irreversible_step_that_was_skipped_before_it_began_stops_nothing() -> None:
    one = world(phase("a", flags("A"), migrate(100, irreversible=True), soak(600, evidence="None")))
    one.until("AwaitingApproval")
    one.approve(ApprovalDecision.REJECT)
    one.until("Rejected")
    one.approve(ApprovalDecision.SKIP)
    one.until("Soaking")
    reverted(one)
    assert undone(one) == ["soak", "migrate", "a"]
    assert "except" not in one.message


def test_an_irreversible_step_is_told_the_only_way_past_it() -> None:
    one = world(phase("a", migrate(100, irreversible=True), soak(600, evidence="None")))
    one.until("AwaitingApproval")
    one.approve()
    one.until("Soaking")
    reverted(one, "RevertFailed")
    assert "spec.attempt" not in one.message
    assert "approve Skip to keep it as it is and go on with the steps in front of it" in one.message
    one.approve(ApprovalDecision.SKIP)
    assert "kept as it is: step migrate of phase a" in one.until("Reverted").message


def test_a_step_that_waits_for_another_try_is_taken_back_too() -> None:
    one = world(phase("a", migrate(100)), onFailure={"action": "Pause"})
    one.until("Migrating")
    run = next(iter(one.runs.values()))
    run.done, run.job_failed, run.failure = 50, True, "boom"
    one.until("StepFailed")
    one.edit(attempt=2)
    one.turn()
    assert one.state is not None
    assert one.state.phases[0].steps["migrate"].state is StepState.PENDING
    reverted(one)
    assert one.order[1:] == ["a2.a.migrate.logs.revert.0", "a2.a.migrate.logs.revert-verify.0"]


def kept() -> World:
    """A rollout whose revert could not be verified, and whose data a person therefore kept."""
    one = world(phase("a", flags("A"), migrate(100), soak(600, evidence="None")))
    one.until("Soaking")
    one.totals = totals(revert_verify=Totals(read=100, different=3))
    reverted(one, "RevertFailed")
    one.approve(ApprovalDecision.SKIP)
    one.until("Reverted")
    one.totals = totals()
    return one


def test_what_a_revert_kept_is_taken_back_by_the_revert_of_a_later_attempt() -> None:
    one = kept()
    one.edit(intent=None, attempt=2)
    one.until("Soaking")
    assert one.runs["a2.a.migrate.logs.migrate.0"].plan.follows is None
    reverted(one)
    walk = one.runs["a2.a.migrate.logs.revert.0"].plan
    assert walk.subjects == ("a1.a.migrate.logs.migrate.0", "a2.a.migrate.logs.migrate.0")
    assert "except" not in one.message


def test_what_a_revert_kept_is_still_named_when_its_step_does_not_come_again() -> None:
    one = kept()
    one.edit(intent=None, attempt=2, phases=[phase("b", soak(600, evidence="None"))])
    one.until("Soaking")
    reverted(one)
    assert "kept as it is: step migrate of phase a" in one.message


def test_flags_that_were_kept_still_know_what_was_before() -> None:
    one = world(phase("a", {**flags("A"), "onRevert": "Keep"}, soak(600, evidence="None")))
    one.until("Soaking")
    reverted(one)
    assert one.config_maps["app-flags"] == {"A": "on"}
    one.edit(intent=None, attempt=2, phases=[phase("a", flags("A"), soak(600, evidence="None"))])
    one.until("Soaking")
    reverted(one)
    assert one.config_maps["app-flags"] == {}


def test_a_flag_that_was_kept_and_is_not_written_any_more_still_goes_back() -> None:
    both = flags("A", set={"A": "on", "B": "on"})
    one = world(phase("a", {**both, "onRevert": "Keep"}, soak(600, evidence="None")))
    one.until("Soaking")
    reverted(one)
    assert one.config_maps["app-flags"] == {"A": "on", "B": "on"}
    one.edit(intent=None, attempt=2, phases=[phase("a", flags("A"), soak(600, evidence="None"))])
    one.until("Soaking")
    reverted(one)
    assert one.config_maps["app-flags"] == {}
