"""What becomes of a saved plan: refused, staged, shown to people, held for a rollout, or applied."""

from __future__ import annotations

from firelift.api.environment.conditions import EnvironmentReason
from firelift.api.environment.status import PlanPurpose
from firelift.environment import acceptance, approvals, planning, readiness, runs, staging, ttl_safety
from firelift.environment.memory import changed, with_event
from firelift.environment.state import EnvironmentState, PlanRecord, RunKind
from firelift.environment.turn import Outcome, Settled, Turn

AGAIN = 60
"""Seconds after which what waits for people or rollouts is looked at, should nothing wake it."""

UNSAFE_AGAIN = 300
"""Seconds after which the documents under an unsafe TTL are looked at again."""


def judged(turn: Turn) -> Outcome | None:
    """The way of the saved plan. A repair that waits leaves a ground that is ready as it is (None)."""
    plan = turn.state.plan
    if plan is None:
        return None
    outcome = judge(turn, plan)
    waits = isinstance(outcome, Settled) and planning.aside(plan.purpose)
    return None if waits and readiness.shortcoming(turn) is None else outcome


def judge(turn: Turn, plan: PlanRecord) -> Outcome:
    """The next thing that is true of a plan."""
    outcome = ttl_safety.looked(turn) or staging.staged(turn, plan) or _turned_down(turn, plan) or _refused(turn, plan)
    if outcome is not None:
        return outcome
    given = approvals.approval(turn, plan)
    if given is None and approvals.needed(turn, plan):
        return _asked(turn, plan)
    working = [each.name for each in turn.seen.rollouts if each.working]
    if working and not (given is not None and given.during_rollouts):
        return _waits(turn, plan, working)
    if (held := planning.held_up(turn, plan.purpose, RunKind.APPLY)) is not None:
        return held
    state = runs.begun(turn, RunKind.APPLY, plan.purpose, plan=plan.run, digest=plan.digest, inputs=plan.inputs)
    who = f"approved by {given.approver}" if given is not None else "nothing in it can lose data"
    return with_event(state, turn.now, "Applying", f"applies plan {plan.digest}: {who}")


def summary(plan: PlanRecord) -> str:
    """Such as ``3 to add, 1 to change, 0 to destroy``."""
    return f"{plan.add} to add, {plan.change} to change, {plan.destroy} to destroy"


def _turned_down(turn: Turn, plan: PlanRecord) -> Outcome | None:
    if turn.state.rejected == plan.digest:
        message = (
            f"{turn.state.rejected_by} rejected plan {plan.digest} ({summary(plan)}); change the spec, or raise "
            "`attempt` to be asked again"
        )
        return Settled(EnvironmentReason.REJECTED, message)
    seen = approvals.rejection(turn, plan)
    if seen is None:
        return None
    state = with_event(turn.state, turn.now, "Rejected", f"{seen.approver} rejected plan {plan.digest}")
    return changed(state, rejected=plan.digest, rejected_by=seen.approver)


def _refused(turn: Turn, plan: PlanRecord) -> Outcome | None:
    unsafe = [each for each in plan.verdicts if each.unsafe]
    if unsafe:
        message = "; ".join(each.unsafe for each in unsafe)
        return Settled(EnvironmentReason.UNSAFE_TTL, message, due=turn.after(None, UNSAFE_AGAIN))
    if unseen := ttl_safety.unseen(turn, plan):
        told = ", ".join(f"{each.collection}.{each.path}" for each in unseen)
        return Settled(EnvironmentReason.PLANNING, f"looks at what {told} holds, for the new TTL", due=turn.now)
    return None


def _asked(turn: Turn, plan: PlanRecord) -> EnvironmentState | Settled:
    if plan.requested is None:
        state = with_event(turn.state, turn.now, "AwaitingApproval", f"plan {plan.digest}: {summary(plan)}")
        return changed(state, plan=changed(plan, requested=turn.now))
    return Settled(EnvironmentReason.AWAITING_APPROVAL, asking(turn, plan), due=turn.after(None, AGAIN))


def asking(turn: Turn, plan: PlanRecord) -> str:
    """What a person is asked, and what the answer must name."""
    lost = approvals.losses(turn, plan)
    what = {PlanPurpose.APPLY: "plan", PlanPurpose.DRIFT: "repair", PlanPurpose.DESTROY: "destroy plan"}[plan.purpose]
    text = f"{what} {plan.digest} waits for an approval: {summary(plan)}"
    if plan.purpose is not PlanPurpose.DESTROY and (why := acceptance.restated(turn)):
        text += f"; {why}"
    if lost:
        named = "; ".join(f"{each.address}: {each.sentence}" for each in lost[:3])
        text += f"; {len(lost)} can lose data, to be named in `loses`: {named}"
    return text + approvals.unnamed(turn, plan)


def _waits(turn: Turn, plan: PlanRecord, working: list[str]) -> Settled:
    message = (
        f"plan {plan.digest} waits while rollout {', '.join(working[:5])} is mid-phase; an approval with "
        "`duringRollouts: true` lets it be applied now"
    )
    return Settled(EnvironmentReason.WAITING_FOR_ROLLOUT, message, due=turn.after(None, AGAIN))
