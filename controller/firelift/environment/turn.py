"""One turn: what is known, and what a rule makes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from firelift.api.environment.conditions import EnvironmentReason
from firelift.api.environment.spec import EnvironmentSpec
from firelift.environment.intents import Intent
from firelift.environment.observation import Environment, Observation
from firelift.environment.state import EnvironmentState


@dataclass(frozen=True, slots=True)
class Turn:
    """The object, its memory and one look at the world."""

    environment: Environment
    state: EnvironmentState
    seen: Observation

    @property
    def now(self) -> datetime:
        """The time of the observation."""
        return self.seen.now

    @property
    def spec(self) -> EnvironmentSpec:
        """What is asked for now."""
        return self.environment.spec

    def seconds_since(self, time: datetime | None) -> float:
        """Seconds since a time; a time that has not come, or a clock that jumped back, counts as none."""
        return max(0.0, (self.now - time).total_seconds()) if time else 0.0

    def after(self, time: datetime | None, seconds: float) -> datetime:
        """The time so many seconds after another one, or after now."""
        return (time or self.now) + timedelta(seconds=seconds)


@dataclass(frozen=True, slots=True)
class Settled:
    """The memory stays as it is for this turn: what is to be done, why, and when to look again at the latest.

    `retrying`: a failure that is tried again by itself.
    """

    reason: EnvironmentReason
    message: str
    intents: tuple[Intent, ...] = ()
    due: datetime | None = None
    retrying: bool = False


Outcome: TypeAlias = EnvironmentState | Settled
Rule: TypeAlias = Callable[[Turn], Outcome | None]
"""A rule changes the memory (and all rules are asked anew), settles the turn, or has nothing to say (None)."""


def first(turn: Turn, rules: tuple[Rule, ...]) -> Outcome | None:
    """What the first rule says that has something to say."""
    for rule in rules:
        outcome = rule(turn)
        if outcome is not None:
            return outcome
    return None
