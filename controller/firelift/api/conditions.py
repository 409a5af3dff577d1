"""Conditions and reasons: one vocabulary for status, events, metrics and the command line."""

from __future__ import annotations

from enum import StrEnum


class ConditionType(StrEnum):
    """The conditions of a rollout. `Succeeded` is the outcome; the others are kstatus's."""

    READY = "Ready"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"
    SUCCEEDED = "Succeeded"


class ConditionStatus(StrEnum):
    """As in metav1.Condition."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Reason(StrEnum):
    """Why a rollout is as it is. What a person must fix stands before what time will."""

    DATABASE_NOT_ALLOWED = "DatabaseNotAllowed"
    BUCKET_NOT_ALLOWED = "BucketNotAllowed"
    DATABASE_DIFFERS = "DatabaseDiffers"
    LEDGER_UNREADABLE = "LedgerUnreadable"
    LEDGER_LOST = "LedgerLost"
    LEDGER_OWNED_BY_ANOTHER = "LedgerOwnedByAnother"
    LEDGER_FROM_ANOTHER_DATABASE = "LedgerFromAnotherDatabase"
    INVALID_SPEC = "InvalidSpec"
    PLAN_DIFFERS = "PlanDiffers"
    PREFLIGHT_FAILED = "PreflightFailed"
    REVERT_FAILED = "RevertFailed"
    GATE_FAILED = "GateFailed"
    GATE_WITHOUT_VERDICT = "GateWithoutVerdict"
    STEP_FAILED = "StepFailed"
    STEP_TIMED_OUT = "StepTimedOut"
    NO_PROGRESS = "NoProgress"
    REJECTED = "Rejected"
    REVERT_TOO_LONG = "RevertTooLong"
    ABORTED = "Aborted"
    REVERTED_WITH_CONFLICTS = "RevertedWithConflicts"
    REVERTED = "Reverted"
    COMPLETED = "Completed"
    SUSPENDED = "Suspended"
    AWAITING_APPROVAL = "AwaitingApproval"
    DATABASE_UNREACHABLE = "DatabaseUnreachable"
    WAITING_FOR_LOCK = "WaitingForLock"
    WAITING_FOR_INDEX = "WaitingForIndex"
    WAITING_FOR_ENVIRONMENT = "WaitingForEnvironment"
    WAITING_FOR_BACKUP = "WaitingForBackup"
    WAITING_FOR_ROLLOUT = "WaitingForRollout"
    REVERTING = "Reverting"
    SETTING_FLAGS = "SettingFlags"
    PLANNING = "Planning"
    DRY_RUNNING = "DryRunning"
    VALIDATING = "Validating"
    BACKING_UP = "BackingUp"
    RESTORING = "Restoring"
    MIGRATING = "Migrating"
    SWEEPING = "Sweeping"
    DELETING = "Deleting"
    VERIFYING = "Verifying"
    SOAKING = "Soaking"
    WAITING_FOR_EVIDENCE = "WaitingForEvidence"
    RELEASING = "Releasing"
    STARTING = "Starting"


PROGRESSING = {
    ConditionType.READY: ConditionStatus.FALSE,
    ConditionType.RECONCILING: ConditionStatus.TRUE,
    ConditionType.STALLED: ConditionStatus.FALSE,
    ConditionType.SUCCEEDED: ConditionStatus.UNKNOWN,
}
PAUSED = {
    ConditionType.READY: ConditionStatus.FALSE,
    ConditionType.RECONCILING: ConditionStatus.FALSE,
    ConditionType.STALLED: ConditionStatus.TRUE,
    ConditionType.SUCCEEDED: ConditionStatus.UNKNOWN,
}
ENDED_BADLY = {**PAUSED, ConditionType.SUCCEEDED: ConditionStatus.FALSE}
SUCCEEDED = {
    ConditionType.READY: ConditionStatus.TRUE,
    ConditionType.RECONCILING: ConditionStatus.FALSE,
    ConditionType.STALLED: ConditionStatus.FALSE,
    ConditionType.SUCCEEDED: ConditionStatus.TRUE,
}

_ENDED_BADLY = {Reason.REVERTED, Reason.REVERTED_WITH_CONFLICTS, Reason.REVERT_FAILED, Reason.ABORTED}
_PAUSED = {
    Reason.DATABASE_NOT_ALLOWED,
    Reason.BUCKET_NOT_ALLOWED,
    Reason.DATABASE_DIFFERS,
    Reason.LEDGER_UNREADABLE,
    Reason.LEDGER_LOST,
    Reason.LEDGER_OWNED_BY_ANOTHER,
    Reason.LEDGER_FROM_ANOTHER_DATABASE,
    Reason.INVALID_SPEC,
    Reason.PLAN_DIFFERS,
    Reason.PREFLIGHT_FAILED,
    Reason.GATE_FAILED,
    Reason.GATE_WITHOUT_VERDICT,
    Reason.STEP_FAILED,
    Reason.STEP_TIMED_OUT,
    Reason.NO_PROGRESS,
    Reason.REJECTED,
    Reason.REVERT_TOO_LONG,
}


def conditions_of(reason: Reason) -> dict[ConditionType, ConditionStatus]:
    """The state table of the design: four conditions for each reason."""
    if reason is Reason.COMPLETED:
        return SUCCEEDED
    if reason in _ENDED_BADLY:
        return ENDED_BADLY
    return PAUSED if reason in _PAUSED else PROGRESSING
