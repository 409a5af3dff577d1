"""`MigrationApproval`: a decision by a person, bound to what that person saw."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from firelift.api.base import Model, Name, ObjectName, Sentence
from firelift.api.rollout import KIND as ROLLOUT_KIND
from firelift.api.rules import Rule, RuledModel, Rules

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
    """Its name."""


class ApprovalSpec(RuledModel):
    """What was decided, on what, by whom. Immutable."""

    target: ApprovalTarget
    digest: Annotated[str, Field(max_length=80, pattern=r"^sha256:[0-9a-f]{64}$")]
    """`status.approval.digest` of the target at the time of the decision; a later plan is not approved by it."""
    decision: ApprovalDecision
    approver: Annotated[str, Field(min_length=1, max_length=253)]
    """The user who decides, which must be the user who creates this object."""
    comment: Sentence = ""
    """Why, for those who come after."""
    gate: Name | None = None
    """The gate that an Override silences."""
    expires_time: datetime | None = None
    """When the decision ends. An Override must have one."""

    rules: ClassVar[Rules] = (
        Rule("self == oldSelf", "an approval must not be changed: delete it and create another"),
        Rule(
            "self.decision != 'Override' || (has(self.gate) && has(self.expiresTime))",
            "an Override must name its `gate` and its `expiresTime`",
            lambda spec: spec.decision is not ApprovalDecision.OVERRIDE or (spec.gate and spec.expires_time),
        ),
        Rule(
            "self.decision == 'Override' || !has(self.gate)",
            "`gate` must only be used with the decision Override",
            lambda spec: spec.decision is ApprovalDecision.OVERRIDE or spec.gate is None,
        ),
    )
