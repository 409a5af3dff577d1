"""`MigrationApproval`: a decision by a person, bound to what that person saw."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import Field

from firelift.api.base import DigestText, Model, Name, ObjectName, Sentence
from firelift.api.environment import KIND as ENVIRONMENT_KIND
from firelift.api.lists import AS_SET
from firelift.api.rollout import KIND as ROLLOUT_KIND
from firelift.api.rules import Rule, RuledModel, Rules
from firelift.api.steps.backup import ExportUri

KIND = "MigrationApproval"
PLURAL = "migrationapprovals"


Address = Annotated[str, Field(min_length=1, max_length=512)]


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
    FIRESTORE_ENVIRONMENT = ENVIRONMENT_KIND


_OF_PLANS = (ApprovalDecision.APPROVE, ApprovalDecision.REJECT)


def _of_environment(spec: Any) -> bool:
    return bool(spec.target.kind is TargetKind.FIRESTORE_ENVIRONMENT)


class ApprovalTarget(Model):
    """The object in the same namespace that the decision is about."""

    kind: TargetKind = TargetKind.MIGRATION_ROLLOUT
    name: ObjectName
    """Its name."""


class ApprovalSpec(RuledModel):
    """What was decided, on what, by whom. Immutable."""

    target: ApprovalTarget
    digest: DigestText
    """`status.approval.digest` of a rollout, `status.plan.digest` of an environment, at the time of the decision; a
    later plan is not approved by it."""
    decision: ApprovalDecision
    approver: Annotated[str, Field(min_length=1, max_length=253)]
    """The user who decides, which must be the user who creates this object."""
    comment: Sentence = ""
    """Why, for those who come after."""
    gate: Name | None = None
    """The gate that an Override silences."""
    expires_time: datetime | None = None
    """When the decision ends. An Override must have one."""
    loses: Annotated[tuple[Address, ...], Field(max_length=100), AS_SET] = ()
    """Of an environment's plan: every address that can lose data, by name, as `status.plan.changes` has it."""
    during_rollouts: bool = False
    """Of an environment's plan: it is applied even while a rollout that requires the environment is mid-phase."""
    restores: ExportUri | None = None
    """Of a rollout's restore step: the export that may be imported, by name, as the step has it."""

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
        Rule(
            "self.target.kind != 'FirestoreEnvironment' || self.decision in ['Approve', 'Reject']",
            "the plan of a FirestoreEnvironment must be answered with Approve or Reject, not %s",
            lambda spec: not _of_environment(spec) or spec.decision in _OF_PLANS,
            inserts=("self.decision",),
            values=lambda spec: (spec.decision,),
            field=".decision",
        ),
        Rule(
            "(self.target.kind == 'FirestoreEnvironment' && self.decision == 'Approve')"
            " || (self.loses.size() == 0 && !self.duringRollouts)",
            "`loses` and `duringRollouts` must only be used to approve the plan of a FirestoreEnvironment",
            lambda spec: (
                (_of_environment(spec) and spec.decision is ApprovalDecision.APPROVE)
                or not (spec.loses or spec.during_rollouts)
            ),
        ),
        Rule(
            "!has(self.restores) || (self.target.kind == 'MigrationRollout' && self.decision == 'Approve')",
            "`restores` must only be used to approve the restore step of a MigrationRollout",
            lambda spec: (
                spec.restores is None or (not _of_environment(spec) and spec.decision is ApprovalDecision.APPROVE)
            ),
            field=".restores",
        ),
    )
