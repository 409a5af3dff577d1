"""Exports and imports that nobody wants any more: nothing writes beside them, and nothing asks for them for ever."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.rollout_specs import flags, migrate, phase, soak
from tests.rollout_world import START, World, unplanned

from firelift.api.approval import ApprovalDecision
from firelift.rollout.backups import BackupSeen, BackupsSeen
from firelift.rollout.machine import wanted
from firelift.rollout.observation import Refusal
from firelift.rollout.place import places
from firelift.rollout.transfer_state import TransferRecord
from firelift.rollout.turn import Turn

MONDAY = "gs://shop-backups/monday"
EXPORT: dict[str, Any] = {"backup": {"export": {"bucket": "gs://shop-backups", "consistent": True}}}
RESTORE: dict[str, Any] = {
    "restore": {"export": MONDAY, "collections": ["logs"]},
    "irreversible": True,
    "timeoutSeconds": 60,
    "onTimeout": "Pause",
}
UNAVAILABLE = BackupsSeen(operations_error="asked for the operations: UNAVAILABLE")


def importing(*steps: dict[str, Any], turns: int = 2, **changes: Any) -> World:
    """An import is under way, and what is cancelled goes on for a while."""
    one = unplanned(phase("a", RESTORE, *steps), **{"onFailure": {"action": "Pause"}, **changes})
    one.copies.slow = True
    one.until("AwaitingApproval")
    one.approve()
    one.approvals[-1] = replace(one.approvals[-1], restores=MONDAY)
    one.until("Restoring")
    for _ in range(turns):
        one.turn()
    return one


def turned(one: World, turns: int, seconds: float = 5) -> None:
    for _ in range(turns):
        one.turn()
        one.work()
        one.pass_time(seconds)


def transfer(one: World) -> TransferRecord:
    state, seen = one.observe()
    found = [place.record.transfer for place in places(Turn(one.rollout, state, seen)) if place.record.transfer]
    return found[0]


def message(one: World) -> str:
    assert one.status is not None
    return one.status.message


@pytest.mark.parametrize("blind", [False, True])
def test_no_step_begins_beside_the_import_of_a_skipped_one(*, blind: bool) -> None:
    one = importing(flags(), migrate())
    one.until("StepTimedOut")
    one.approve(ApprovalDecision.SKIP)
    one.turn()
    told = one.copies.seen
    one.copies.seen = UNAVAILABLE if blind else told
    turned(one, 40)
    assert (one.runs, one.config_maps["app-flags"], one.reason) == ({}, {}, "Starting")
    expected = "goes on cannot be looked up: asked for the operations" if blind else "is cancelled: it is CANCELLING"
    assert f"the import from {MONDAY} {expected}" in message(one)
    assert "spec.intent: Abort" in message(one)
    one.copies.seen = told
    one.copies.operate(state="CANCELLED")
    one.until("Completed")


def test_an_import_that_cannot_be_looked_up_does_not_keep_a_person_from_aborting() -> None:
    one = importing(migrate())
    one.until("StepTimedOut")
    one.approve(ApprovalDecision.SKIP)
    one.copies.seen = UNAVAILABLE
    turned(one, 5)
    one.edit(intent="Abort")
    one.until("Aborted")


def test_an_import_that_was_never_seen_is_not_waited_for_for_ever_behind_a_skip() -> None:
    one = unplanned(phase("a", RESTORE, migrate()), onFailure={"action": "Pause"})
    one.copies.refusals = {MONDAY: Refusal("PERMISSION_DENIED: no", final=False)}
    one.until("AwaitingApproval")
    one.approve()
    one.approvals[-1] = replace(one.approvals[-1], restores=MONDAY)
    one.until("StepTimedOut")
    one.approve(ApprovalDecision.SKIP)
    turned(one, 5)
    assert one.runs == {}
    one.until("Completed")


def test_nothing_is_taken_back_beside_an_import_that_is_kept() -> None:
    one = unplanned(phase("a", flags(), RESTORE, migrate()), onFailure={"action": "Pause"})
    one.copies.slow = True
    one.until("AwaitingApproval")
    one.approve()
    one.approvals[-1] = replace(one.approvals[-1], restores=MONDAY)
    one.until("Restoring")
    turned(one, 2)
    before = dict(one.config_maps["app-flags"])
    one.edit(intent="Revert")
    turned(one, 20)
    assert one.reason == "Reverting"
    assert one.config_maps["app-flags"] == before
    assert "logs" in one.locks
    one.copies.operate(state="CANCELLED")
    one.until("RevertFailed")
    one.approve(ApprovalDecision.SKIP)
    one.until("Reverted")


def test_the_locks_of_a_rollout_that_is_over_stay_while_an_import_writes_under_them() -> None:
    one = importing()
    locks = dict(one.locks)
    one.copies.operate(state="SUCCESSFUL", documents=100, size=5000)
    while one.state is None or one.state.mode != "Succeeded":
        one.turn()
    assert one.state.locks == ("logs",)
    one.locks = locks
    record = transfer(one)
    open_again = record.model_copy(update={"state": ""})
    step = one.state.phases[0].steps["restore"].model_copy(update={"transfer": open_again})
    again = one.state.phases[0].model_copy(update={"steps": {**one.state.phases[0].steps, "restore": step}})
    one.state = one.state.model_copy(update={"phases": (again,)})
    one.copies.seen = replace(
        one.copies.seen, operations=tuple(replace(each, state="PROCESSING") for each in one.copies.seen.operations)
    )
    turned(one, 20)
    assert "logs" in one.locks
    assert one.copies.states == ["CANCELLING"]
    one.copies.operate(state="CANCELLED")
    turned(one, 4)
    assert one.locks == {}


def test_one_listing_that_fails_does_not_unlock_what_a_deleted_rollout_imports() -> None:
    one = importing()
    one.delete()
    turned(one, 30)
    told, one.copies.seen = one.copies.seen, UNAVAILABLE
    turned(one, 3)
    assert "logs" in one.locks
    assert "UNAVAILABLE" in message(one)
    one.copies.seen = told
    turned(one, 30)
    assert "logs" in one.locks
    one.copies.operate(state="CANCELLED")
    turned(one, 4)
    assert (one.locks, one.finalizer) == ({}, False)


def test_a_deletion_that_cannot_see_its_import_goes_on_by_and_by_and_names_it() -> None:
    one = importing()
    one.delete()
    one.copies.seen = UNAVAILABLE
    turned(one, 5)
    assert "logs" in one.locks
    turned(one, 20)
    assert (one.locks, one.finalizer) == ({}, False)
    [event] = [each for each in one.events if each.reason == "TransferLeft"]
    assert event.warning
    assert f"whether the import from {MONDAY} goes on cannot be looked up" in event.message


def test_a_deletion_that_reverts_says_what_ends_its_waiting_for_an_import() -> None:
    one = importing(deletionPolicy="Revert")
    one.delete()
    one.copies.seen = UNAVAILABLE
    turned(one, 30)
    assert "logs" in one.locks
    assert "spec.deletionPolicy: Retain ends the waiting" in message(one)
    one.edit(deletionPolicy="Retain")
    turned(one, 20)
    assert (one.locks, one.finalizer) == ({}, False)


def test_a_deletion_waits_for_an_import_that_was_just_asked_for() -> None:
    one = importing(turns=0)
    while not one.copies.started:
        one.turn()
    assert transfer(one).operation == ""
    told, one.copies.seen = one.copies.seen, BackupsSeen()
    one.delete()
    turned(one, 4)
    assert "logs" in one.locks
    one.copies.seen = told
    turned(one, 2)
    assert one.copies.states == ["CANCELLING"]
    one.copies.operate(state="CANCELLED")
    turned(one, 4)
    assert (one.locks, one.finalizer) == ({}, False)
    assert "TransferLeft" not in [each.reason for each in one.events]


@pytest.mark.parametrize("refused", [False, True])
def test_a_transfer_that_has_no_operation_is_not_asked_for_for_ever(*, refused: bool) -> None:
    one = unplanned(phase("a", EXPORT, migrate(), soak(3600, evidence="None")), onFailure={"action": "Pause"})
    if refused:
        one.copies.refusals = {
            f"gs://shop-backups/demo.users/1-a-backup-20260101T0000{second:02}Z": Refusal("NOT_FOUND: no bucket", True)
            for second in range(60)
        }
    else:
        one.until("BackingUp")
        turned(one, 2)
        one.copies.seen = BackupsSeen()
    status = one.until("StepFailed")
    expected = "was refused: NOT_FOUND" if refused else "no longer tells of operation operation-1"
    assert expected in status.message
    assert status.message.count("export to") == 1
    assert expected in transfer(one).error
    one.turn()
    assert one.state is not None
    assert not wanted(one.rollout, one.state, one.now).backups
    one.copies.refusals = {}
    one.edit(attempt=2)
    one.until("BackingUp")
    one.turn()
    one.copies.operate(state="SUCCESSFUL", documents=100, size=5000)
    one.until("Soaking")


def test_an_unwanted_operation_that_firestore_forgot_is_not_asked_for_for_ever() -> None:
    one = importing()
    one.edit(intent="Abort")
    turned(one, 2)
    one.copies.seen = BackupsSeen()
    turned(one, 2)
    assert one.state is not None
    assert not wanted(one.rollout, one.state, one.now).backups


def test_a_backup_that_replaces_one_that_is_gone_is_not_called_that_of_the_first_write() -> None:
    requires = {"backup": {"maxAgeSeconds": 3600}}
    one = unplanned(phase("a", migrate(10), soak(7200, evidence="None")), phase("b", migrate()), requires=requires)
    first = BackupSeen("backups/first", "READY", START, "db", 5000)
    one.copies.seen = BackupsSeen(backups=(first,))
    one.until("Soaking")
    later = replace(first, name="backups/later", time=one.now + timedelta(seconds=7200))
    one.copies.seen = BackupsSeen(backups=(later,))
    one.until("Completed", turns=3000)
    assert one.status is not None
    found = [each.message for each in one.status.history if each.reason == "BackupFound"]
    assert "the first write stands on backups/first" in found[0]
    assert "stands on backups/later" not in found[1]
    assert "backups/later" in found[1]
    assert "in the place of backups/first, which is gone" in found[1]
    assert "what earlier phases had changed by then is in this one" in found[1]


def test_a_consistent_export_says_of_when_it_is() -> None:
    one = unplanned(phase("a", EXPORT, migrate()))
    one.now = START + timedelta(seconds=150)
    one.until("BackingUp")
    one.turn()
    one.copies.operate(state="SUCCESSFUL", documents=100, size=5000)
    status = one.until("Completed")
    assert str(status.phases[0].steps[0].message).endswith("Z, as of 2026-01-01T00:02:00Z")
