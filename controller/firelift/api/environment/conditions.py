"""Conditions and reasons of an environment."""

from __future__ import annotations

from enum import StrEnum


class EnvironmentConditionType(StrEnum):
    """kstatus's three, and what each question of on-call is answered by."""

    READY = "Ready"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"
    PLAN_READY = "PlanReady"
    AWAITING_APPROVAL = "AwaitingApproval"
    APPLIED = "Applied"
    INDEXES_READY = "IndexesReady"
    TTL_ACTIVE = "TTLActive"
    DRIFTED = "Drifted"


class EnvironmentReason(StrEnum):
    """Why an environment is as it is. What a person must fix stands before what time will."""

    DATABASE_NOT_ALLOWED = "DatabaseNotAllowed"
    BUCKET_NOT_ALLOWED = "BucketNotAllowed"
    INVALID_SPEC = "InvalidSpec"
    UNSAFE_TTL = "UnsafeTTL"
    PLAN_FAILED = "PlanFailed"
    APPLY_FAILED = "ApplyFailed"
    STATE_UNSAVED = "StateUnsaved"
    INDEX_NEEDS_REPAIR = "IndexNeedsRepair"
    REJECTED = "Rejected"
    SUSPENDED = "Suspended"
    AWAITING_APPROVAL = "AwaitingApproval"
    INPUT_MISSING = "InputMissing"
    STATE_LOCKED = "StateLocked"
    WAITING_FOR_ROLLOUT = "WaitingForRollout"
    DATABASE_UNREACHABLE = "DatabaseUnreachable"
    DESTROYING = "Destroying"
    APPLYING = "Applying"
    PLANNING = "Planning"
    INDEXES_BUILDING = "IndexesBuilding"
    TTL_INACTIVE = "TTLInactive"
    READY = "Ready"
