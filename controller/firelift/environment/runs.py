"""Runs of Terraform: how one is begun, and what becomes of the memory when it has ended."""

from __future__ import annotations

from typing import Any

from firelift.api.digest import digest
from firelift.api.environment.status import PlanPurpose
from firelift.environment import drift, observation
from firelift.environment.adoption import adopted
from firelift.environment.document import UnreadablePlan, short
from firelift.environment.holders import INSTANCES, LockRecord, Worked
from firelift.environment.memory import MESSAGE, changed, with_event
from firelift.environment.observation import Applied, Planned, RunFailed, Unlocked, Withdrawn
from firelift.environment.reading import read
from firelift.environment.state import (
    AppliedRecord,
    EnvironmentState,
    Failure,
    PlanEnd,
    PlanRecord,
    Run,
    RunKind,
    Variant,
)
from firelift.environment.turn import Outcome, Turn


def begun(turn: Turn, kind: RunKind, purpose: PlanPurpose, **details: Any) -> EnvironmentState:
    """Decide on a run; it is started once that is recorded."""
    number, operator = turn.state.runs + 1, turn.seen.operator
    run = Run(
        id=f"{kind.lower()}-{number}-{_mark(turn)}",
        kind=kind,
        purpose=purpose,
        by=operator.id,
        host=operator.host,
        started=turn.now,
        generation=turn.environment.generation,
        **details,
    )
    worked = Worked(by=operator.id, host=operator.host, started=turn.now, place=operator.place, pod=operator.pod)
    return changed(
        turn.state,
        runs=number,
        run=run,
        touched=turn.state.touched or kind is RunKind.APPLY,
        worked=(*turn.state.worked, worked)[-INSTANCES:],
    )


def _mark(turn: Turn) -> str:
    """What tells it from a run of the same number in a memory that was lost, whose saved plan may still be kept."""
    return digest([turn.environment.uid, turn.seen.operator.id, turn.now.isoformat()]).removeprefix("sha256:")[:8]


def same(one: Run, other: Run) -> bool:
    """Whether both would do the same, whoever began them when."""
    return changed(one, **{name: getattr(other, name) for name in _WHOSE}) == other


_WHOSE = ("id", "by", "host", "started", "generation")


def noticed(turn: Turn) -> Outcome | None:
    """Take note of how the run has ended, or that nobody knows."""
    run, seen = turn.state.run, turn.seen.run
    if run is None or seen is None or seen.id != run.id:
        return None
    if seen.outcome is not None:
        return _ended(turn, run, seen.outcome)
    return _lost(turn, run) if not seen.running else None


def _ended(turn: Turn, run: Run, outcome: observation.Outcome) -> EnvironmentState:
    match outcome:
        case Planned() as planned:
            return _planned(turn, run, planned)
        case Applied() as applied:
            return _applied(turn, run, applied)
        case Unlocked():
            return changed(_over(turn, run, released=True), lock=None)
        case Withdrawn(message=message):
            return with_event(_over(turn, run, released=True), turn.now, "Withdrawn", f"{run.id}: {message}")
        case RunFailed() as failed:
            return _failed(turn, run, failed)


def given_up(turn: Turn) -> EnvironmentState:
    """At a person's word a run is not waited for any more whose operator nobody here can see."""
    run = turn.state.run
    if run is None or run.by not in turn.seen.operator.unseen:
        return turn.state
    message = f"{run.id} of operator {run.by} is given up, as `attempt` was raised; all is planned again"
    # It is still remembered as one that may live: a lock of its own is never released.
    state = changed(turn.state, run=None)
    if run.kind is RunKind.APPLY:
        state = _broken_off(turn, state, run)
    return with_event(state, turn.now, "RunLost", message)


def _done(turn: Turn, run: Run) -> EnvironmentState:
    """It had the lock and gave it back, so that no run before it has left one that is still there."""
    over = _over(turn, run, released=True)
    return changed(over, lock=None, worked=tuple(each for each in over.worked if each.ended is None))


def _over(turn: Turn, run: Run, *, released: bool) -> EnvironmentState:
    """It has ended; it is remembered only when it may have left a lock."""
    worked = []
    for each in turn.state.worked:
        if (each.by, each.started) != (run.by, run.started):
            worked.append(each)
        elif not released:
            worked.append(changed(each, ended=turn.now))
    return changed(turn.state, run=None, worked=tuple(worked))


def _planned(turn: Turn, run: Run, planned: Planned) -> EnvironmentState:
    state = _done(turn, run)
    try:
        plan = read(run, planned, attempt=state.attempt, now=turn.now)
    except UnreadablePlan as error:
        return _counted(turn, state, run, str(error))
    failure = state.failure if state.failure and state.failure.kind is RunKind.APPLY else None
    state = drift.looked(
        changed(state, failure=failure, kept=run.kept, moves=run.moves, staged=run.inputs), turn.now, plan
    )
    if plan.empty:
        return _nothing_to_do(changed(state, plan=None, imports=()), turn, plan)
    before = state.plan
    asked = before.requested if before is not None and before.digest == plan.digest else None
    return changed(state, plan=changed(plan, requested=asked))


