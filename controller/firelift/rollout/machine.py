"""The entry points of the rollout machine: what to look at, and what to make of it. Pure and total."""

from __future__ import annotations

from datetime import datetime

from firelift.rollout.observation import Rollout
from firelift.rollout.state import RolloutState


def initial_state(rollout: Rollout, now: datetime) -> RolloutState:
    """The memory of a rollout that nobody has worked on yet."""
    return RolloutState(attempt=rollout.spec.attempt, started=now, progress_time=now, seen_time=now)
