"""`spec.requires`: a rollout stands on its environment, and goes back without it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.rollout_specs import APPROVE, DELETE, SWEEP, VERIFY, flags, gate, migrate, phase, soak
from tests.rollout_world import START, World, ground, unplanned

from firelift.api.conditions import ConditionStatus
from firelift.api.gates import GateSpec
from firelift.api.measurement import Window
from firelift.kube.grounds import parse
from firelift.operator.measure import measure_environment
from firelift.rollout.gates import judge
from firelift.rollout.ground import ConditionSeen, EnvironmentSeen

REQUIRES = {"environment": {"name": "prod"}}


def standing(*phases: dict[str, Any], on: EnvironmentSeen | None = None, **changes: Any) -> World:
    """A rollout that requires the environment `prod`, which is as given, or not there."""
    one = unplanned(*(phases or (phase("a", migrate(10)), phase("b", migrate(100)))), requires=REQUIRES, **changes)
    one.environments = {} if on is None else {"prod": on}
    return one


@pytest.mark.parametrize(
    ("seen", "reason", "sentence"),
    [
        (None, "WaitingForEnvironment", "FirestoreEnvironment prod: there is none of that name in this namespace"),
        (EnvironmentSeen(error="GET x: 403"), "WaitingForEnvironment", "prod: GET x: 403; it is looked at again"),
        (ground("False"), "WaitingForEnvironment", "Ready is False, IndexesBuilding since 2026-01-01T00:00:00Z: telem"),
        (ground("Unknown"), "WaitingForEnvironment", "Ready is Unknown"),
        (ground(observed=1), "WaitingForEnvironment", "its generation 2 has not been looked at yet, only 1"),
        (ground(conditions={}), "WaitingForEnvironment", "it has no Ready condition yet"),
        (ground(deleting=True), "WaitingForEnvironment", "it is being deleted"),
        (
            replace(ground(observed=1), observed_generation=2),
            "WaitingForEnvironment",
            "its Ready speaks of generation 1, and it is at 2",
        ),
        (ground(project="other"), "InvalidSpec", "declares database (default) of project other, and spec.database is"),
        (ground(database="reports"), "InvalidSpec", "declares database reports of project demo-project"),
    ],
)
def test_no_phase_starts_before_the_environment_is_ready(
    seen: EnvironmentSeen | None, reason: str, sentence: str
) -> None:
    one = standing(on=seen)
    status = one.until(reason)
    assert sentence in status.message
    assert status.waiting_for is not None
    assert status.waiting_for.name == "FirestoreEnvironment prod"
    assert (one.runs, one.plan_runs, status.started_phases) == ({}, {}, ())
    one.environments["prod"] = ground()
    one.until("Completed")


def test_an_environment_that_degrades_holds_the_next_phase_and_not_the_one_under_way() -> None:
    one = standing(phase("a", migrate(10), soak(60, evidence="None")), phase("b", migrate(100)), on=ground())
    one.until("Soaking")
    one.environments["prod"] = ground("False")
    status = one.until("WaitingForEnvironment")
    assert status.started_phases == ("a",)
    assert [each.state for each in status.phases] == ["Done", "Pending"]
    assert status.waiting_for is not None
    assert status.waiting_for.since == START


def test_the_first_write_behind_an_approval_asks_again() -> None:
    one = standing(phase("a", APPROVE, flags(), migrate(100)), on=ground())
    one.until("AwaitingApproval")
    one.environments["prod"] = ground("False")
    one.approve()
    one.until("WaitingForEnvironment")
    assert one.config_maps["app-flags"] == {}
    one.environments["prod"] = ground()
    one.until("Completed")


@pytest.mark.parametrize(
    ("last", "key"),
    [(SWEEP, "sweep"), (flags(), "read-new"), (DELETE, "delete"), (migrate(100), "later")],
    ids=["sweep", "flags", "delete", "migrate"],
)
def test_every_step_that_changes_something_waits_for_the_environment(last: dict[str, Any], key: str) -> None:
    steps = [migrate(10), soak(60, evidence="None"), APPROVE, {"name": key, **last}]
    one = standing(phase("a", *steps), on=ground())
    one.until("AwaitingApproval")
    one.environments["prod"] = ground("False")
    one.approve()
    status = one.until("WaitingForEnvironment")
    assert {step.name: step.state for step in status.phases[0].steps}[key] == "Pending"
    one.environments["prod"] = ground()
    one.until("Completed")


def test_what_only_looks_goes_on_while_the_environment_is_not_ready() -> None:
    one = standing(phase("a", migrate(100), soak(60, evidence="None"), VERIFY), on=ground())
    one.until("Soaking")
    one.environments["prod"] = ground("False")
    one.until("Completed")


def test_a_rehearsal_goes_back_while_the_environment_is_not_ready() -> None:
    one = standing(phase("a", migrate(10), VERIFY, rehearse=True), phase("b", migrate(100)), on=ground())
    one.until("Verifying")
    one.environments["prod"] = ground("False")
    status = one.until("WaitingForEnvironment", turns=200)
    assert status.phases[0].rehearsal == "Done"
    one.environments["prod"] = ground()
    one.until("Completed")


@pytest.mark.parametrize("seen", [None, ground("False"), ground(project="other"), EnvironmentSeen(error="403")])
def test_a_revert_does_not_look_at_the_environment(seen: EnvironmentSeen | None) -> None:
    one = standing(on=ground())
    one.until("Completed")
    one.environments = {} if seen is None else {"prod": seen}
    one.edit(intent="Revert", revertTo="RolloutStart")
    one.until("Reverted")


@pytest.mark.parametrize("mode", ["DryRun", "Validate"])
def test_what_writes_nothing_needs_no_environment(mode: str) -> None:
    one = standing(mode=mode)
    one.until("Completed")


TEN = timedelta(seconds=10)


def fact(status: str, generation: int = 2) -> EnvironmentSeen:
    said = ConditionSeen(ConditionStatus(status), "R", "telemetry-by-device is CREATING, 41%", generation, START)
    return ground(conditions={"IndexesReady": said})


@pytest.mark.parametrize(
    ("seen", "limit", "verdict", "message"),
    [
        (fact("True"), {"min": "1"}, "Pass", "1 ≥ 1; IndexesReady is True"),
        (fact("False"), {"min": "1"}, "Fail", "0 < 1; IndexesReady is False since 2026-01-01T00:00:00Z: telemetry-by"),
        (fact("False"), {"max": "0"}, "Pass", "0 ≤ 0"),
        (fact("True"), {"max": "0"}, "Fail", "1 > 0"),
        (fact("Unknown"), {"min": "1"}, "NoData", "prod does not know of IndexesReady yet"),
        (fact("True", 1), {"min": "1"}, "NoData", "IndexesReady speaks of generation 1, prod is at 2"),
        (ground(), {"min": "1"}, "NoData", "prod does not know of IndexesReady yet"),
        (EnvironmentSeen(), {"min": "1"}, "Error", "there is no FirestoreEnvironment prod in this namespace"),
        (EnvironmentSeen(error="GET x: 403"), {"min": "1"}, "Error", "GET x: 403"),
    ],
)
def test_a_gate_on_an_environment_is_judged_by_its_condition(
    seen: EnvironmentSeen, limit: dict[str, str], verdict: str, message: str
) -> None:
    spec = indexes_gate(limit=limit)
    assert spec.environment is not None
    window = Window(START - TEN, START)
    judged = judge(spec, window, measure_environment(spec, spec.environment, window, {"prod": seen}, START))
    assert judged.verdict == verdict
    assert message in judged.message


def test_a_window_that_was_missed_stays_without_a_verdict() -> None:
    spec = indexes_gate()
    assert spec.environment is not None
    window = Window(START - TEN, START)
    late = measure_environment(spec, spec.environment, window, {"prod": fact("True")}, START + timedelta(hours=1))
    assert judge(spec, window, late).verdict == "NoData"


@pytest.mark.parametrize(
    ("seen", "verdict", "sentence"),
    [
        (fact("True"), "Pass", "answers: 1 ≥ 1; IndexesReady is True"),
        (fact("False"), "Warn", "fails already, before anything has moved: 0 < 1"),
        (fact("Unknown"), "Warn", "has no verdict yet: prod does not know of IndexesReady yet"),
        (EnvironmentSeen(), "Fail", "cannot be judged: there is no FirestoreEnvironment prod in this namespace"),
    ],
)
def test_a_gate_on_an_environment_is_tried_by_the_plan(seen: EnvironmentSeen, verdict: str, sentence: str) -> None:
    one = unplanned(phase("a", migrate(10)), phase("b", migrate(100), gates=[on_indexes()]))
    one.environments = {"prod": seen}
    status = one.until("PreflightFailed" if verdict == "Fail" else "Migrating")
    (check,) = status.preflight
    assert (check.check, check.verdict) == ("gate b/indexes", verdict)
    assert sentence in check.message
    if verdict == "Fail":
        assert one.runs == {}
        one.environments = {"prod": fact("True")}
        one.until("Completed")


def test_an_index_that_is_lost_while_a_phase_soaks_fails_its_gate() -> None:
    own = on_indexes()
    one = unplanned(phase("a", migrate(100), soak(600)), gates=[own])
    one.environments = {"prod": fact("True")}
    one.until("Soaking")
    one.environments = {"prod": fact("False")}
    status = one.until("Reverted", seconds=20)
    assert "gate indexes" in status.message


ASKED = {"name": "prod", "condition": "IndexesReady"}


def on_indexes() -> dict[str, Any]:
    own = gate("indexes", environment=ASKED, limit={"min": "1"})
    del own["cloudMonitoring"]
    return own


def indexes_gate(**changes: Any) -> GateSpec:
    spec = {"name": "indexes", "environment": ASKED, "limit": {"min": "1"}, "delaySeconds": 0, **changes}
    return GateSpec.model_validate(spec)


def test_an_environment_is_read_as_far_as_it_fits() -> None:
    right = {
        "type": "Ready",
        "status": "False",
        "reason": "IndexesBuilding",
        "message": "8/9",
        "observedGeneration": 3,
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    seen = parse(
        {
            "metadata": {"generation": 3},
            "spec": {"project": {"id": "p"}, "database": {"location": "nam5"}},
            "status": {"observedGeneration": 3, "conditions": [right, {"type": "Drifted", "status": "Perhaps"}]},
        }
    )
    assert (seen.project, seen.database, seen.generation, seen.observed_generation) == ("p", "(default)", 3, 3)
    assert dict(seen.conditions) == {"Ready": ConditionSeen(ConditionStatus.FALSE, "IndexesBuilding", "8/9", 3, START)}
