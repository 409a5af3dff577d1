"""Index changes create first, drift is looked for and repaired, what exists is adopted, locks are explained."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.environment_plans import MODULES, index, index_address, spec_index
from tests.environment_world import World, world
from tests.unit.test_environment_life import AUTO, ONE_INDEX, conditions, ready_world

from firelift.api.approval import ApprovalDecision
from firelift.api.environment.status import PlanPurpose
from firelift.environment.observation import RolloutSeen

OLD = spec_index("telemetry", "device", "-time")
NEW = spec_index("telemetry", "device", "tenant", "-time")
DRIFTED = MODULES + index_address("by-device")


def replaced(**changes: Any) -> World:
    """An environment whose index is declared otherwise than it was applied."""
    made = ready_world(**ONE_INDEX, **changes)
    made.edit(indexes={"composite": {"by-device": NEW}})
    return made


def test_a_replaced_index_serves_until_its_successor_is_ready() -> None:
    made = replaced()
    status = made.settle(seconds=2, turns=12)
    assert status.reason == "IndexesBuilding"
    assert "old indexes stay" in status.message
    assert made.removed == []
    assert sum("google_firestore_index" in address for address in made.real) == 2
    made.pass_time(60)
    assert made.settle().reason == "Ready"
    assert [address.partition(".old-")[0] for address in made.removed] == [
        'google_firestore_index.composite["by-device'
    ]
    assert set(made.known) == {DRIFTED, MODULES + "google_firestore_database.this"}


def test_in_manual_the_creation_and_the_removal_are_approved_apart() -> None:
    made = replaced(terraform={"apply": "Manual"})
    first = made.settle()
    assert (first.reason, first.plan_summary) == ("AwaitingApproval", "+1 ~0 -0")
    made.decide()
    made.settle()
    made.pass_time(100)
    second = made.settle()
    assert (second.reason, second.plan_summary) == ("AwaitingApproval", "+0 ~0 -1")
    made.decide()
    assert made.settle().reason == "Ready"


def test_an_index_that_only_gets_another_key_is_moved_and_never_rebuilt() -> None:
    made = ready_world(**ONE_INDEX)
    made.edit(indexes={"composite": {"by-device-and-time": OLD}})
    assert made.settle().reason == "Ready"
    assert made.removed == []
    assert MODULES + index_address("by-device-and-time") in made.known


def test_an_old_index_that_somebody_deletes_meanwhile_is_not_built_again() -> None:
    made = replaced()
    made.settle(seconds=2, turns=12)
    (old,) = (address for address in made.real if ".old-" in address)
    made.real.pop(old)
    made.edit(indexes={"composite": {"by-device": NEW}}, ttls={"x": {"collection": "telemetry", "path": "expireAt"}})
    made.settle(seconds=2)
    assert old not in made.real
    made.pass_time(100)
    assert made.settle().reason == "Ready"


def test_a_kept_index_does_not_stand_for_another_one_that_takes_its_key() -> None:
    made = ready_world(indexes={"composite": {"a": OLD}})
    made.edit(indexes={"composite": {"b": NEW}})
    made.settle(seconds=2, turns=12)
    made.edit(indexes={"composite": {"a": spec_index("users", "name", "age"), "b": NEW}})
    made.settle(seconds=20)
    made.pass_time(100)
    assert made.settle().reason == "Ready"
    assert made.real[MODULES + index_address("a")] == index("users", "name", "age")


@pytest.mark.parametrize("before", [{"a": OLD}, {"a": OLD, "b": NEW}], ids=["taken over", "exchanged"])
def test_keys_that_change_hands_rebuild_nothing_that_is_still_declared(before: dict[str, Any]) -> None:
    made = ready_world(indexes={"composite": before})
    made.edit(indexes={"composite": {"a": NEW, "b": OLD}})
    made.settle(seconds=20)
    made.pass_time(100)
    assert made.settle().reason == "Ready"
    assert made.removed == []
    assert made.real[MODULES + index_address("b")] == index("telemetry", "device", "-time")


def test_a_replacement_that_is_taken_back_finds_the_old_index_still_there() -> None:
    made = replaced()
    made.settle(seconds=2, turns=12)
    built = dict(made.building)
    made.edit(**ONE_INDEX)
    assert made.settle().reason == "Ready"
    assert DRIFTED in made.known
    assert made.real[DRIFTED] == index("telemetry", "device", "-time")
    assert len(made.building) <= len(built), "nothing was built anew"


def test_a_spec_edited_while_an_index_is_to_be_moved_aside_is_planned_from_what_is_there() -> None:
    made = replaced()
    made.turn()
    made.finish()
    made.turn()
    made.edit(indexes={"composite": {}})
    assert made.settle().reason == "Ready"
    assert made.removed == [index_address("by-device")]


def test_an_index_that_a_working_rollout_needs_goes_only_by_name() -> None:
    made = ready_world(**ONE_INDEX)
    made.rollouts = (RolloutSeen("users", working=True, indexes=frozenset({"by-device"})),)
    made.edit(indexes={"composite": {}})
    status = made.settle()
    assert status.reason == "AwaitingApproval"
    assert "needed by rollout users" in status.message
    made.decide(ApprovalDecision.APPROVE, index_address("by-device"), during_rollouts=True)
    assert made.settle().reason == "Ready"
    assert made.removed == [index_address("by-device")]


def test_an_index_that_a_paused_rollout_needs_goes_only_by_name() -> None:
    made = ready_world(**ONE_INDEX)
    made.rollouts = (RolloutSeen("users", working=False, begun=True),)
    made.edit(indexes={"composite": {}})
    assert "needed by rollout users" in made.settle().message
    made.decide(ApprovalDecision.APPROVE, index_address("by-device"))
    assert made.settle().reason == "Ready", "nothing is waited for: the rollout stands still"


def test_an_index_that_nobody_needs_goes_by_itself() -> None:
    made = ready_world(**ONE_INDEX)
    made.rollouts = (
        RolloutSeen("others", working=False, begun=True, indexes=frozenset({"by-name"})),
        RolloutSeen("over", working=False),
    )
    made.edit(indexes={"composite": {}})
    assert made.settle().reason == "Ready"
    assert made.removed == [index_address("by-device")]


def test_no_index_goes_while_a_declared_one_is_not_ready() -> None:
    made = ready_world(indexes={"composite": {"a": OLD, "b": NEW}})
    made.building[MODULES + index_address("b")] = made.now + timedelta(seconds=300)
    made.edit(indexes={"composite": {"b": NEW}})
    assert made.settle().reason == "IndexesBuilding"
    assert made.removed == []
    made.pass_time(300)
    assert made.settle().reason == "Ready"
    assert made.removed == [index_address("a")]


# Drift


def test_drift_is_looked_for_on_its_own_schedule_and_keeps_the_ground_ready() -> None:
    made = ready_world(terraform={"driftIntervalSeconds": 600}, **ONE_INDEX)
    made.real.pop(DRIFTED)
    made.real[DRIFTED.replace("by-device", "x")] = index("telemetry", "device", "-time")
    made.pass_time(1000)
    status = made.settle()
    assert status.reason == "Ready"
    assert conditions(status)["Drifted"] == "True"
    assert conditions(status)["AwaitingApproval"] == "True"
    assert status.drift is not None
    (found,) = status.drift.changes
    assert found.address == index_address("by-device")
    assert found.sentence == "it was deleted outside of Terraform"
    assert status.plan is not None
    assert status.plan.purpose is PlanPurpose.DRIFT


def test_drift_grows_old_while_it_is_found_again_and_the_same_plan_keeps_its_digest() -> None:
    made = ready_world(terraform={"driftIntervalSeconds": 600})
    made.real[MODULES + "google_firestore_database.this"]["concurrency_mode"] = "PESSIMISTIC"
    made.pass_time(1000)
    first = made.settle()
    made.pass_time(7200)
    second = made.settle()
    assert first.plan is not None
    assert second.plan is not None
    assert (first.plan.digest, first.plan.created_time) != (second.plan.digest, second.plan.created_time)
    assert first.plan.digest == second.plan.digest
    assert second.drift_summary == "1 since 2h"
    made.decide()
    third = made.settle()
    assert conditions(third)["Drifted"] == "False"
    assert third.drift_summary == "no"


def test_drift_that_has_gone_by_itself_is_forgotten() -> None:
    made = ready_world(terraform={"driftIntervalSeconds": 600})
    database = MODULES + "google_firestore_database.this"
    before = dict(made.real[database])
    made.real[database]["concurrency_mode"] = "PESSIMISTIC"
    made.pass_time(1000)
    assert made.settle().plan is not None
    made.real[database] = before
    made.pass_time(1000)
    status = made.settle()
    assert status.plan is None
    assert conditions(status)["Drifted"] == "False"


def test_auto_repairs_drift_that_loses_nothing() -> None:
    made = ready_world(terraform={"apply": "Auto", "driftIntervalSeconds": 600}, **ONE_INDEX)
    made.real.pop(DRIFTED)
    made.pass_time(1000)
    made.settle()
    assert DRIFTED in made.real


def test_a_look_for_drift_that_fails_leaves_the_ground_ready_and_says_so() -> None:
    made = ready_world(terraform={"driftIntervalSeconds": 600})
    made.failing = "Error: 503"
    made.pass_time(1000)
    status = made.settle()
    assert status.reason == "Ready"
    assert "the last plan failed: Error: 503" in status.message


def test_a_spec_edited_while_drift_is_looked_for_makes_the_ground_unready_at_once() -> None:
    made = ready_world(terraform={"driftIntervalSeconds": 600})
    made.pass_time(1000)
    assert made.turn().status.reason == "Ready"
    made.edit(**ONE_INDEX)
    status = made.turn().status
    assert (status.reason, conditions(status)["Ready"]) == ("Planning", "False")


def test_a_higher_attempt_looks_for_drift_whatever_the_interval() -> None:
    made = ready_world(terraform={"apply": "Auto", "driftIntervalSeconds": 0}, **ONE_INDEX)
    made.real.pop(DRIFTED)
    assert made.settle().reason == "IndexesBuilding"
    made.edit(attempt=2)
    made.settle()
    assert DRIFTED in made.real


def test_no_drift_is_looked_for_when_the_interval_is_zero() -> None:
    made = ready_world(terraform={"driftIntervalSeconds": 0})
    runs = made.state.runs if made.state else 0
    made.pass_time(1_000_000)
    made.settle()
    assert made.state is not None
    assert made.state.runs == runs


# Adoption


def test_an_index_that_exists_already_is_imported_by_the_next_plan() -> None:
    made = ready_world()
    made.real["projects/p/databases/d/collectionGroups/telemetry/indexes/x"] = index("telemetry", "device", "-time")
    made.edit(**ONE_INDEX)
    status = made.settle()
    assert status.reason == "Ready"
    assert DRIFTED in made.known
    assert any(event.reason == "Adopting" for event in made.events)
    assert made.serial == 3, "one apply met it, the next one took it over"


def test_a_lost_memory_is_made_anew_without_changing_anything() -> None:
    made = ready_world(**ONE_INDEX)
    serial, made.state = made.serial, None
    assert made.settle().reason == "Ready"
    assert made.serial == serial


def test_a_clock_that_jumps_back_makes_nothing_wait_for_the_time_it_came_from() -> None:
    made = world(**AUTO)
    made.failing = "Error: 503"
    made.settle()
    made.failing = ""
    made.pass_time(-1_000_000)
    made.settle()
    made.pass_time(60)
    assert made.settle().reason == "Ready"
