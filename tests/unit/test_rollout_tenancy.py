"""Where the namespace may not touch the database nothing goes forward, and what was written can be taken back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.rollout_specs import VERIFY, flags, gate, migrate, phase, soak
from tests.rollout_world import World, unplanned, world

from firelift.api.approval import ApprovalDecision
from firelift.api.conditions import Reason
from firelift.api.tenancy import DATABASES, Tenancy
from firelift.rollout.intents import ClaimLedger
from firelift.rollout.observation import Owner

NOT_ALLOWED = Tenancy("demo", databases="gym-prod/*")
BARRED = {Reason.DATABASE_NOT_ALLOWED, Reason.BUCKET_NOT_ALLOWED}
PHASES = (phase("one", migrate(1), VERIFY), phase("all", migrate(100), VERIFY))


def _withdraw(one: World) -> None:
    one.rollout = replace(one.rollout, tenancy=NOT_ALLOWED)


def _allow(one: World) -> None:
    one.rollout = replace(one.rollout, tenancy=Tenancy("demo", databases="demo-project/*"))


def _turns(one: World, count: int = 5) -> None:
    for _ in range(count):
        one.turn()
        one.work()
        one.pass_time(10)


def test_a_rollout_that_was_never_allowed_claims_nothing() -> None:
    one = unplanned(*PHASES)
    _withdraw(one)
    _turns(one)

    assert one.reason == "DatabaseNotAllowed"
    assert one.message == (
        "spec.database: namespace demo may not touch database demo-project/(default): its annotation "
        f"{DATABASES} allows gym-prod/*; whoever may edit the Namespace adds to it; nothing of it is read or written"
    )
    assert (one.owner, one.runs, one.plan_runs, one.locks, one.finalizer) == (None, {}, {}, {}, False)
    _allow(one)
    one.until("Completed")


@pytest.mark.parametrize("decision", [ApprovalDecision.ADOPT, ApprovalDecision.APPROVE])
def test_a_ledger_of_another_is_not_adopted_by_who_may_not_touch_the_database(decision: ApprovalDecision) -> None:
    one = unplanned(*PHASES)
    _withdraw(one)
    one.owner = Owner("c", "somebody", "shop/orders")
    one.turn()
    one.approve(decision)
    _turns(one)

    assert one.reason == "DatabaseNotAllowed"
    assert "shop/orders" not in one.message
    assert one.owner == Owner("c", "somebody", "shop/orders")


def test_workers_idle_when_the_permission_ends_and_go_on_when_it_comes_back() -> None:
    one = world(*PHASES)
    one.until("Migrating")
    _withdraw(one)
    _turns(one)

    assert one.reason == "DatabaseNotAllowed"
    assert "nothing goes forward, and it goes on by itself when that is allowed" in one.message
    assert "spec.intent: Revert takes back what stands" in one.message
    assert {run.state.value for run in one.runs.values() if not run.complete} == {"Hold"}
    _allow(one)
    one.until("Completed")


def _told(one: World) -> list[tuple[str, bool]]:
    """The Events of a permission, each with whether it is a warning."""
    return [(each.reason, each.warning) for each in one.events if each.reason in {*BARRED, "Allowed"}]


def test_the_end_of_a_permission_and_its_return_are_each_told_by_one_event() -> None:
    one = world(*PHASES)
    one.until("Migrating")
    for times in (1, 2):
        _withdraw(one)
        _turns(one)
        _allow(one)
        _turns(one, 2)
        assert _told(one) == [("DatabaseNotAllowed", True), ("Allowed", False)] * times
    one.until("Completed")
    told = {each.reason: each.message for each in one.events}
    assert "may not touch database demo-project/(default)" in told["DatabaseNotAllowed"]
    assert "goes on by itself when that is allowed" in told["DatabaseNotAllowed"]
    assert told["Allowed"] == "namespace demo may touch all that the spec names: it goes on"


def test_another_place_that_is_not_allowed_is_told_as_well_and_another_list_is_not() -> None:
    export = {"name": "copy", "backup": {"export": {"bucket": "gs://gym-backups/nightly"}}}
    one = world(phase("one", migrate(1), export))
    one.until("Migrating")
    _withdraw(one)
    _turns(one)
    one.rollout = replace(one.rollout, tenancy=Tenancy("demo", databases="gym-prod/* gym-staging/*"))
    _turns(one)
    one.rollout = replace(one.rollout, tenancy=Tenancy("demo", databases="demo-project/*"))
    _turns(one)
    assert _told(one) == [("DatabaseNotAllowed", True), ("BucketNotAllowed", True)]


def test_nothing_is_told_of_a_permission_that_the_way_back_does_not_need() -> None:
    one = world(*PHASES)
    one.until("Migrating")
    _withdraw(one)
    _turns(one)
    one.edit(intent="Revert", revertTo="RolloutStart")
    one.until("Reverting")
    _allow(one)
    one.until("Reverted")
    assert _told(one) == [("DatabaseNotAllowed", True)]


def test_what_was_suspended_meanwhile_is_told_when_it_goes_on() -> None:
    one = world(*PHASES)
    one.until("Migrating")
    _withdraw(one)
    _turns(one)
    one.edit(suspend=True)
    _allow(one)
    _turns(one)
    assert _told(one) == [("DatabaseNotAllowed", True)]
    one.edit(suspend=False)
    one.turn()
    assert _told(one)[1:] == [("Allowed", False)]


def test_the_clock_of_a_soak_stands_still_and_no_gate_is_asked_meanwhile() -> None:
    one = world(phase("one", migrate(1), soak(600)), gates=[gate()])
    one.until("Soaking")
    asked: list[str] = []

    def measure(name: str, _end: object) -> float:
        asked.append(name)
        return 0.9

    one.measure = measure
    _withdraw(one)
    one.turn()
    asked.clear()
    for _ in range(20):
        one.turn()
        one.pass_time(60)
    assert (one.reason, asked) == ("DatabaseNotAllowed", [])
    one.measure = lambda _gate, _end: 0.0
    _allow(one)
    one.turn()
    assert one.reason == "Soaking"
    one.until("Completed")


def test_what_was_written_while_it_was_allowed_can_be_taken_back() -> None:
    one = world(phase("one", flags("WRITE_BOTH"), migrate(1), VERIFY), PHASES[1])
    one.until("Migrating")
    _withdraw(one)
    _turns(one)
    one.edit(intent="Revert", revertTo="RolloutStart")

    one.until("Reverted")
    _turns(one)
    assert one.config_maps["app-flags"] == {}
    assert (one.owner, one.locks) == (None, {})


def test_a_revert_goes_on_when_the_permission_ends() -> None:
    one = world(*PHASES)
    one.until("Migrating")
    one.edit(intent="Revert", revertTo="RolloutStart")
    one.until("Reverting")
    _withdraw(one)
    one.until("Reverted")


def test_a_completed_rollout_stays_so_and_can_be_taken_back() -> None:
    one = world(*PHASES)
    one.until("Completed")
    _turns(one)
    _withdraw(one)
    _turns(one)
    assert one.reason == "Completed"
    one.edit(intent="Revert", revertTo="RolloutStart")
    one.until("Reverted")


def test_another_attempt_waits_for_the_permission() -> None:
    one = world(*PHASES)
    one.until("Migrating")
    one.edit(intent="Revert", revertTo="RolloutStart")
    one.until("Reverted")
    _turns(one)
    _withdraw(one)
    _turns(one)
    assert one.reason == "Reverted"
    one.edit(intent=None, revertTo=None, attempt=2)
    _turns(one)
    assert (one.reason, one.owner) == ("DatabaseNotAllowed", None)
    assert not any(isinstance(intent, ClaimLedger) for intent in one.intents)
    _allow(one)
    one.until("Completed")


@pytest.mark.parametrize("policy", ["Retain", "Revert"])
def test_a_rollout_that_may_not_go_on_can_be_deleted(policy: str) -> None:
    one = world(*PHASES, deletionPolicy=policy)
    one.until("Migrating")
    _withdraw(one)
    _turns(one)
    one.delete()
    _turns(one, 40)

    assert (one.finalizer, one.owner, one.locks) == (False, None, {})
    reverted = any("revert" in run.plan.kind.value for run in one.runs.values())
    assert reverted == (policy == "Revert")


def test_a_rollout_that_began_nothing_goes_at_once() -> None:
    one = unplanned(*PHASES, deletionPolicy="Revert")
    _withdraw(one)
    one.turn()
    one.delete()
    one.turn()
    assert (one.reason, one.finalizer, one.owner) == ("Releasing", False, None)
