"""The way back: executed steps in exactly reverse order, each inverse finished and checked before the next."""

from __future__ import annotations

from firelift.api.conditions import Reason
from firelift.api.rollout import Intent as Asked
from firelift.api.rollout import RevertTo
from firelift.api.steps import OnRevert
from firelift.rollout import way_back
from firelift.rollout.conduct import stopped, tally
from firelift.rollout.failing import Cause, goal_index, revert_failed, reverting
from firelift.rollout.intents import EnsureRun
from firelift.rollout.memory import changed, with_event
from firelift.rollout.ownership import ENDED, claimed
from firelift.rollout.place import Place, last_executed, places
from firelift.rollout.progress import watched
from firelift.rollout.running import superseded
from firelift.rollout.state import Mode, RolloutState, StepRecord, StepState
from firelift.rollout.steps import twin
from firelift.rollout.turn import Outcome, Settled, Turn
from firelift.rollout.twin import Failed, Finished


def requested(turn: Turn) -> Outcome | None:
    """`spec.intent: Revert`: begin, or walk back further than was asked before."""
    if turn.spec.intent is not Asked.REVERT:
        return None
    to = turn.spec.revert_to or turn.spec.on_failure.to
    if not _due(turn, to):
        return None
    what = "the whole rollout" if to is RevertTo.ROLLOUT_START else "the phase"
    return claimed(turn) or reverting(turn, to, Cause(Reason.REVERTING, f"spec.intent asks to revert {what}"))


def undoable(turn: Turn, goal: int = 0) -> bool:
    """Whether something executed in this phase or a later one stands, and its ledger is still there."""
    kept = turn.state.mode not in ENDED or not turn.state.retention_until or turn.now < turn.state.retention_until
    return kept and any(place.phase_index >= goal and place.standing for place in places(turn))


def walk_back(turn: Turn) -> Outcome:
    """One move back, or what the present inverse wants done."""
    waiting = superseded(turn)
    if waiting is not None:
        return waiting
    place = last_executed(turn)
    return _reverted(turn) if place is None else _step_back(place)


def _step_back(place: Place) -> Outcome:
    if not place.begun:
        return _undone(place, place.record)
    if place.spec.irreversible:
        return revert_failed(place, Cause(Reason.REVERT_FAILED, "it is irreversible, the revert stops in front of it"))
    if place.spec.on_revert is OnRevert.KEEP:
        return _keep(place)
    return _undo(place) if place.record.state is StepState.UNDOING else _begin(place)


def _due(turn: Turn, to: RevertTo) -> bool:
    state, goal = turn.state, goal_index(turn, to)
    match state.mode:
        case Mode.REVERT_FAILED:
            return False
        case Mode.REVERTING:
            return state.revert is not None and goal < state.revert.first_index
        case Mode.SUCCEEDED | Mode.REVERTED:
            return undoable(turn, goal)
        case _:
            return True


def _keep(place: Place) -> Outcome:
    runs = [*(plan.id for plan in twin(place).plans(place)), *place.record.runs]
    halting = stopped(place, runs, Reason.REVERTING)
    if halting is not None:
        return halting
    state = place.save(state=StepState.KEPT)
    return with_event(state, place.turn.now, "StepKept", f"{place.title} is kept as it is")


def _begin(place: Place) -> RolloutState:
    return place.save(state=StepState.UNDOING, undo_started=place.record.undo_started or place.turn.now)


def _undo(place: Place) -> Outcome:
    match twin(place).inverse(place):
        case Finished(record):
            return _undone(place, record)
        case Failed() as failure:
            return revert_failed(place, Cause(failure.reason, failure.message))
        case RolloutState() as moved:
            return moved
        case settled:
            return _in_motion(place, settled) or settled


def _undone(place: Place, record: StepRecord) -> RolloutState:
    if place.record.state is StepState.UNDOING:
        place = way_back.taken_back(place, tally(place.turn, twin(place).undo_plans(place)).written)
    undone = changed(record, state=StepState.UNDONE, finished=place.turn.now, message="")
    return with_event(place.save(**dict(undone)), place.turn.now, "StepUndone", f"{place.title} is undone")


def _in_motion(place: Place, settled: Settled) -> RolloutState | None:
    if not any(isinstance(intent, EnsureRun) for intent in settled.intents):
        return None
    match watched(place, twin(place).undo_plans(place)):
        case Failed() as failure:
            return revert_failed(place, Cause(failure.reason, failure.message))
        case RolloutState() as moved:
            return moved
    return None


def _reverted(turn: Turn) -> RolloutState:
    state, revert = turn.state, turn.state.revert
    if revert is None:
        return changed(state, mode=Mode.REVERTED)
    conflicts = sum(_conflicts(turn, index) for index in range(revert.first_index, len(state.phases)))
    state = changed(
        state,
        mode=Mode.REVERTED,
        revert=changed(revert, conflicts=conflicts),
        phase_index=revert.first_index,
        step_index=0,
        gates=(),
        finished=turn.now,
        retention_until=turn.after(None, turn.spec.ledger_retention_seconds),
    )
    kept = f", {conflicts:,} conflicts were left as the app wrote them" if conflicts else ""
    reason = Reason.REVERTED_WITH_CONFLICTS if conflicts else Reason.REVERTED
    return with_event(state, turn.now, reason, f"everything down to the goal is undone and checked{kept}")


def _conflicts(turn: Turn, phase_index: int) -> int:
    """A pass after flags were restored meets the same conflicts again, so the larger count is the phase's."""
    of_phase = [place for place in places(turn) if place.phase_index == phase_index]
    moved = sum(place.record.conflicts_kept for place in of_phase if place.spec.migrate or place.spec.delete)
    swept = max((place.record.conflicts_kept for place in of_phase if place.spec.flags), default=0)
    return max(moved, swept)
