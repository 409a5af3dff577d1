"""`spec.attempt`: the only way out of Failed, Reverted and Aborted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from firelift.rollout.counts import moves
from firelift.rollout.credits import credited, own
from firelift.rollout.memory import changed, with_event
from firelift.rollout.ownership import claimed
from firelift.rollout.place import current, last_executed
from firelift.rollout.planning import objects
from firelift.rollout.running import active_runs
from firelift.rollout.state import Left, Mode, PhaseRecord, RolloutState, StepState
from firelift.rollout.steps import twin
from firelift.rollout.trial import ended
from firelift.rollout.turn import Outcome, Turn

_RUNNING = {Mode.FORWARD, Mode.REVERTING}


def accepted(turn: Turn) -> Outcome | None:
    """Begin the attempt that is asked for, where one is due; remember one that is refused."""
    state, asked = turn.state, turn.spec.attempt
    if asked <= max(state.attempt, state.refused_attempt):
        return None
    waiting = objects(turn) or ended(turn)
    if (state.mode in _RUNNING and not waiting) or state.mode is Mode.SUCCEEDED:
        return _refused(turn)
    if turn.spec.intent is not None and not turn.rollout.deleting:
        return None
    return claimed(turn) or _begun(turn)


def refusal(turn: Turn) -> str:
    """Why the attempt that is asked for is not made, as the end of a message; empty when it is."""
    state, asked = turn.state, turn.spec.attempt
    if asked <= state.attempt:
        return ""
    if state.mode is Mode.SUCCEEDED:
        return f"; attempt {asked} is refused: the rollout has succeeded, make a new one"
    if turn.spec.intent is not None:
        return f"; attempt {asked} waits until spec.intent {turn.spec.intent} is removed"
    if asked <= state.refused_attempt:
        return f"; attempt {asked} is refused: attempt {state.attempt} was under way, raise it once that has ended"
    return ""


def _refused(turn: Turn) -> RolloutState:
    asked = turn.spec.attempt
    state = with_event(turn.state, turn.now, "AttemptRefused", f"attempt {asked} was asked for when none was due")
    return changed(state, refused_attempt=asked)


def _begun(turn: Turn) -> RolloutState:
    old = turn.state
    state = changed(
        _counted(turn),
        attempt=turn.spec.attempt,
        failure=None,
        overrides=(),
        worker_image="",
        superseded=active_runs(turn),
        finished=None,
        retention_until=None,
    )
    state = with_event(state, turn.now, "Attempt", f"attempt {state.attempt} begins")
    if old.mode is Mode.REVERTED:
        return _from_goal(state)
    if old.revert is not None:
        return _back_again(turn, state)
    return _same_step(turn, state)


def _from_goal(state: RolloutState) -> RolloutState:
    goal = state.revert.first_index if state.revert else 0
    return changed(
        state,
        # What it stood on was from before a first write that is undone.
        backup=state.backup if goal else None,
        left=(*state.left, *_left(state.phases[goal:])),
        mode=Mode.FORWARD,
        phases=state.phases[:goal],
        phase_index=goal,
        step_index=0,
        gates=(),
        revert=None,
    )


def _left(phases: Iterable[PhaseRecord]) -> Iterator[Left]:
    """What the revert left standing: only with it can a later revert take it back."""
    for phase in phases:
        for key, record in phase.steps.items():
            known = record.journals or record.written
            if known and record.state in {StepState.KEPT, StepState.PENDING}:
                yield Left(
                    phase=phase.name, step=key, runs=record.journals, before=record.before, written=record.written
                )


def _back_again(turn: Turn, state: RolloutState) -> RolloutState:
    place = last_executed(Turn(turn.rollout, state, turn.seen))
    state = place.save(undo_pass=0) if place is not None else state
    return changed(state, mode=Mode.REVERTING)


def _counted(turn: Turn) -> RolloutState:
    """What moves goes on where it stood, and so do its counts; what compares begins anew."""
    place = current(turn)
    if place is None or turn.state.revert is not None or not moves(place.spec):
        return turn.state
    plans = twin(place).plans(place)
    return credited(place, plans).save(totals=place.record.totals.plus(own(place, plans)))


def _same_step(turn: Turn, state: RolloutState) -> RolloutState:
    place = current(Turn(turn.rollout, state, turn.seen))
    if place is not None and place.record.state is not StepState.PENDING:
        state = place.save(state=StepState.PENDING, requested=None)
    return changed(state, mode=Mode.FORWARD, gates=())
