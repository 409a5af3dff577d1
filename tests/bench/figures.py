"""Figures: their medians and spreads, their targets, and how they are printed."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number with its rounds.

    `target` is the design's; beyond `alarm` it is no noise any more, and the bench fails. Both are upper bounds, lower
    ones with `at_least`; None for a figure that is only shown.
    """

    name: str
    rounds: Sequence[float]
    unit: str
    target: float | None = None
    alarm: float | None = None
    at_least: bool = False

    @property
    def value(self) -> float:
        """The median of the rounds."""
        return statistics.median(self.rounds)

    @property
    def reached(self) -> bool:
        """Whether the target is reached, as far as there is one."""
        return self.target is None or self._within(self.target)

    @property
    def alarming(self) -> bool:
        """Whether the target is missed by more than noise."""
        return self.alarm is not None and not self._within(self.alarm)

    def _within(self, limit: float) -> bool:
        return self.value >= limit if self.at_least else self.value <= limit

    @property
    def line(self) -> str:
        """The line that machines read."""
        return f"bench {self.name} {number(self.value)} {self.unit}"

    @property
    def remarks(self) -> list[str]:
        """What people read beside it: the spread, the target."""
        parts = [f"rounds {number(min(self.rounds))} to {number(max(self.rounds))}"] if len(self.rounds) > 1 else []
        if self.target is not None:
            sign = ">=" if self.at_least else "<="
            parts.append(f"target {sign} {number(self.target)}: {'reached' if self.reached else 'missed'}")
        if self.alarming:
            parts.append(f"ALARM beyond {number(self.alarm or 0)}")
        return parts


def number(value: float) -> str:
    """Four figures that count, and no exponent."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.4g}"


def at_most(name: str, rounds: Sequence[float], unit: str, target: float, alarm: float) -> Figure:
    """A figure that should not be above its target."""
    return Figure(name, rounds, unit, target, alarm)


def at_least(name: str, rounds: Sequence[float], unit: str, target: float, alarm: float) -> Figure:
    """A figure that should not be below its target."""
    return Figure(name, rounds, unit, target, alarm, at_least=True)
