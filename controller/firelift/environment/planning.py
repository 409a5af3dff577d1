"""When a plan is made, of what, and when not: locks, back-offs, and intervals."""

from __future__ import annotations

from dataclasses import dataclass

from firelift.api.environment.conditions import EnvironmentReason
from firelift.api.environment.status import PlanPurpose
from firelift.environment import backoff, locks, runs, staging
from firelift.environment.memory import changed
from firelift.environment.state import EnvironmentState, Failure, KeptIndex, Move, RunKind, Variant
from firelift.environment.turn import Outcome, Settled, Turn


@dataclass(frozen=True, slots=True)
class Want:
    """A plan that is to be made."""

    purpose: PlanPurpose
    variant: Variant = Variant.DECLARED
    kept: tuple[KeptIndex, ...] = ()
    moves: tuple[Move, ...] = ()
    targets: tuple[str, ...] = ()


def outdated(turn: Turn) -> EnvironmentState | None:
    """Forget a plan that was made of something else, and what failed or was turned down with it."""
    plan = turn.state.plan
    if plan is None or plan.purpose is PlanPurpose.DESTROY or plan.inputs == turn.seen.inputs.digest:
        return None
    return changed(turn.state, plan=None, failure=None, rejected="", rejected_by="", imports=(), stuck=(), moves=())


def wanted(turn: Turn) -> Want | None:
    """The plan that the declared ground needs next; None when there is nothing to find out."""
    state, inputs = turn.state, turn.seen.inputs.digest
    plan, applied = state.plan, state.applied
    if plan is not None:
        fresh = not _due(turn) or state.rejected == plan.digest
        return None if fresh else Want(plan.purpose, kept=plan.kept, moves=plan.moves)
    if state.moves and state.staged == inputs:
        return Want(PlanPurpose.APPLY, kept=state.kept, moves=state.moves)
    kept = state.kept if state.staged == inputs else (applied.kept if applied is not None else ())
    if applied is None or applied.inputs != inputs or applied.partial:
        return Want(PlanPurpose.APPLY, kept=staging.still_old(turn, kept))
    if staging.due(turn):
        return Want(PlanPurpose.APPLY)
    if kept != applied.kept:
        return Want(PlanPurpose.APPLY, kept=kept)
    return Want(PlanPurpose.DRIFT, kept=applied.kept) if _due(turn) else None


def planned(turn: Turn) -> Outcome | None:
    """Begin the plan that is wanted, unless the state is locked or a failure rests."""
    want = wanted(turn)
    return begin(turn, want) if want is not None else None


def begin(turn: Turn, want: Want) -> Outcome | None:
    """Begin a plan, release or wait for a lock, or rest; a look for drift holds up nothing else."""
    if isinstance(held := held_up(turn, want.purpose, RunKind.PLAN), Settled):
        return None if aside(want.purpose) else held
    if held is not None:
        return held
    return runs.begun(
        turn,
        RunKind.PLAN,
        want.purpose,
        inputs=turn.seen.inputs.digest,
        variant=want.variant,
        imports=turn.state.imports,
        kept=want.kept,
        moves=want.moves,
        targets=want.targets,
    )


def held_up(turn: Turn, purpose: PlanPurpose, kind: RunKind) -> Outcome | None:
    """What keeps the next run from being begun: a failure that rests, a lock, or a lock that is to be released."""
    failure = turn.state.failure
    another = failure is not None and failure.kind is RunKind.APPLY and kind is RunKind.PLAN and aside(purpose)
    if failure is not None and not another and _rests(turn, failure):
        return _resting(turn, failure)
    return locks.waited(turn, purpose)


def aside(purpose: PlanPurpose) -> bool:
    """Whether the environment stays as ready as it is meanwhile."""
    return purpose is PlanPurpose.DRIFT


def _rests(turn: Turn, failure: Failure) -> bool:
    time = backoff.retry_time(turn, failure)
    planned_since = turn.state.plan is not None and turn.state.plan.created >= failure.time
    return not planned_since and (time is None or turn.now < time)


def _resting(turn: Turn, failure: Failure) -> Settled:
    reason = EnvironmentReason.APPLY_FAILED if failure.kind is RunKind.APPLY else EnvironmentReason.PLAN_FAILED
    time = backoff.retry_time(turn, failure)
    next_step = (
        f"it is tried again at {time:%Y-%m-%dT%H:%M:%SZ}"
        if time is not None
        else f"{failure.count} in a row: raise `attempt` once the cause is mended, or change the spec"
    )
    message = f"{failure.kind.lower()} failed ({failure.count} in a row): {failure.message}; {next_step}"
    return Settled(reason, message, due=time, retrying=time is not None)


def _due(turn: Turn) -> bool:
    """Whether the interval since the last look has passed: the same for drift and for a plan that waits."""
    interval, plan = turn.spec.terraform.drift_interval_seconds, turn.state.plan
    last = plan.created if plan is not None else turn.state.looked
    if last is None:
        return True  # a higher attempt looks anew, whatever the interval
    return bool(interval) and turn.seconds_since(last) >= backoff.spread(turn, interval)
