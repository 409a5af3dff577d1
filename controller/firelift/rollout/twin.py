"""What a twin says of its step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from firelift.api.conditions import Reason
from firelift.api.run import RunPlan
from firelift.rollout.place import Place
from firelift.rollout.state import StepRecord
from firelift.rollout.turn import Outcome


@dataclass(frozen=True, slots=True)
class Finished:
    """The step, or its inverse, is done and checked; `record` is what to remember of it."""

    record: StepRecord


@dataclass(frozen=True, slots=True)
class Failed:
    """The step, or its inverse, cannot be done."""

    message: str
    reason: Reason = Reason.STEP_FAILED


StepOutcome: TypeAlias = Outcome | Finished | Failed


def no_plans(_place: Place) -> tuple[RunPlan, ...]:
    """For a verb that starts no runs."""
    return ()


def nothing_to_undo(place: Place) -> StepOutcome:
    """The inverse of a verb that changes nothing."""
    return Finished(place.record)


@dataclass(frozen=True, slots=True)
class Twin:
    """What a verb does. `forward` and `inverse` are asked in every turn until they say Finished or Failed.

    `plans` and `undo_plans` are the runs that each of them may want now: what the turn must have looked at.
    """

    forward: Callable[[Place], StepOutcome]
    inverse: Callable[[Place], StepOutcome] = nothing_to_undo
    plans: Callable[[Place], tuple[RunPlan, ...]] = no_plans
    undo_plans: Callable[[Place], tuple[RunPlan, ...]] = no_plans
