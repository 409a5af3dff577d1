"""The status: a projection of object, memory and observation, in which nothing is decided."""

from __future__ import annotations

from datetime import UTC, datetime

from firelift.api.conditions import ConditionStatus
from firelift.api.environment.conditions import EnvironmentConditionType, EnvironmentReason
from firelift.api.environment.status import (
    MOST_TTLS,
    AppliedPlan,
    DriftedResource,
    DriftStatus,
    EnvironmentCondition,
    EnvironmentPlan,
    EnvironmentStatus,
    FailureStatus,
    LockStatus,
    OutputsStatus,
    PlannedChange,
)
from firelift.environment import approvals, backoff, locks, readiness, staging
from firelift.environment.judging import asking
from firelift.environment.memory import MESSAGE
from firelift.environment.state import SHOWN, ChangeRecord, PlanRecord
from firelift.environment.turn import Settled, Turn

_SCHEMA_DEFAULT = datetime.fromtimestamp(0, UTC)
"""The transition time of the conditions that a new object has before anybody has looked at it."""

_STALLED = {
    EnvironmentReason.DATABASE_NOT_ALLOWED,
    EnvironmentReason.BUCKET_NOT_ALLOWED,
    EnvironmentReason.INVALID_SPEC,
    EnvironmentReason.UNSAFE_TTL,
    EnvironmentReason.PLAN_FAILED,
    EnvironmentReason.APPLY_FAILED,
    EnvironmentReason.STATE_UNSAVED,
    EnvironmentReason.INDEX_NEEDS_REPAIR,
    EnvironmentReason.REJECTED,
}
_HOUR, _DAY = 3600, 86_400


def project(turn: Turn, settled: Settled) -> EnvironmentStatus:
    """Everything that on-call reads, of a turn that has settled."""
    state = turn.state
    message = "; ".join([settled.message, *_notes(turn, settled), *turn.seen.problems[:1]])[:MESSAGE]
    return EnvironmentStatus(
        observed_generation=turn.environment.generation,
        attempt=state.attempt,
        reason=settled.reason,
        message=message,
        plan_summary=_plan_summary(state.plan),
        indexes_summary=readiness.indexes_summary(turn),
        ttls_summary=readiness.ttls_summary(turn),
        drift_summary=_drift_summary(turn),
        conditions=_conditions(turn, settled, message),
        plan=_plan(turn),
        applied=_applied(turn),
        indexes=readiness.indexes(turn) if _known(turn) else (),
        ttls=readiness.ttls(turn)[:MOST_TTLS] if _known(turn) else (),
        drift=_drift(turn),
        lock=_lock(turn),
        failure=_failure(turn),
        outputs=_outputs(turn),
    )


def ready(turn: Turn, settled: Settled) -> ConditionStatus:
    """Whether rollouts may stand on it. While it is suspended that is what is observed of what was applied."""
    if settled.reason is EnvironmentReason.READY:
        return ConditionStatus.TRUE
    if (
        settled.reason is EnvironmentReason.SUSPENDED
        and readiness.as_applied(turn)
        and readiness.shortcoming(turn) is None
    ):
        return ConditionStatus.TRUE
    return ConditionStatus.FALSE


def _known(turn: Turn) -> bool:
    return turn.seen.ground is not None and not turn.seen.ground.error


def _notes(turn: Turn, settled: Settled) -> list[str]:
    """What stands beside the reason: a repair that waits, a look for drift that failed, old indexes that stay."""
    if settled.reason not in {EnvironmentReason.READY, EnvironmentReason.INDEXES_BUILDING}:
        return []
    state, notes = turn.state, []
    if state.drift:
        notes.append(f"drifted: {', '.join(each.address for each in state.drift[:3])}")
    if state.plan is not None:
        notes.append(asking(turn, state.plan) if state.rejected != state.plan.digest else "its repair was rejected")
    if state.failure is not None:
        notes.append(f"the last {state.failure.kind.lower()} failed: {state.failure.message}")
    if state.lock is not None:
        notes.append(locks.sentence(turn, state.lock))
    if old := staging.waiting(turn):
        notes.append(old)
    return notes


def _conditions(turn: Turn, settled: Settled, message: str) -> tuple[EnvironmentCondition, ...]:
    found = []
    for kind, status in _statuses(turn, settled).items():
        old = turn.seen.condition(kind)
        kept = old is not None and old.status is status and old.last_transition_time > _SCHEMA_DEFAULT
        found.append(
            EnvironmentCondition(
                type=kind,
                status=status,
                reason=settled.reason,
                message=message,
                observed_generation=turn.environment.generation,
                last_transition_time=old.last_transition_time if old is not None and kept else turn.now,
            )
        )
    return tuple(found)


