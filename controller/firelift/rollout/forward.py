"""The way forward: phases and steps in order, each begun when the one before it is done."""

from __future__ import annotations

from collections.abc import Iterable

from firelift.api.conditions import Reason
from firelift.api.rollout import PhaseSpec
from firelift.api.run import migration_of
from firelift.api.steps import FailureAction
from firelift.rollout import way_back
from firelift.rollout.approvals import awaited, migrations_of
from firelift.rollout.conduct import tally
from firelift.rollout.credits import credited
from firelift.rollout.evidence import judged, objection, opened
from firelift.rollout.failing import Cause, failed
from firelift.rollout.intents import EnsureRun
from firelift.rollout.memory import changed, with_event, with_phase
from firelift.rollout.place import Place, current
from firelift.rollout.planning import due_again, planned
from firelift.rollout.progress import watched
from firelift.rollout.rehearsal import turned, walk_back
from firelift.rollout.required import before_a_change, held_back
from firelift.rollout.running import superseded
from firelift.rollout.sizes import noted
from firelift.rollout.state import Left, Mode, PhaseRecord, Rehearsal, RolloutState, StepRecord, StepState
from firelift.rollout.steps import twin
from firelift.rollout.steps.restore import what_it_does
from firelift.rollout.trial import out_of_place, tried
from firelift.rollout.turn import Outcome, Settled, Turn, first
from firelift.rollout.twin import Failed, Finished
from firelift.rollout.validity import problem


def advance(turn: Turn) -> Outcome:
    """One move forward, or what the running step wants done."""
    rules = (
        *(superseded, out_of_place, _succeed, _start_phase, turned, _plan_again),
        *(_finish_phase, _judge, _object, before_a_change, _start_step),
    )
    outcome = first(turn, rules)
    place = current(turn)
    if outcome is not None or place is None:
        return outcome or turn.state
    return walk_back(place, _step_failed) if place.phase.rehearsal is Rehearsal.BACK else _work(place)


def _succeed(turn: Turn) -> Outcome | None:
    if turn.state.phase_index < max(len(turn.state.phases), len(turn.spec.phases)):
        return None
    return _succeeded(turn, turn.state)


def _start_phase(turn: Turn) -> Outcome | None:
    index = turn.state.phase_index
    if index < len(turn.state.phases):
        return None
    phase = turn.spec.phases[index]
    if sentence := problem(turn):
        return Settled(Reason.INVALID_SPEC, f"{sentence}; correct it, phase {phase.name} starts then by itself")
    if waits := held_back(turn):
        return waits
    return planned(turn) or tried(turn) or way_back.too_long(turn, phase) or _phase_started(turn, phase)


def _plan_again(turn: Turn) -> Outcome | None:
    """Nobody decides on a plan that no longer says what is to come, and no attempt writes without one."""
    place = current(turn)
    return planned(turn) if place is not None and due_again(place) else None


def _phase_started(turn: Turn, phase: PhaseSpec) -> RolloutState:
    spec = turn.spec
    record = PhaseRecord(
        name=phase.name,
        started=turn.now,
        spec=phase,
        migrations=tuple(migration for migration in spec.migrations if migration.name in migrations_of(phase)),
        gates=spec.gates_of(phase),
        pace=spec.pace,
        workers=spec.worker.parallelism,
        rehearsal=Rehearsal.FORWARD if phase.rehearse else None,
        steps=_steps_again(left for left in turn.state.left if _comes_again(left, phase)),
    )
    left = tuple(left for left in turn.state.left if not _comes_again(left, phase))
    state = changed(turn.state, phases=(*turn.state.phases, record), left=left, step_index=0, gates=())
    return with_event(state, turn.now, "PhaseStarted", f"phase {phase.name} starts")


def _steps_again(found: Iterable[Left]) -> dict[str, StepRecord]:
    steps: dict[str, StepRecord] = {}
    for left in found:
        known = steps.get(left.step) or StepRecord()
        steps[left.step] = StepRecord(
            left=tuple(dict.fromkeys([*known.left, *left.runs])),
            before={**left.before, **known.before},
            written={**known.written, **left.written},
        )
    return steps


def _comes_again(left: Left, phase: PhaseSpec) -> bool:
    known = {step.key for step in phase.steps}
    moved = {migration_of(run) for run in left.runs}
    return left.phase == phase.name and left.step in known and moved <= migrations_of(phase)


