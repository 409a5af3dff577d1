"""The verbs `backup` and `restore` and `requires.backup`: begun once, judged by size and age, and what is said."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.rollout_specs import APPROVE, flags, migrate, phase, soak
from tests.rollout_world import START, World, unplanned

from firelift.rollout.backups import BackupSeen, BackupsSeen, OperationSeen, TransferKind
from firelift.rollout.machine import decide
from firelift.rollout.observation import Refusal
from firelift.rollout.state import RolloutState

BUCKET = "gs://shop-backups/firestore"
MONDAY = "gs://shop-backups/monday"
EXPORT: dict[str, Any] = {"backup": {"export": {"bucket": BUCKET, "collections": ["logs"]}, "minBytes": 1000}}
RESTORE: dict[str, Any] = {"restore": {"export": MONDAY, "collections": ["logs"]}, "irreversible": True}
DONE: dict[str, Any] = {"state": "SUCCESSFUL", "documents": 100, "estimate": 100, "size": 5000}


def backup(age: float = 0, **changes: Any) -> BackupSeen:
    made = BackupSeen("projects/p/locations/l/backups/b", "READY", START - timedelta(seconds=age), "db", 5000)
    return replace(made, **changes)


def export(age: float = 0, **changes: Any) -> OperationSeen:
    made = OperationSeen(
        "old", TransferKind.EXPORT, MONDAY, "SUCCESSFUL", time=START - timedelta(seconds=age), size=5000
    )
    return replace(made, **changes)


def rolling(*steps: dict[str, Any], **changes: Any) -> World:
    return unplanned(phase("a", *steps), **{"onFailure": {"action": "Pause"}, **changes})


def given(one: World, *, restores: str = "", approver: str = "ada") -> None:
    """Somebody approves what the status asks for."""
    assert one.status is not None
    assert one.status.approval is not None
    one.approve(approver=approver)
    one.approvals[-1] = replace(one.approvals[-1], restores=restores)


def test_an_export_is_made_before_anything_changes() -> None:
    one = rolling(EXPORT, migrate())
    status = one.until("BackingUp")
    one.turn()
    [asked] = one.copies.started
    assert asked.uri == f"{BUCKET}/demo.users/1-a-backup-20260101T000005Z"
    assert (asked.kind, asked.collections, one.runs) == (TransferKind.EXPORT, ("logs",), {})
    one.copies.operate(documents=41, size=2050)
    status = one.until("BackingUp")
    assert "is PROCESSING: 41%, 41 of 100 documents, 2,050 bytes so far (operation operation-1)" in status.message
    assert status.progress.startswith("41% 41/100")
    one.copies.operate(**DONE)
    status = one.until("Completed")
    assert status.phases[0].steps[0].message == f"100 documents, 5,000 bytes exported to {asked.uri}"


def test_a_consistent_export_is_of_the_whole_minute_before_it_began() -> None:
    step = {"backup": {"export": {"bucket": BUCKET, "consistent": True}}}
    one = rolling(step, migrate())
    one.now = START + timedelta(seconds=150)
    one.until("BackingUp")
    one.turn()
    [asked] = one.copies.started
    assert asked.snapshot == START + timedelta(seconds=120)


def test_an_operator_that_dies_after_it_asked_finds_its_export_again() -> None:
    """Killed between the call and the record: all that is left is what was remembered before it."""
    one = rolling(EXPORT, migrate())
    one.until("BackingUp")
    before, _ = one.observe()
    one.turn()
    one.state = replaced(one.state, before)
    one.turn()
    one.turn()
    assert len(one.copies.started) == 1
    one.copies.operate(**DONE)
    one.until("Completed")
    assert len(one.copies.started) == 1


def replaced(state: RolloutState | None, before: RolloutState) -> RolloutState:
    """The memory as it was before the call, under a version that the world takes."""
    assert state is not None
    return before.model_copy(update={"version": state.version})


@pytest.mark.parametrize(
    ("ended", "sentence"),
    [
        (
            {**DONE, "size": 12},
            "is complete with 100 documents and 12 bytes < minBytes 1,000: see whether",
        ),
        ({"state": "CANCELLED", "documents": 7}, "was cancelled after 7 documents and 0 bytes"),
        (
            {"state": "FAILED", "error": "the bucket is gone"},
            "after 0 documents and 0 bytes: the bucket is gone",
        ),
    ],
)
def test_an_export_that_is_of_no_use_fails_its_step_and_the_next_attempt_makes_another(
    ended: dict[str, Any], sentence: str
) -> None:
    one = rolling(EXPORT, migrate())
    one.until("BackingUp")
    one.turn()
    one.copies.operate(**ended)
    status = one.until("StepFailed")
    assert sentence in status.message
    assert one.runs == {}
    one.edit(attempt=2)
    one.until("BackingUp")
    one.turn()
    assert [asked.uri.rpartition("/")[2][:10] for asked in one.copies.started] == ["1-a-backup", "2-a-backup"]
    one.copies.operate(**DONE)
    one.until("Completed")


@pytest.mark.parametrize(("final", "reason"), [(False, "BackingUp"), (True, "StepFailed")])
def test_a_refusal_is_told_and_waited_out_where_time_can_mend_it(*, final: bool, reason: str) -> None:
    one = rolling(EXPORT, migrate())
    uri = f"{BUCKET}/demo.users/1-a-backup-20260101T000005Z"
    one.copies.refusals = {uri: Refusal("PERMISSION_DENIED: no; grant roles/datastore.importExportAdmin", final)}
    status = one.until(reason)
    assert f"the export to {uri} was refused: PERMISSION_DENIED" in status.message
    one.copies.refusals = {}
    if not final:
        one.turn()
        assert len(one.copies.started) == 1


def test_an_operation_that_firestore_forgot_is_not_taken_for_complete() -> None:
    one = rolling(EXPORT, migrate())
    one.until("BackingUp")
    one.turn()
    one.turn()
    one.copies.seen = BackupsSeen()
    assert "no longer tells of operation operation-1" in one.until("StepFailed").message


def test_operations_that_cannot_be_read_are_waited_for() -> None:
    one = rolling(EXPORT, migrate())
    one.until("BackingUp")
    one.turn()
    one.turn()
    one.copies.seen = BackupsSeen(operations_error="asked for the operations: UNAVAILABLE")
    assert "cannot be followed: asked for the operations: UNAVAILABLE" in one.until("BackingUp").message


@pytest.mark.parametrize("ask", [{"intent": "Abort"}, {"intent": "Revert"}])
def test_an_export_that_nobody_waits_for_is_cancelled(ask: dict[str, str]) -> None:
    one = rolling(EXPORT, migrate())
    one.until("BackingUp")
    one.turn()
    one.edit(**ask)
    status = one.until("Aborted" if ask["intent"] == "Abort" else "Reverted")
    one.turn()
    assert one.copies.states == ["CANCELLED"]
    assert status.reason in {"Aborted", "Reverted"}


@pytest.mark.parametrize("stop", ["Abort", "Revert", "delete"])
@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize("turns", range(1, 10))
def test_whenever_a_rollout_is_stopped_no_export_goes_on(turns: int, stop: str, *, lost: bool) -> None:
    """With `lost` the operator dies after it has recorded its last decision, and before it has acted on it."""
    one = rolling(EXPORT, migrate())
    for turn in range(turns):
        if lost and turn == turns - 1:
            before, seen = one.observe()
            one.record(before, decide(one.rollout, before, seen))
        else:
            one.turn()
        one.pass_time(1)
    if stop == "delete":
        one.delete()
    else:
        one.edit(intent=stop)
    for _ in range(12):
        one.turn()
        one.pass_time(1)
    assert set(one.copies.states) <= {"CANCELLED"}
    assert len(one.copies.started) <= 1


def test_a_revert_does_not_wait_for_ever_for_an_export_to_be_cancelled() -> None:
    one = rolling(EXPORT, migrate())
    one.until("BackingUp")
    one.turn()
    one.turn()
    one.copies.seen = BackupsSeen(operations_error="UNAVAILABLE")
    one.edit(intent="Revert")
    one.until("Reverted")


def test_a_deleted_rollout_leaves_no_export_behind() -> None:
    one = rolling(EXPORT, migrate())
    one.until("BackingUp")
    one.turn()
    one.delete()
    for _ in range(5):
        one.turn()
    assert one.copies.states == ["CANCELLED"]
    assert not one.finalizer


def test_an_export_that_takes_too_long_says_how_far_it_came_and_the_next_attempt_cancels_it() -> None:
    one = rolling({**EXPORT, "timeoutSeconds": 60, "onTimeout": "Pause"}, migrate())
    one.until("BackingUp")
    one.turn()
    one.copies.operate(documents=41)
    status = one.until("StepTimedOut")
    assert "≥ timeoutSeconds 60s: export to" in status.message
    assert "41 of 100 documents" in status.message
    one.edit(attempt=2)
    one.until("BackingUp")
    for _ in range(4):
        one.turn()
    assert one.copies.states == ["CANCELLED", "PROCESSING"]


@pytest.mark.parametrize(
    ("seen", "sentence"),
    [
        (BackupsSeen(), "there is no complete backup of database (default), and no complete export"),
        (BackupsSeen(backups=(backup(7200),)), "backups/b, 7,200s old > maxAgeSeconds 3,600s; make another one"),
        (BackupsSeen(backups=(backup(size=9),)), "backups/b, 9 bytes < minBytes 1,000"),
        (BackupsSeen(backups=(backup(state="CREATING"),)), "backups/b is being made"),
        (BackupsSeen(backups=(backup(database_uid="another life"),)), "there is no complete backup"),
        (BackupsSeen(operations=(export(state="PROCESSING"),)), f"{MONDAY} is being made"),
        (BackupsSeen(operations=(export(collections=frozenset({"users"})),)), "there is no complete backup"),
        (BackupsSeen(operations=(export(kind=TransferKind.IMPORT),)), "there is no complete backup"),
        (BackupsSeen(backups_error="asked for the backups: PERMISSION_DENIED"), "asked for the backups: PERMISSION_"),
    ],
)
def test_a_rollout_waits_for_the_backup_that_it_requires_and_says_what_is_wrong_with_the_newest(
    seen: BackupsSeen, sentence: str
) -> None:
    one = rolling(migrate(), requires={"backup": {"maxAgeSeconds": 3600, "minBytes": 1000}})
    one.copies.seen = seen
    status = one.until("WaitingForBackup")
    assert sentence in status.message
    assert status.waiting_for is not None
    assert status.waiting_for.name == "a backup of database (default)"
    assert (one.runs, status.started_phases) == ({}, ())
    one.copies.seen = BackupsSeen(backups=(backup(time=one.now),))
    one.until("Completed")


@pytest.mark.parametrize(
    "seen",
    [
        BackupsSeen(backups=(backup(3000),)),
        BackupsSeen(backups=(backup(9000, name="older"), backup(60))),
        BackupsSeen(operations=(export(60),)),
        BackupsSeen(operations=(export(60, collections=frozenset({"logs", "users"})),), backups_error="UNAVAILABLE"),
    ],
)
def test_a_recent_backup_or_an_export_of_all_that_is_touched_is_enough(seen: BackupsSeen) -> None:
    one = rolling(migrate(), requires={"backup": {"maxAgeSeconds": 3600, "minBytes": 1000}})
    one.copies.seen = seen
    one.until("Completed")


def test_the_backup_of_the_first_write_may_grow_old_and_must_not_go() -> None:
    requires = {"backup": {"maxAgeSeconds": 3600}}
    one = unplanned(phase("a", migrate(10), soak(7200, evidence="None")), phase("b", migrate()), requires=requires)
    one.copies.seen = BackupsSeen(backups=(backup(60),))
    one.until("Soaking")
    one.copies.seen = BackupsSeen(backups=(backup(60, name="another"),))
    one.until("WaitingForBackup", turns=3000)
    status = one.turn().status
    assert "backups/b, which the first write stood on, is not to be seen" in status.message
    assert [each.state for each in status.phases] == ["Done", "Pending"]
    one.copies.seen = BackupsSeen(backups=(backup(60),))
    one.until("Completed")


def test_an_approval_that_took_days_does_not_make_an_old_backup_young() -> None:
    one = rolling(APPROVE, flags(), migrate(), requires={"backup": {"maxAgeSeconds": 3600}})
    one.copies.seen = BackupsSeen(backups=(backup(),))
    one.until("AwaitingApproval")
    one.pass_time(86_400)
    one.turn()
    one.approve()
    one.until("WaitingForBackup")
    status = one.turn().status
    assert "old > maxAgeSeconds 3,600s" in status.message
    assert one.config_maps["app-flags"] == {}


def test_a_phase_that_makes_its_own_backup_starts_without_one() -> None:
    step = {"backup": {"export": {"bucket": BUCKET}}}
    one = rolling(step, migrate(), requires={"backup": {"maxAgeSeconds": 3600}})
    one.until("BackingUp")
    one.turn()
    one.copies.operate(**DONE)
    one.until("Completed")
    assert one.status is not None
    assert "BackupFound" in [each.reason for each in one.status.history]


def test_no_revert_waits_for_a_backup() -> None:
    one = rolling(flags(), migrate(), soak(7200, evidence="None"), requires={"backup": {"maxAgeSeconds": 3600}})
    one.copies.seen = BackupsSeen(backups=(backup(),))
    one.until("Soaking")
    one.copies.seen = BackupsSeen(backups_error="gone")
    one.edit(intent="Revert")
    one.until("Reverted")
    assert one.config_maps["app-flags"] == {}


def test_a_step_can_look_for_a_backup_and_wait_for_it() -> None:
    one = rolling({"backup": {"maxAgeSeconds": 3600}, "timeoutSeconds": 600}, migrate())
    assert "step backup of phase a: there is no complete backup" in one.until("WaitingForBackup").message
    one.copies.seen = BackupsSeen(backups=(backup(),))
    status = one.until("Completed")
    assert "backups/b of 2026-01-01T00:00:00Z is complete, 5,000 bytes" in status.phases[0].steps[0].message
    assert one.copies.started == []


def test_a_restore_waits_for_an_approval_that_names_its_export() -> None:
    one = rolling(RESTORE, migrate())
    status = one.until("AwaitingApproval")
    assert "an import deletes nothing: documents created since that export stay, documents changed since" in (
        status.message
    )
    assert f"that has restores: {MONDAY}" in status.message
    given(one)
    given(one, restores="gs://shop-backups/tuesday", approver="grace")
    one.turn()
    assert one.reason == "AwaitingApproval"
    given(one, restores=MONDAY)
    one.until("Restoring")
    one.turn()
    [asked] = one.copies.started
    assert (asked.kind, asked.uri, asked.collections) == (TransferKind.IMPORT, MONDAY, ("logs",))
    assert "logs" in one.locks
    one.copies.operate(**DONE)
    status = one.until("Completed")
    assert "documents created since that export stay" in status.phases[0].steps[0].message


def test_an_import_of_the_same_export_long_ago_is_not_this_one() -> None:
    one = rolling(RESTORE, migrate())
    old = OperationSeen("old", TransferKind.IMPORT, MONDAY, "SUCCESSFUL", frozenset({"logs"}), START, size=9)
    one.copies.seen = BackupsSeen(operations=(old,))
    one.until("AwaitingApproval")
    given(one, restores=MONDAY)
    one.until("Restoring")
    one.turn()
    [asked] = one.copies.started
    assert asked.known == ("old",)
    one.copies.operate(**DONE)
    one.until("Completed")


def test_no_revert_passes_a_restore() -> None:
    one = rolling(flags(), RESTORE, soak(7200, evidence="None"))
    one.until("AwaitingApproval")
    given(one, restores=MONDAY)
    one.until("Restoring")
    one.turn()
    one.copies.operate(**DONE)
    one.until("Soaking")
    one.edit(intent="Revert")
    status = one.until("RevertFailed")
    assert "revert of step restore of phase a: it is irreversible" in status.message


def test_an_aborted_import_is_cancelled_and_what_it_overwrote_stays() -> None:
    one = rolling(RESTORE, migrate())
    one.until("AwaitingApproval")
    given(one, restores=MONDAY)
    one.until("Restoring")
    one.turn()
    one.edit(intent="Abort")
    status = one.until("Aborted")
    assert f"the import from {MONDAY} is cancelled, and what it has overwritten stays so" in status.message
    one.turn()
    assert one.copies.states == ["CANCELLED"]


@pytest.mark.parametrize(
    ("step", "seen", "verdict", "sentence"),
    [
        (EXPORT, BackupsSeen(), "Pass", f"exports to {BUCKET} can be asked for"),
        (EXPORT, BackupsSeen(operations_error="PERMISSION_DENIED: no"), "Fail", "PERMISSION_DENIED: no"),
        (RESTORE, BackupsSeen(), "Warn", "tells of no complete export"),
        (RESTORE, BackupsSeen(operations=(export(),)), "Warn", "an export of the whole database"),
        (
            RESTORE,
            BackupsSeen(operations=(export(collections=frozenset({"tasks"})),)),
            "Fail",
            "has no collection group logs",
        ),
        (RESTORE, BackupsSeen(operations=(export(collections=frozenset({"logs"})),)), "Pass", "is a complete export"),
        ({"backup": {"maxAgeSeconds": 60}}, BackupsSeen(), "Warn", "there is no complete backup"),
        ({"backup": {"maxAgeSeconds": 60}}, BackupsSeen(backups=(backup(),)), "Pass", "backups/b"),
    ],
)
def test_the_plan_says_whether_a_copy_can_be_made_or_brought_back(
    step: dict[str, Any], seen: BackupsSeen, verdict: str, sentence: str
) -> None:
    one = rolling(step, migrate())
    one.copies.seen = seen
    for _ in range(5):
        one.turn()
    assert one.status is not None
    [check] = [each for each in one.status.preflight if each.check.endswith(("/backup", "/restore"))]
    assert (check.verdict, sentence in check.message) == (verdict, True)
    assert (one.reason == "PreflightFailed") == (verdict == "Fail")