def _statuses(turn: Turn, settled: Settled) -> dict[EnvironmentConditionType, ConditionStatus]:
    state, kind = turn.state, EnvironmentConditionType
    stalled = settled.reason in _STALLED and not settled.retrying
    quiet = stalled or settled.reason in {EnvironmentReason.READY, EnvironmentReason.SUSPENDED}
    asked = state.plan is not None and state.plan.requested is not None and state.rejected != state.plan.digest
    return {
        kind.READY: ready(turn, settled),
        kind.RECONCILING: _word(not quiet),
        kind.STALLED: _word(stalled),
        kind.PLAN_READY: _word(state.plan is not None),
        kind.AWAITING_APPROVAL: _word(asked and state.run is None),
        kind.APPLIED: _word(readiness.as_applied(turn)),
        kind.INDEXES_READY: _word(readiness.indexes_ready(turn)),
        kind.TTL_ACTIVE: _word(readiness.ttls_active(turn)),
        kind.DRIFTED: _word(bool(state.drift) if state.looked is not None else None),
    }


def _word(value: bool | None) -> ConditionStatus:  # noqa: FBT001 - a condition's value is what this is about
    if value is None:
        return ConditionStatus.UNKNOWN
    return ConditionStatus.TRUE if value else ConditionStatus.FALSE


def _plan_summary(plan: PlanRecord | None) -> str:
    return f"+{plan.add} ~{plan.change} -{plan.destroy}" if plan is not None else ""


def _plan(turn: Turn) -> EnvironmentPlan | None:
    plan = turn.state.plan
    if plan is None:
        return None
    return EnvironmentPlan(
        digest=plan.digest,
        purpose=plan.purpose,
        add=plan.add,
        change=plan.change,
        destroy=plan.destroy,
        generation=plan.generation,
        attempt=plan.attempt,
        inputs_digest=plan.inputs,
        serial=plan.serial,
        created_time=plan.created,
        changes=_changes(turn, plan),
        config_map=f"{turn.environment.name}-plan",
    )


def _changes(turn: Turn, plan: PlanRecord) -> tuple[PlannedChange, ...]:
    lost = {each.address: each.sentence for each in approvals.losses(turn, plan)}
    records = sorted(plan.changes, key=lambda change: change.address not in lost)
    return tuple(_change(record, lost) for record in records[:SHOWN])


def _change(record: ChangeRecord, lost: dict[str, str]) -> PlannedChange:
    return PlannedChange(
        address=record.address[:512],
        action=record.action,
        can_lose_data=record.address in lost,
        sentence=lost.get(record.address, record.sentence)[:MESSAGE],
    )


def _applied(turn: Turn) -> AppliedPlan | None:
    applied = turn.state.applied
    if applied is None:
        return None
    return AppliedPlan(
        digest=applied.digest,
        time=applied.time,
        generation=applied.generation,
        attempt=applied.attempt,
        inputs_digest=applied.inputs,
        serial=applied.serial,
    )


def _drift(turn: Turn) -> DriftStatus | None:
    if turn.state.looked is None:
        return None
    changes = (
        DriftedResource(
            address=each.address[:512], action=each.action, since=each.since, sentence=each.sentence[:MESSAGE]
        )
        for each in turn.state.drift[:SHOWN]
    )
    return DriftStatus(checked_time=turn.state.looked, changes=tuple(changes))


def _drift_summary(turn: Turn) -> str:
    """Such as ``no`` or ``2 since 4h``; empty before anybody has looked."""
    if turn.state.looked is None:
        return ""
    if not turn.state.drift:
        return "no"
    oldest = turn.seconds_since(min(each.since for each in turn.state.drift))
    return f"{len(turn.state.drift)} since {_age(oldest)}"


def _age(seconds: float) -> str:
    if seconds < _HOUR:
        return f"{seconds // 60:.0f}m"
    return f"{seconds // _HOUR:.0f}h" if seconds < 2 * _DAY else f"{seconds // _DAY:.0f}d"


def _lock(turn: Turn) -> LockStatus | None:
    lock = turn.state.lock
    if lock is None:
        return None
    return LockStatus(
        id=lock.id[:128],
        who=lock.who[:MESSAGE],
        operation=lock.operation[:128],
        created=lock.created,
        holder=locks.holder(turn, lock),
    )


def _failure(turn: Turn) -> FailureStatus | None:
    failure = turn.state.failure
    if failure is None:
        return None
    return FailureStatus(
        purpose=failure.purpose,
        count=failure.count,
        time=failure.time,
        retry_time=backoff.retry_time(turn, failure),
        message=failure.message,
    )


def _outputs(turn: Turn) -> OutputsStatus | None:
    if not turn.state.outputs or turn.state.destroyed:
        return None
    name = f"{turn.environment.name}-outputs"
    return OutputsStatus(config_map=name, secret=name if turn.spec.terraform.sensitive_outputs else "")