def _finish_phase(turn: Turn) -> Outcome | None:
    state = turn.state
    phase = state.phases[state.phase_index]
    if state.step_index < len(phase.spec.steps):
        return None
    state = with_phase(state, state.phase_index, changed(phase, finished=turn.now))
    state = with_event(state, turn.now, "PhaseFinished", f"phase {phase.name} is done")
    if state.phase_index + 1 >= max(len(state.phases), len(turn.spec.phases)):
        return _succeeded(turn, state)
    return changed(way_back.passed(state), phase_index=state.phase_index + 1, step_index=0, gates=())


def _succeeded(turn: Turn, state: RolloutState) -> RolloutState:
    until = turn.after(None, turn.spec.ledger_retention_seconds)
    state = changed(state, mode=Mode.SUCCEEDED, finished=turn.now, retention_until=until, gates=())
    state = changed(state, phase_index=max(0, len(state.phases) - 1))
    return with_event(state, turn.now, Reason.COMPLETED, "all phases are done")


def _start_step(turn: Turn) -> Outcome | None:
    place = current(turn)
    if place is None or place.record.state is not StepState.PENDING:
        return None
    asked = awaited(place, 1, _why_irreversible(place)) if place.spec.irreversible else None
    match asked:
        case Failed():
            return failed(place, Cause(asked.reason, asked.message), FailureAction.PAUSE)
        case RolloutState():
            return changed(asked, gates=opened(place.phase.gates, turn.now))
        case Settled():
            return asked
    state = place.save(
        state=StepState.RUNNING,
        started=turn.now,
        finished=None,
        held_seconds=0.0,
        written_time=None,
        taken_back=False,
        passes=0,
        passed_time=None,
        message="",
    )
    gates = opened(place.phase.gates, turn.now)
    return changed(state, gates=gates, progress_time=turn.now, seen_time=turn.now, progress_mark=0)


def _why_irreversible(place: Place) -> str:
    return what_it_does(place.spec.restore) if place.spec.restore else "it is irreversible"


def _judge(turn: Turn) -> Outcome | None:
    place = current(turn)
    return judged(place) if place else None


def _object(turn: Turn) -> Outcome | None:
    place = current(turn)
    objected = objection(place) if place else None
    if place is None or objected is None:
        return None
    return failed(place, Cause(objected.reason, objected.message), objected.action, objected.gate)


def _work(place: Place) -> Outcome:
    match twin(place).forward(place):
        case Finished(record):
            return _step_done(place, record)
        case Failed() as failure:
            return _step_failed(place, failure)
        case RolloutState() as moved:
            return moved
        case settled:
            return _in_time(place, settled) or _in_motion(place, settled) or settled


def _step_done(place: Place, record: StepRecord) -> RolloutState:
    plans = twin(place).plans(place)
    place = credited(noted(place, plans), plans)
    if place.spec.migrate is not None:
        place = way_back.moved(place, tally(place.turn, plans).written)
    done = changed(record, state=StepState.DONE, finished=place.turn.now)
    state = changed(place.save(**dict(done)), step_index=place.step_index + 1, gates=())
    sentence = f"{place.title} is done" + (f": {record.message}" if record.message else "")
    return with_event(state, place.turn.now, "StepDone", sentence)


def _step_failed(place: Place, failure: Failed) -> RolloutState:
    pauses = failure.reason in {Reason.REJECTED, Reason.NO_PROGRESS}
    action = FailureAction.PAUSE if pauses else place.turn.spec.on_failure.action
    return failed(place, Cause(failure.reason, failure.message), action)


def _in_time(place: Place, settled: Settled) -> RolloutState | None:
    limit = place.spec.timeout_seconds
    if limit is None or place.elapsed() < limit:
        return None
    message = f"{place.title} took {place.elapsed():,.0f}s ≥ timeoutSeconds {limit:,}s: {settled.message}"
    action = place.spec.on_timeout or place.turn.spec.on_failure.action
    return failed(place, Cause(Reason.STEP_TIMED_OUT, message), action)


def _in_motion(place: Place, settled: Settled) -> RolloutState | None:
    if not any(isinstance(intent, EnsureRun) for intent in settled.intents):
        return None
    match watched(place, twin(place).plans(place)):
        case Failed() as failure:
            return _step_failed(place, failure)
        case RolloutState() as moved:
            return moved
    return None
