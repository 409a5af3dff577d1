"""A place in the plan: one step of a phase that has started, with its frozen spec and its memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from firelift.api.migration import MigrationSpec
from firelift.api.steps import StepSpec
from firelift.rollout.memory import changed, with_step
from firelift.rollout.state import PhaseRecord, Rehearsal, RolloutState, StepRecord, StepState
from firelift.rollout.turn import Turn

STEPS_PER_PHASE = 16
"""The API's bound; it makes a step's ordinal unique."""

EXECUTED = {StepState.DONE, StepState.SKIPPED}
NOTHING_TO_UNDO = {StepState.PENDING, StepState.UNDONE, StepState.KEPT}


@dataclass(frozen=True, slots=True)
class Place:
    """One step, seen in one turn."""

    turn: Turn
    phase_index: int
    step_index: int

    @property
    def state(self) -> RolloutState:
        """The whole memory."""
        return self.turn.state

    @property
    def phase(self) -> PhaseRecord:
        """The phase's frozen snapshot and memory."""
        return self.state.phases[self.phase_index]

    @property
    def spec(self) -> StepSpec:
        """The step as it was when its phase started."""
        return self.phase.spec.steps[self.step_index]

    @property
    def key(self) -> str:
        """The step's name."""
        return self.spec.key

    @property
    def record(self) -> StepRecord:
        """The step's memory."""
        return self.phase.steps.get(self.key) or StepRecord()

    @property
    def ordinal(self) -> int:
        """The step's number in the whole rollout."""
        return self.phase_index * STEPS_PER_PHASE + self.step_index

    @property
    def title(self) -> str:
        """How sentences call it."""
        return f"step {self.key} of phase {self.phase.name}"

    def save(self, **changes: Any) -> RolloutState:
        """The memory with this step's record changed."""
        return with_step(self.state, self.phase_index, self.key, changed(self.record, **changes))

    def having(self, state: RolloutState) -> Place:
        """The same place with another memory."""
        return Place(Turn(self.turn.rollout, state, self.turn.seen), self.phase_index, self.step_index)

    def migration(self, name: str) -> MigrationSpec:
        """A migration as it was when the phase started."""
        return next(migration for migration in self.phase.migrations if migration.name == name)

    def elapsed(self) -> float:
        """Seconds that the step has run, without the time in which it was held."""
        return max(0.0, self.turn.seconds_since(self.record.started) - self.record.held_seconds)

    @property
    def standing(self) -> bool:
        """Whether a revert has to walk back through it; a step that waits for another try has been begun before."""
        begun_before = self.record.state is StepState.PENDING and self.begun
        return begun_before or self.record.state not in NOTHING_TO_UNDO

    @property
    def begun(self) -> bool:
        """Whether it has ever done anything, in this attempt or in one whose revert left it standing."""
        return self.record.started is not None or bool(self.record.left or self.record.written)

    def before(self) -> Iterator[Place]:
        """All steps of started phases in front of this one, in order."""
        return (place for place in places(self.turn) if place.ordinal < self.ordinal)


def places(turn: Turn) -> list[Place]:
    """All steps of all started phases, in order."""
    return [
        Place(turn, phase_index, step_index)
        for phase_index, phase in enumerate(turn.state.phases)
        for step_index in range(len(phase.spec.steps))
    ]


def current(turn: Turn) -> Place | None:
    """The step that the rollout has reached; None between phases and at the end."""
    state = turn.state
    if state.phase_index >= len(state.phases):
        return None
    if state.step_index >= len(state.phases[state.phase_index].spec.steps):
        return None
    return Place(turn, state.phase_index, state.step_index)


def goes_back(turn: Turn) -> bool:
    """Whether the step at work is undone: by a revert, or in a rehearsal."""
    place = current(turn)
    rehearsing = place is not None and place.phase.rehearsal is Rehearsal.BACK
    return turn.state.revert is not None or rehearsing


def last_executed(turn: Turn) -> Place | None:
    """The step that a revert must undo next; None when everything down to its goal is undone."""
    goal = turn.state.revert.first_index if turn.state.revert else 0
    executed = (place for place in reversed(places(turn)) if place.phase_index >= goal and place.standing)
    return next(executed, None)
