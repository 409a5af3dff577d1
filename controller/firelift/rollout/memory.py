"""Changes to the memory, each as a new value."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar

from firelift.api.base import Model
from firelift.rollout.state import HISTORY, Event, PhaseRecord, RolloutState, StepRecord

MESSAGE = 1000
"""Sentences are cut here, so that a worker's long answer never makes a status unwritable."""

M = TypeVar("M", bound=Model)


def changed(model: M, **changes: Any) -> M:
    """The same value with these fields replaced."""
    return model.model_copy(update=changes)


def with_event(state: RolloutState, time: datetime, reason: str, message: str) -> RolloutState:
    """One line more of history."""
    event = Event(time=time, reason=reason, message=message[:MESSAGE])
    return changed(state, history=(*state.history, event)[-HISTORY:])


def with_step(state: RolloutState, phase_index: int, key: str, record: StepRecord) -> RolloutState:
    """One step's record replaced."""
    phase = state.phases[phase_index]
    return with_phase(state, phase_index, changed(phase, steps={**phase.steps, key: record}))


def with_phase(state: RolloutState, phase_index: int, phase: PhaseRecord) -> RolloutState:
    """One phase's record replaced."""
    phases = (*state.phases[:phase_index], phase, *state.phases[phase_index + 1 :])
    return changed(state, phases=phases)
