"""`MigrationApproval`: a decision by a person, bound to what that person saw."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from firelift.api.base import Model, Name, ObjectName, Sentence
from firelift.api.rollout import KIND as ROLLOUT_KIND

KIND = "MigrationApproval"
PLURAL = "migrationapprovals"


class ApprovalDecision(StrEnum):
    """What was decided."""

    APPROVE = "Approve"
    REJECT = "Reject"
    SKIP = "Skip"
    OVERRIDE = "Override"
    ADOPT = "Adopt"


class TargetKind(StrEnum):
    """What can be approved."""

    MIGRATION_ROLLOUT = ROLLOUT_KIND


class ApprovalTarget(Model):
    """The object in the same namespace that the decision is about."""

    kind: TargetKind = TargetKind.MIGRATION_ROLLOUT
    name: ObjectName


class ApprovalSpec(Model):
    """Immutable. `digest` is `status.approval.digest` of the target at the time of the decision.

    `gate` names the gate that an `Override` silences until `expires_time`.
    """

    target: ApprovalTarget
    digest: Annotated[str, Field(max_length=80, pattern=r"^sha256:[0-9a-f]{64}$")]
    decision: ApprovalDecision
    approver: Annotated[str, Field(min_length=1, max_length=253)]
    comment: Sentence = ""
    gate: Name | None = None
    expires_time: datetime | None = None
