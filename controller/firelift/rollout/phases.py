"""The phases and steps of the status."""

from __future__ import annotations

from collections.abc import Sequence

from firelift.api.run import Totals
from firelift.api.status import PhaseStatus, StepStatus
from firelift.rollout.counts import counted, moves
from firelift.rollout.place import Place, places
from firelift.rollout.state import Mode, PhaseRecord, StepState
from firelift.rollout.turn import Turn

_PENDING = "Pending"
_MESSAGE = 256


def started_phases(turn: Turn) -> tuple[str, ...]:
    """The phases that are frozen; those that were reverted may be edited again."""
    state = turn.state
    standing = state.phases
    if state.mode is Mode.REVERTED and state.revert is not None:
        standing = state.phases[: state.revert.first_index]
    return tuple(phase.name for phase in standing)


def phase_statuses(turn: Turn) -> tuple[PhaseStatus, ...]:
    """Frozen phases in full, then those of the spec in its order: by name, or with what was undone of them."""
    records = list(enumerate(turn.state.phases))
    frozen = len(started_phases(turn))
    shown = {record.name: _phase(turn, index, record) for index, record in records[:frozen]}
    undone = {record.name: (index, record) for index, record in records[frozen:]}
    for phase in turn.spec.phases:
        if phase.name not in shown:
            before = undone.get(phase.name)
            shown[phase.name] = _phase(turn, *before) if before else PhaseStatus(name=phase.name, state=_PENDING)
    return tuple(shown.values())[:20]


def _phase(turn: Turn, index: int, record: PhaseRecord) -> PhaseStatus:
    steps = [place for place in places(turn) if place.phase_index == index]
    totals = _totals(steps)
    return PhaseStatus(
        name=record.name,
        state=_state(steps),
        start_time=record.started,
        finish_time=record.finished,
        documents=totals.written,
        dead_letters=totals.open_letters,
        conflicts=sum(place.record.conflicts_kept for place in steps if place.spec.migrate or place.spec.delete),
        rehearsal=record.rehearsal or "",
        steps=tuple(_step(place) for place in steps),
    )


def _totals(steps: Sequence[Place]) -> Totals:
    """What the steps of a phase have moved; of the one that runs, what is seen of it."""
    total = Totals()
    for place in steps:
        if moves(place.spec):
            total = total.plus(counted(place))
    return total


def _state(steps: Sequence[Place]) -> str:
    states = {place.record.state for place in steps}
    for state in (StepState.FAILED, StepState.UNDOING, StepState.RUNNING):
        if state in states:
            return state.value
    if states <= {StepState.DONE, StepState.SKIPPED}:
        return StepState.DONE.value
    if states <= {StepState.UNDONE, StepState.KEPT, StepState.PENDING}:
        return StepState.UNDONE.value if states - {StepState.PENDING} else _PENDING
    undoing = states & {StepState.UNDONE, StepState.KEPT}
    return (StepState.UNDOING if undoing else StepState.RUNNING).value


def _step(place: Place) -> StepStatus:
    record = place.record
    return StepStatus(
        name=place.key,
        state=record.state.value,
        start_time=record.started,
        finish_time=record.finished,
        message=record.message[:_MESSAGE],
    )
