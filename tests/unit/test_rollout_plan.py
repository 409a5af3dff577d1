"""The plan in front of the first write: made, shown, objected to, and made again when what it speaks of changes."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from tests.rollout_rules import names
from tests.rollout_specs import APPROVE, gate, migrate, migration, phase, soak
from tests.rollout_world import START, unplanned, world

from firelift.api.measurement import Measurement
from firelift.api.plan import Check, CheckVerdict
from firelift.api.run import RunKind
from firelift.rollout.observation import PlanMapSeen

FAILING = Check(check="write", verdict=CheckVerdict.FAIL, message="the worker may not write")
WARNING = Check(check="lossy logs", verdict=CheckVerdict.WARN, message="ts goes")


def test_a_plan_run_comes_first_and_is_shown_before_the_phase_starts() -> None:
    one = unplanned(phase("a", migrate(10)), gates=[gate()])
    one.quick_plans = False
    assert names(one.turn()) == ["ClaimLedger"]
    assert names(one.turn()) == ["EnsureRun", "EnsureJob"]
    assert (one.reason, one.runs) == ("Planning", {})
    (run,) = one.plan_runs.values()
    assert run.plan.kind is RunKind.PLAN
    one.work()
    assert names(one.turn()) == ["ShowPlan"]
    assert one.turn().status.started_phases == ("a",)
    assert one.status is not None
    assert one.status.plan is not None
    assert [(each.name, each.documents) for each in one.status.plan.phases] == [("a", 100)]
    assert one.status.plan.digest in one.shown["plan.txt"]
    assert json.loads(one.shown["plan.json"])["digest"] == one.status.plan.digest
    assert [check.check for check in one.status.preflight] == ["gate error-rate"]


def test_a_failing_check_stops_the_rollout_until_an_edit_or_a_higher_attempt() -> None:
    one = unplanned(phase("a", migrate(10)))
    one.checks = (WARNING, FAILING)
    one.until("PreflightFailed")
    assert "preflight: write: the worker may not write; nothing was written" in one.message
    assert one.runs == {}
    assert one.status is not None
    assert one.status.started_phases == ()
    one.checks = (WARNING,)
    one.turn()
    assert one.reason == "PreflightFailed"
    one.edit(attempt=2)
    assert one.until("Completed").attempt == 2


def test_an_edit_of_what_is_to_come_makes_a_new_plan_and_one_of_the_pace_does_not() -> None:
    one = world(phase("a", migrate(1), APPROVE), phase("b", migrate(10)))
    one.until("AwaitingApproval")
    assert one.status is not None
    assert one.status.plan is not None
    first = one.status.plan.digest
    one.edit(pace={"batchSize": 3})
    one.turn()
    assert one.status.plan.digest == first
    one.edit(phases=[phase("a", migrate(1), APPROVE), phase("b", migrate(20))])
    one.turn()
    assert one.reason == "AwaitingApproval"
    assert one.status.plan.digest != first
    assert [run.plan.pass_number for run in one.plan_runs.values()] == [2]


def test_an_approval_of_another_plan_approves_nothing() -> None:
    one = world(phase("a", migrate(1), APPROVE))
    one.until("AwaitingApproval")
    assert one.status is not None
    assert one.status.approval is not None
    seen = one.status.approval.digest
    one.edit(worker={"serviceAccountName": "another"})
    one.turn()
    assert one.status.approval is not None
    assert one.status.approval.digest != seen
    one.approve(digest=seen)
    one.turn()
    assert one.reason == "AwaitingApproval"
    one.approve()
    one.until("Completed")


def test_a_gate_that_does_not_answer_is_asked_again_by_itself() -> None:
    one = unplanned(phase("a", migrate(10)), gates=[gate()])
    one.measure = lambda _, end: Measurement(None, 0, "1", "q", end, error="UNAVAILABLE: no route")
    one.until("PreflightFailed")
    assert "gate error-rate: cannot be judged: UNAVAILABLE: no route" in one.message
    one.measure = lambda *_: 0.0
    while one.reason == "PreflightFailed":
        assert one.due <= one.now + timedelta(seconds=10)
        one.now = one.due
        one.turn()
    assert one.now < START + timedelta(seconds=20)
    one.until("Completed")
    assert len(one.plan_runs) == 1


def test_a_metric_without_points_is_a_warning_in_the_plan_and_no_success_at_its_gate() -> None:
    one = unplanned(phase("a", migrate(10), soak(60)), gates=[gate()])
    one.measure = lambda _, end: Measurement(None, 0, "1", "q", end, absent="no points yet: Cannot find metric(s)")
    one.until("Soaking")
    assert one.status is not None
    (check,) = one.status.preflight
    assert (check.check, check.verdict) == ("gate error-rate", CheckVerdict.WARN)
    assert check.message.startswith("has no verdict yet: no points yet: Cannot find metric(s)")
    one.pass_time(3600)
    one.turn()
    assert one.reason != "Completed"
    assert one.status.gates[0].verdict == "NoData"


def test_a_plan_that_lacks_an_index_is_made_again_until_it_is_there() -> None:
    one = unplanned(phase("a", migrate(10)))
    one.checks = (Check(check="index logs", verdict=CheckVerdict.FAIL, message="it is building"),)
    one.until("PreflightFailed")
    assert "indexes are looked for again every 5 minutes" in one.message
    one.turn()
    assert one.due == one.now + timedelta(minutes=5) or one.due <= START + timedelta(minutes=6)
    for number in range(2, 6):
        one.now = one.due
        one.turn()
        one.until("PreflightFailed")
        assert [run.plan.pass_number for run in one.plan_runs.values()] == [number], "the one before is gone"
    assert [event.reason for event in one.events] == ["PreflightFailed"], "what is as it was is no news"
    one.checks = ()
    one.now = one.due
    one.until("Completed")
    assert [run.plan.pass_number for run in one.plan_runs.values()] == [6]


def test_somebody_elses_config_map_is_left_as_it_is() -> None:
    one = unplanned(phase("a", migrate(10)))
    one.plan_map = PlanMapSeen(exists=True)
    one.until("PreflightFailed")
    assert "ConfigMap users-plan is there and is not this rollout's" in one.message
    assert one.shown == {}


def test_a_job_that_gives_up_is_a_failing_check() -> None:
    one = unplanned(phase("a", migrate(10)))
    one.quick_plans = False
    while not one.plan_runs:
        one.turn()
    (run,) = one.plan_runs.values()
    run.job_failed, run.failure = True, "PERMISSION_DENIED on the ledger"
    one.until("PreflightFailed")
    assert "has not answered: PERMISSION_DENIED on the ledger" in one.message


@pytest.mark.parametrize(
    ("mode", "kind", "says"), [("DryRun", "dry-run", "dry run: "), ("Validate", "validate", "valid")]
)
def test_a_trial_starts_no_phase_and_migrate_goes_on_from_it(mode: str, kind: str, says: str) -> None:
    both = [migration("logs"), migration("tasks")]
    one = unplanned(phase("a", migrate(10, "logs", "tasks")), migrations=both, mode=mode)
    status = one.until("Completed")
    assert status.message.startswith(says)
    assert (status.started_phases, one.locks) == ((), {})
    assert {run.plan.kind for run in one.runs.values()} == {RunKind(kind)}
    assert [run.plan.migration.name for run in one.runs.values()] == ["logs", "tasks"]
    one.edit(mode="Migrate")
    one.turn()
    assert one.until("Completed").started_phases == ("a",)


def test_a_mode_that_writes_nothing_has_no_place_in_a_phase_under_way() -> None:
    one = world(phase("a", migrate(10)))
    one.until("Migrating")
    one.edit(mode="DryRun")
    one.turn()
    assert one.reason == "InvalidSpec"
    assert "phase a is under way: workers idle" in one.message
    one.edit(mode="Migrate")
    one.until("Completed")
