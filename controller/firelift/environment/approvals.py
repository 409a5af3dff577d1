"""Decisions by people about a plan. Each names the digest of what they saw, so that a stale one decides nothing."""

from __future__ import annotations

from dataclasses import dataclass

from firelift.api.approval import ApprovalDecision
from firelift.api.environment.status import PlanPurpose
from firelift.api.environment.terraform import ApplyMode
from firelift.environment import acceptance
from firelift.environment.observation import ApprovalSeen
from firelift.environment.state import PlanRecord
from firelift.environment.turn import Turn


@dataclass(frozen=True, slots=True)
class Loss:
    """A change that can lose data: an approval must name its address."""

    address: str
    sentence: str


def losses(turn: Turn, plan: PlanRecord) -> tuple[Loss, ...]:
    """Everything that the plan may lose, by what it changes and by what uses that now."""
    found = {change.address: change.sentence for change in plan.changes if change.loses}
    for verdict in plan.verdicts:
        if verdict.loses:
            found[verdict.address] = verdict.loses
    for ttl in plan.new_ttls:
        if ttl.address not in {verdict.address for verdict in plan.verdicts}:
            found[ttl.address] = f"a new TTL on {ttl.collection}.{ttl.path} may delete documents at once"
    for gone in plan.gone_indexes:
        what = f"index {gone.key}" if gone.composite else f"the single-field indexes of {gone.key} go; it"
        users = [each.name for each in turn.seen.rollouts if each.needs(gone.key)]
        if users:
            found[gone.address] = f"{what} is needed by rollout {', '.join(users)}, whose queries may fail without it"
        elif gone.composite and gone.replaced:
            found[gone.address] = f"{what} is deleted before its successor is built: queries fail meanwhile"
    return tuple(Loss(address, sentence) for address, sentence in sorted(found.items()))


def rejection(turn: Turn, plan: PlanRecord) -> ApprovalSeen | None:
    """The decision that turns the plan down."""
    return next(iter(_valid(turn, plan, ApprovalDecision.REJECT)), None)


def needed(turn: Turn, plan: PlanRecord) -> bool:
    """Whether a person must approve the plan. What only gives resources other addresses needs nobody."""
    if plan.bookkeeping:
        return False
    if plan.purpose is PlanPurpose.DESTROY or turn.spec.terraform.apply is not ApplyMode.AUTO:
        return True
    return bool(losses(turn, plan) or acceptance.restated(turn))


def approval(turn: Turn, plan: PlanRecord) -> ApprovalSeen | None:
    """The decision that approves the plan and all that it loses, the one that says most first."""
    lost = {each.address for each in losses(turn, plan)}
    given = [each for each in _valid(turn, plan, ApprovalDecision.APPROVE) if lost <= each.loses]
    return max(given, key=lambda each: each.during_rollouts, default=None)


def unnamed(turn: Turn, plan: PlanRecord) -> str:
    """What the nearest approval does not name, as the end of a sentence; empty when there is none."""
    given = _valid(turn, plan, ApprovalDecision.APPROVE)
    if not given:
        return ""
    lost = {each.address for each in losses(turn, plan)}
    best = min(given, key=lambda each: len(lost - each.loses))
    return f"; the approval of {best.approver} does not name {', '.join(sorted(lost - best.loses)[:5])} in `loses`"


def _valid(turn: Turn, plan: PlanRecord, decision: ApprovalDecision) -> list[ApprovalSeen]:
    return [
        each
        for each in turn.seen.approvals
        if each.decision is decision
        and each.digest == plan.digest
        and (each.expires is None or each.expires > turn.now)
    ]
