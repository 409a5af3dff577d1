"""The ledger is the authority: whose it is, of which database, and that nothing happens without it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.rollout_rules import names
from tests.rollout_specs import flags, migrate, phase, soak
from tests.rollout_world import ME, START, World, unplanned, world

from firelift.api.approval import ApprovalDecision
from firelift.rollout.intents import ReleaseLedger
from firelift.rollout.machine import decide, initial_state

PHASES = (phase("a", migrate(1), soak(600, evidence="None")),)


@pytest.mark.parametrize("until", ["Migrating", "Soaking", "Completed"])
def test_while_the_database_is_out_of_reach_nothing_is_decided(until: str) -> None:
    one = world(*PHASES)
    one.until(until)
    before = one.state
    one.ledger_error = "UNAVAILABLE: connection refused"
    one.edit(intent="Revert")
    for _ in range(5):
        one.pass_time(1000)
        decision = one.turn()
        assert decision.intents == ()
    assert one.state == before
    assert one.status is not None
    assert one.status.reason == "DatabaseUnreachable"
    assert "demo-project/(default) cannot be read: UNAVAILABLE: connection refused" in one.status.message


def test_a_ledger_of_another_object_is_not_touched_until_it_is_adopted() -> None:
    one = world(*PHASES)
    one.owner = replace(ME, uid="uid-0", name="demo/older")
    one.turn()
    assert one.status is not None
    assert one.status.reason == "LedgerOwnedByAnother"
    assert "ledger demo.users belongs to demo/older (uid uid-0, cluster c)" in one.status.message
    assert "approve Adopt to take it over, or make a new object with another spec.ledgerID" in one.status.message
    assert not one.finalizer
    one.approve(ApprovalDecision.ADOPT)
    assert names(one.turn()) == ["ClaimLedger"]
    one.until("Completed")


def test_a_ledger_that_came_along_with_a_restore_is_not_believed_until_it_is_adopted() -> None:
    one = world(*PHASES)
    one.until("Soaking")
    one.database_uid = "before"
    assert names(one.turn()) == []
    assert one.status is not None
    assert one.status.reason == "LedgerFromAnotherDatabase"
    assert "made in a database with uid before, this one has uid db" in one.status.message
    assert "and with it the locks of logs, which stay until the ledger is adopted" in one.status.message
    one.approve(ApprovalDecision.ADOPT)
    one.turn()
    assert one.database_uid == "db"
    one.until("Completed")


def test_the_digest_to_adopt_with_is_shown_also_when_what_the_ledger_remembers_is_over() -> None:
    one = world(*PHASES)
    one.until("Completed")
    one.owner = replace(ME, uid="uid-0")
    approval = one.turn().status.approval
    assert approval is not None
    assert approval.required


def test_a_database_that_does_not_tell_its_uid_is_believed() -> None:
    one = world(*PHASES)
    one.database_uid = ""
    one.until("Completed")
    assert one.order
    assert all(run.complete for run in one.runs.values())


def test_deleting_an_object_whose_ledger_is_anothers_is_free() -> None:
    one = world(*PHASES, deletionPolicy="Revert")
    one.owner = replace(ME, uid="uid-0")
    one.delete()
    assert names(one.turn()) == []
    assert not one.finalizer
    assert [event.reason for event in one.events] == ["LedgerOwnedByAnother"]


def test_deleting_an_object_whose_ledger_came_along_with_a_restore_touches_nothing_of_it() -> None:
    one = world(phase("a", flags(maxSeconds=60), soak(600, evidence="None")), deletionPolicy="Revert")
    one.until("Soaking")
    one.database_uid = "before"
    one.pass_time(100)
    before = one.state
    one.delete()
    assert names(one.turn()) == []
    assert not one.finalizer
    assert one.state == before
    assert one.status is not None
    assert "was made in a database with uid before" in one.status.message
    assert "left as it is" in one.status.message
    told = one.events[-1]
    assert (told.reason, told.warning, told.message) == ("LedgerFromAnotherDatabase", True, one.status.message)
    assert told.message.endswith("and is left as it is, so deletionPolicy: Revert takes nothing back")


def test_two_objects_that_may_each_adopt_a_ledger_do_not_take_it_from_each_other_for_ever() -> None:
    one = world(*PHASES)
    one.until("Migrating")
    two = World(replace(one.rollout, uid="uid-2"))
    owners = []
    share(one, two)
    for each, other in ((two, one), (one, two)):
        each.turn()
        each.approve(ApprovalDecision.ADOPT)
        each.turn()
        share(each, other)
    for _ in range(10):
        for each, other in ((two, one), (one, two)):
            each.pass_time(1)
            each.turn()
            share(each, other)
            owners.append(each.owner.uid if each.owner else "")
    assert set(owners) == {"uid-1"}
    assert two.status is not None
    assert two.status.reason == "LedgerOwnedByAnother"


def test_an_approval_to_adopt_names_whose_ledger_it_is() -> None:
    one = world(*PHASES)
    one.owner = replace(ME, uid="uid-0")
    one.turn()
    one.approve(ApprovalDecision.ADOPT)
    one.owner = replace(ME, uid="uid-9")
    assert names(one.turn()) == []


def share(one: World, other: World) -> None:
    other.state, other.owner, other.runs, other.locks = one.state, one.owner, one.runs, one.locks
    other.database_uid = one.database_uid


def test_locks_and_then_the_ledger_are_given_back_at_the_end_with_the_time_of_its_expiry() -> None:
    one = world(*PHASES, ledgerRetentionSeconds=1000)
    one.until("Completed")
    end = one.now
    assert names(one.turn()) == ["ReleaseLedger"]
    assert one.state is not None
    assert one.state.retention_until is not None
    assert (one.state.retention_until - end).total_seconds() == 1000
    assert one.intents == (ReleaseLedger(expire=one.state.retention_until + timedelta(days=1)),)
    assert (one.locks, one.owner) == ({}, None)


def test_a_ledger_that_is_being_marked_to_expire_is_claimed_again_before_a_revert() -> None:
    one = world(*PHASES, ledgerRetentionSeconds=1000)
    one.until("Completed")
    one.expiring = True
    one.edit(intent="Revert")
    assert names(one.turn()) == ["ClaimLedger"]
    assert not one.expiring
    one.until("Reverted")


def test_a_revert_after_the_end_claims_the_ledger_first() -> None:
    one = world(*PHASES)
    one.until("Completed")
    one.turn()
    one.turn()
    assert one.owner is None
    one.edit(intent="Revert")
    assert names(one.turn()) == ["ClaimLedger"]
    one.until("Reverted")


def test_a_turn_of_a_new_object_depends_on_nothing_but_its_input() -> None:
    one = unplanned(*PHASES)
    before, seen = one.observe()
    assert before == initial_state(one.rollout, START)
    assert decide(one.rollout, before, seen) == decide(one.rollout, before, seen)


def test_a_revert_that_is_suspended_for_longer_than_the_retention_keeps_its_ledger() -> None:
    one = world(*PHASES, ledgerRetentionSeconds=1000)
    one.until("Completed")
    for _ in range(3):
        one.turn()
    assert (one.expiring, one.owner) == (True, None)
    one.edit(intent="Revert", suspend=True)
    one.until("Suspended")
    for _ in range(5):
        one.pass_time(1000)
        one.turn()
        assert (one.expiring, one.owner) == (False, ME)
    one.edit(suspend=False)
    one.until("Reverted")
    assert all(run.complete for run in one.runs.values())


@pytest.mark.parametrize(
    ("edit", "reason"),
    [({"suspend": True}, "Suspended"), ({"intent": "Abort"}, "Aborted")],
    ids=["suspended", "aborted"],
)
def test_what_has_not_ended_never_gives_its_ledger_a_time_to_expire(edit: dict[str, Any], reason: str) -> None:
    one = world(*PHASES, ledgerRetentionSeconds=1000)
    one.until("Soaking")
    one.edit(**edit)
    one.until(reason)
    for _ in range(5):
        one.pass_time(1000)
        assert "ReleaseLedger" not in names(one.turn())
    assert (one.expiring, one.owner) == (False, ME)
