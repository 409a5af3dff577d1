"""`rehearse`: a first phase goes forward to its first check, all the way back, and forward again before it goes on.

The steps that are rehearsed are a fixed part of the phase: from its first migrate step to the first verify step behind
that. They are done, undone in reverse by their own inverses, and then done once more as if nothing had been; only their
runs have other numbers.
"""

from __future__ import annotations

from collections.abc import Callable

from firelift.api.rollout import PhaseSpec
from firelift.api.run import RunPlan
from firelift.rollout import way_back
from firelift.rollout.conduct import tally
from firelift.rollout.evidence import opened
from firelift.rollout.intents import EnsureRun
from firelift.rollout.memory import changed, with_event, with_phase
from firelift.rollout.place import Place, current
from firelift.rollout.progress import watched
from firelift.rollout.state import Rehearsal, RolloutState, StepRecord, StepState
from firelift.rollout.steps import twin
from firelift.rollout.turn import Outcome, Turn
from firelift.rollout.twin import Failed, Finished

_OVER = {StepState.UNDONE, StepState.PENDING}

_PARTS = {"migrate": "migrating", "verify": "verifying", "sweep": "sweeping"}

Fail = Callable[[Place, Failed], RolloutState]


def rehearsed(phase: PhaseSpec) -> range:
    """The steps that are rehearsed, by their numbers."""
    first = next(number for number, step in enumerate(phase.steps) if step.migrate is not None)
    last = next(number for number, step in enumerate(phase.steps) if number > first and step.verify is not None)
    return range(first, last + 1)


def turned(turn: Turn) -> RolloutState | None:
    """Turn round behind the check that ends the way forward."""
    state = turn.state
    phase = state.phases[state.phase_index]
    if phase.rehearsal is not Rehearsal.FORWARD or state.step_index < rehearsed(phase.spec).stop:
        return None
    state = with_phase(state, state.phase_index, changed(phase, rehearsal=Rehearsal.BACK))
    state = changed(state, step_index=rehearsed(phase.spec).stop - 1, gates=())
    return with_event(state, turn.now, "Rehearsing", f"phase {phase.name} was moved and checked, and is taken back")


def walk_back(place: Place, fail: Fail) -> Outcome:
    """One move back through the rehearsed steps, or what the present inverse wants done."""
    if place.record.state is not StepState.UNDOING:
        return _begun(place)
    match twin(place).inverse(place):
        case Finished(record):
            return _undone(place, record)
        case Failed(message, reason):
            return fail(place, Failed(f"rehearsal: {message}", reason))
        case RolloutState() as moved:
            return moved
        case settled:
            moving = any(isinstance(intent, EnsureRun) for intent in settled.intents)
            found = watched(place, _undo_plans(place)) if moving else None
            return fail(place, found) if isinstance(found, Failed) else found or settled


def given_up(turn: Turn) -> RolloutState:
    """The rest of the way back is skipped: what it has left stays known to a later revert."""
    return _again(turn.state)


def told(turn: Turn) -> list[str]:
    """Which part of a rehearsal is on, such as ``rehearsal: reverting``; nothing where there is none."""
    place = current(turn)
    if place is None or turn.state.revert is not None or place.phase.rehearsal in {None, Rehearsal.DONE}:
        return []
    if place.step_index not in rehearsed(place.phase.spec):
        return []
    back = place.phase.rehearsal is Rehearsal.BACK
    return [f"rehearsal: {'reverting' if back else _PARTS.get(place.spec.verb, place.key)}"]


def _undo_plans(place: Place) -> tuple[RunPlan, ...]:
    return twin(place).undo_plans(place)


def _begun(place: Place) -> RolloutState:
    turn = place.turn
    state = place.save(state=StepState.UNDOING, undo_started=place.record.undo_started or turn.now, undo_pass=0)
    gates = opened(place.phase.gates, turn.now)
    return changed(state, gates=gates, progress_time=turn.now, seen_time=turn.now, progress_mark=0)


def _undone(place: Place, record: StepRecord) -> RolloutState:
    turn = place.turn
    place = way_back.taken_back(place, tally(turn, _undo_plans(place)).written)
    undone = changed(record, state=StepState.UNDONE, finished=turn.now, message="")
    state = with_event(place.save(**dict(undone)), turn.now, "StepUndone", f"rehearsal: {place.title} is undone")
    if place.step_index > rehearsed(place.phase.spec).start:
        return changed(state, step_index=place.step_index - 1, gates=())
    again = _again(state)
    kept = sum(each.conflicts_kept for each in state.phases[state.phase_index].steps.values())
    found = f" with {kept:,} conflicts that stay as the app left them" if kept else " as before"
    what = f"phase {place.phase.name} was moved, checked, taken back and found{found}; now it counts"
    return with_event(again, turn.now, "Rehearsed", what)


def _again(state: RolloutState) -> RolloutState:
    """The rehearsed steps as if nothing had been; what could not be taken back stays with its step."""
    phase = state.phases[state.phase_index]
    keys = [phase.spec.steps[number].key for number in rehearsed(phase.spec)]
    fresh = {key: _fresh(phase.steps.get(key) or StepRecord()) for key in keys}
    phase = changed(phase, rehearsal=Rehearsal.DONE, steps={**phase.steps, **fresh})
    return changed(with_phase(state, state.phase_index, phase), step_index=rehearsed(phase.spec).start, gates=())


def _fresh(record: StepRecord) -> StepRecord:
    if record.state in _OVER:
        return StepRecord(round=record.round + 1)
    return StepRecord(round=record.round + 1, left=record.journals, before=record.before, written=record.written)
