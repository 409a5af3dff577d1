"""What a failure leads to, and how a revert begins."""

from __future__ import annotations

from dataclasses import dataclass

from firelift.api.conditions import Reason
from firelift.api.rollout import RevertTo
from firelift.api.steps import FailureAction
from firelift.rollout.memory import MESSAGE, changed, with_event
from firelift.rollout.place import Place
from firelift.rollout.state import Failure, Mode, RevertRecord, RolloutState, StepState
from firelift.rollout.turn import Turn


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a revert begins."""

    reason: Reason
    message: str


def failed(place: Place, cause: Cause, action: FailureAction, gate: str = "") -> RolloutState:
    """The running step failed: pause, or begin to revert. The sentence says which."""
    turn = place.turn
    to = turn.spec.on_failure.to
    follow = _reverting(place, to) if action is FailureAction.REVERT else _paused(place, gate)
    message = f"{cause.message}, {follow}"[:MESSAGE]
    failure = Failure(
        reason=cause.reason, message=message, phase=place.phase.name, step=place.key, gate=gate, time=turn.now
    )
    begun = place.record.state is not StepState.PENDING
    after = StepState.FAILED if begun else StepState.PENDING
    state = changed(place.save(state=after, message=message), failure=failure, mode=Mode.PAUSED)
    state = with_event(state, turn.now, cause.reason, message)
    if action is FailureAction.PAUSE:
        return state
    return reverting(changed_turn(turn, state), to, Cause(cause.reason, message))


def revert_failed(place: Place, cause: Cause) -> RolloutState:
    """An inverse failed: stop there, and say what a person can do."""
    repair = "then raise spec.attempt to go on reverting, or approve Skip to keep this step as it is"
    leave = "approve Skip to keep it as it is and go on with the steps in front of it"
    advice = leave if place.spec.irreversible else repair
    message = f"revert of {place.title}: {cause.message}; {advice}"[:MESSAGE]
    failure = Failure(
        reason=Reason.REVERT_FAILED, message=message, phase=place.phase.name, step=place.key, time=place.turn.now
    )
    state = changed(place.state, mode=Mode.REVERT_FAILED, failure=failure)
    return with_event(state, place.turn.now, Reason.REVERT_FAILED, message)


def reverting(turn: Turn, to: RevertTo, cause: Cause) -> RolloutState:
    """Begin to walk back, or walk back further than was asked before."""
    state = turn.state
    goal = goal_index(turn, to)
    earlier = state.revert if state.mode in {Mode.REVERTING, Mode.REVERT_FAILED, Mode.ABORTED} else None
    if earlier is not None:
        goal = min(goal, earlier.first_index)
    record = RevertRecord(
        to=to,
        cause=cause.reason,
        message=cause.message[:MESSAGE],
        started=turn.now,
        first_phase=state.phases[goal].name if state.phases else "",
        first_index=goal,
    )
    left = tuple(dict.fromkeys([*state.superseded, *state.trying]))
    cleared = changed(state, mode=Mode.REVERTING, revert=record, finished=None, retention_until=None, superseded=left)
    cleared = changed(cleared, progress_time=turn.now, seen_time=turn.now)
    return with_event(cleared, turn.now, Reason.REVERTING, cause.message)


def goal_index(turn: Turn, to: RevertTo) -> int:
    """The first phase that a revert takes back."""
    if to is RevertTo.ROLLOUT_START:
        return 0
    return max(0, min(turn.state.phase_index, len(turn.state.phases) - 1))


def changed_turn(turn: Turn, state: RolloutState) -> Turn:
    """The same turn with a newer memory."""
    return Turn(turn.rollout, state, turn.seen)


def _reverting(place: Place, to: RevertTo) -> str:
    if to is RevertTo.ROLLOUT_START:
        return "reverting the whole rollout"
    return f"reverting phase {place.phase.name}"


def _paused(place: Place, gate: str) -> str:
    ways = ["raise spec.attempt to try the step again"]
    if gate:
        ways.append(f"approve Override of gate {gate}")
    if place.spec.approve is None:
        ways.append("approve Skip of the step")
    return f"stopped here; {', '.join(ways)}, or set spec.intent: Revert"
