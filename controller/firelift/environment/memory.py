"""Changes to the memory, each as a new value."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar

from firelift.api.base import Model
from firelift.environment.state import HISTORY, EnvironmentState, Event

MESSAGE = 1000
"""Sentences are cut here, so that Terraform's long answer never makes a status unwritable."""

M = TypeVar("M", bound=Model)


def changed(model: M, **changes: Any) -> M:
    """The same value with these fields replaced."""
    return model.model_copy(update=changes)


def with_event(state: EnvironmentState, time: datetime, reason: str, message: str) -> EnvironmentState:
    """One line more of history."""
    event = Event(time=time, reason=reason, message=message[:MESSAGE])
    return changed(state, history=(*state.history, event)[-HISTORY:])
