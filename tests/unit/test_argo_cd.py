from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from tests.argo_cd import Json, act, actions, health, kinds
from tests.environment_world import World as Ground
from tests.environment_world import world as ground
from tests.manifests import rollout as manifest

from firelift.api.conditions import Reason, conditions_of
from firelift.api.environment.conditions import EnvironmentReason
from firelift.api.rollout import RolloutSpec

SUSPENDED = {Reason.SUSPENDED, Reason.AWAITING_APPROVAL}


def rollout(reason: Reason = Reason.MIGRATING, *, observed: int = 3, **spec: Any) -> Json:
    """As the API server has it after the operator has told of it."""
    told = [{"type": kind.value, "status": status.value} for kind, status in conditions_of(reason).items()]
    status = {"reason": reason.value, "message": "a sentence", "observedGeneration": observed, "conditions": told}
    return {
        **deepcopy(manifest()),
        "metadata": {"name": "logs", "namespace": "team", "generation": 3},
        "status": status,
        "spec": manifest()["spec"] | spec,
    }


def environment(made: Ground) -> Json:
    """As the API server has it after the operator has told of it."""
    assert made.status is not None
    status = made.status.model_dump(mode="json", by_alias=True, exclude_none=True)
    metadata = {"name": "prod", "namespace": "team", "generation": made.environment.generation}
    return {"kind": "FirestoreEnvironment", "metadata": metadata, "spec": {}, "status": status}


def test_every_kind_has_a_health() -> None:
    assert kinds() == {"MigrationRollout", "FirestoreEnvironment", "MigrationApproval"}


@pytest.mark.parametrize("reason", Reason)
def test_the_health_of_a_rollout_follows_from_its_state(reason: Reason) -> None:
    told = {kind.value: status.value for kind, status in conditions_of(reason).items()}
    expected = "Progressing"
    if reason in SUSPENDED:
        expected = "Suspended"
    elif told["Succeeded"] == "True":
        expected = "Healthy"
    elif told["Stalled"] == "True":
        expected = "Degraded"
    assert health(rollout(reason)) == (expected, f"{reason}: a sentence")


def test_a_status_of_an_older_manifest_says_nothing_of_its_health() -> None:
    for stale in (rollout(Reason.COMPLETED, observed=2), {**rollout(), "status": {}}, without(rollout(), "status")):
        assert health(stale) == ("Progressing", "waiting for the operator to look at this generation")


def test_what_is_being_deleted_is_progressing() -> None:
    going = rollout(Reason.ABORTED)
    going["metadata"]["deletionTimestamp"] = "2026-11-21T08:00:00Z"
    assert health(going)[0] == "Progressing"


def test_the_health_of_an_environment_follows_from_its_state() -> None:
    made, seen = ground(indexes={"composite": {}}), {}
    made.settle()
    seen["asked"] = health(environment(made))
    made.approve_all()
    made.settle()
    seen["ready"] = health(environment(made))
    made.edit(suspend=True)
    made.turn()
    seen["suspended"] = health(environment(made))
    made.edit(suspend=False, database={"location": "eur3"})
    seen["edited"] = health(environment(made))
    assert {name: told for name, (told, _) in seen.items()} == {
        "asked": "Suspended",
        "ready": "Healthy",
        "suspended": "Suspended",
        "edited": "Progressing",
    }


@pytest.mark.parametrize("reason", [EnvironmentReason.INVALID_SPEC, EnvironmentReason.PLAN_FAILED])
def test_an_environment_that_needs_a_person_is_degraded(reason: EnvironmentReason) -> None:
    told = [{"type": "Ready", "status": "False"}, {"type": "Stalled", "status": "True"}]
    status = {"reason": reason.value, "message": "mend it", "observedGeneration": 1, "conditions": told}
    found = {"kind": "FirestoreEnvironment", "metadata": {"generation": 1}, "spec": {}, "status": status}
    assert health(found) == ("Degraded", f"{reason}: mend it")


def test_an_approval_is_healthy_and_says_whose_it_is() -> None:
    spec = {"decision": "Approve", "digest": "sha256:00", "approver": "ann@example.com"}
    assert health({"kind": "MigrationApproval", "spec": spec}) == ("Healthy", "Approve of sha256:00 by ann@example.com")


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("pause", {"suspend": True}),
        ("revert-phase", {"intent": "Revert", "revertTo": "PhaseStart"}),
        ("revert-rollout", {"intent": "Revert", "revertTo": "RolloutStart"}),
        ("abort", {"intent": "Abort"}),
    ],
)
def test_an_action_changes_only_what_on_call_owns_and_leaves_a_valid_rollout(name: str, changes: Json) -> None:
    before = rollout()
    after = act(before, name)
    assert after["spec"] == before["spec"] | changes
    assert without(after, "spec") == without(before, "spec")
    RolloutSpec.model_validate(after["spec"])


def test_resume_removes_the_field_so_that_nobody_owns_it() -> None:
    assert act(rollout(suspend=True), "resume") == rollout()
    paused: Json = {"kind": "FirestoreEnvironment", "spec": {"suspend": True}}
    assert act(paused, "resume")["spec"] == {}


def test_a_revert_wakes_what_is_suspended() -> None:
    assert "suspend" not in act(rollout(suspend=True), "revert-rollout")["spec"]


EVERYTHING = {"pause", "revert-phase", "revert-rollout", "abort"}


@pytest.mark.parametrize(
    ("found", "possible"),
    [
        (rollout(), EVERYTHING),
        ({**rollout(), "status": {}}, EVERYTHING),
        (rollout(Reason.SUSPENDED, suspend=True), EVERYTHING - {"pause"} | {"resume"}),
        (rollout(Reason.REVERTING, intent="Revert"), {"pause"}),
        (rollout(Reason.ABORTED, intent="Abort"), {"revert-phase", "revert-rollout"}),
        (rollout(Reason.REVERTED), set()),
        (rollout(Reason.COMPLETED), set()),
    ],
)
def test_an_action_can_be_chosen_only_where_it_does_something(found: Json, possible: set[str]) -> None:
    assert {name for name, can in actions(found).items() if can} == possible


def test_a_success_can_be_taken_back_while_the_way_is_open() -> None:
    done = rollout(Reason.COMPLETED)
    done["status"]["revertibleUntil"] = "2026-12-21T08:00:00Z"
    assert {name for name, can in actions(done).items() if can} == {"revert-phase", "revert-rollout"}


def without(found: Json, name: str) -> Json:
    """The object without this part."""
    return {key: value for key, value in found.items() if key != name}