def _nothing_to_do(state: EnvironmentState, turn: Turn, plan: PlanRecord) -> EnvironmentState:
    """What is there is what was asked for already."""
    match plan.purpose, plan.variant:
        case PlanPurpose.DESTROY, Variant.UNPROTECTED:
            return changed(state, unprotected=True)
        case PlanPurpose.DESTROY, _:
            return changed(state, destroyed=True)
    return changed(state, failure=None, outputs=True, applied=_record(turn, plan, plan.lineage, plan.serial))


def _applied(turn: Turn, run: Run, applied: Applied) -> EnvironmentState:
    plan = turn.state.plan
    ended = PlanEnd(digest=run.digest, whole=True, time=turn.now)
    state = changed(_done(turn, run), plan=None, ended=ended, failure=None, imports=(), stuck=())
    if plan is None or plan.run != run.plan:
        return state
    text = f"applied plan {plan.digest}: {plan.add} added, {plan.change} changed, {plan.destroy} destroyed"
    state = with_event(state, turn.now, "Applied", text)
    if plan.purpose is PlanPurpose.DESTROY:
        return changed(state, unprotected=True, destroyed=plan.variant is not Variant.UNPROTECTED)
    record = _record(turn, plan, applied.lineage, applied.serial)
    return changed(
        state, applied=record, outputs=True, drift=(), looked=turn.now, kept=record.kept, moves=(), staged=plan.inputs
    )


def _record(turn: Turn, plan: PlanRecord, lineage: str, serial: int) -> AppliedRecord:
    return AppliedRecord(
        digest=plan.digest,
        inputs=plan.inputs,
        generation=plan.generation,
        attempt=plan.attempt,
        lineage=lineage,
        serial=serial,
        time=turn.now,
        kept=plan.kept,
        partial=_left_out(turn, plan),
    )


def _left_out(turn: Turn, plan: PlanRecord) -> bool:
    """Whether the plan moved something from an address that is declared."""
    names = {f'google_firestore_index.composite["{key}"]' for key in turn.seen.inputs.composite}
    return any(short(move.source) in names for move in plan.moves)


def _failed(turn: Turn, run: Run, failed: RunFailed) -> EnvironmentState:
    state = _over(turn, run, released=failed.released or failed.lock is not None)
    if failed.unsaved:
        state = changed(state, unsaved=failed.unsaved)
    if failed.lock is not None:
        return _met_a_lock(turn, state, failed)
    if failed.stale and run.kind is RunKind.APPLY:
        state = changed(state, plan=None)
    elif run.kind is RunKind.APPLY:
        state = _broken_off(turn, state, run)
    if failed.interrupted or failed.stale:
        return with_event(state, turn.now, "Interrupted" if failed.interrupted else "PlanStale", failed.message)
    if run.kind is RunKind.UNLOCK:
        # Somebody else was faster, or may not release it: the next run shows which.
        state = changed(state, lock=None)
    if run.kind is RunKind.PLAN and run.imports:
        # What cannot be imported is not tried again and again.
        stuck = (*state.stuck, *(each.address for each in run.imports))
        state = changed(state, imports=(), stuck=tuple(dict.fromkeys(stuck)))
    taken = adopted(turn, state, failed.existing)
    return taken if taken is not None else _counted(turn, state, run, failed.message)


def _broken_off(turn: Turn, state: EnvironmentState, run: Run) -> EnvironmentState:
    """Whatever it has done is in the state now: the saved plan is of a ground that is no more."""
    return changed(state, plan=None, ended=PlanEnd(digest=run.digest, whole=False, time=turn.now))


def _counted(turn: Turn, state: EnvironmentState, run: Run, message: str) -> EnvironmentState:
    before = state.failure
    count = before.count + 1 if before is not None and before.kind is run.kind else 1
    failure = Failure(kind=run.kind, purpose=run.purpose, count=count, time=turn.now, message=message[:MESSAGE])
    reason = {RunKind.PLAN: "PlanFailed", RunKind.APPLY: "ApplyFailed", RunKind.UNLOCK: "UnlockFailed"}[run.kind]
    return with_event(changed(state, failure=failure), turn.now, reason, message)


def _met_a_lock(turn: Turn, state: EnvironmentState, failed: RunFailed) -> EnvironmentState:
    met, before = failed.lock, state.lock
    if met is None:
        return state
    known = before is not None and before.id == met.id
    record = LockRecord(
        id=met.id,
        who=met.who,
        host=met.host,
        operation=met.operation,
        created=met.created,
        seen=turn.now,
        since=before.since if before is not None and known else turn.now,
    )
    state = changed(state, lock=record)
    return state if known else with_event(state, turn.now, "StateLocked", failed.message)


def _lost(turn: Turn, run: Run) -> EnvironmentState | None:
    """A run of an operator that is gone: nobody knows how far it came, so all is planned again."""
    operator = turn.seen.operator
    if run.by == operator.id or run.by in operator.alive:
        return None
    # Whatever lock it has left, it took before now.
    state = _over(turn, run, released=False)
    if run.kind is RunKind.APPLY:
        state = _broken_off(turn, state, run)
    message = f"{run.id} was at work when operator {run.by} went; all is planned again"
    return with_event(state, turn.now, "RunLost", message)
