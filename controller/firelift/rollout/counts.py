"""What steps have counted: kept of the runs that are behind them, seen of those that are under way."""

from __future__ import annotations

from firelift.api.run import Totals
from firelift.api.steps import StepSpec
from firelift.rollout.conduct import tally
from firelift.rollout.place import Place
from firelift.rollout.state import StepState
from firelift.rollout.steps import twin

_UNDER_WAY = {StepState.RUNNING, StepState.FAILED}


def moves(step: StepSpec) -> bool:
    """Whether the step's runs move documents forward."""
    return step.migrate is not None or step.sweep is not None


def counted(place: Place) -> Totals:
    """The totals of a step: its earlier passes and attempts, and the runs that it leads now."""
    if place.record.state in _UNDER_WAY:
        return place.record.totals.plus(tally(place.turn, twin(place).plans(place)))
    return place.record.totals
