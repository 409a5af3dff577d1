"""Runs that may have workers: noticed when they exist, and gone before anything else may write."""

from __future__ import annotations

from collections.abc import Iterable

from firelift.api.conditions import Reason
from firelift.api.run import RunKind, RunPlan
from firelift.rollout import transfers_left
from firelift.rollout.conduct import POLL, gone, lingering, stop
from firelift.rollout.memory import changed
from firelift.rollout.place import Place, current, goes_back, last_executed, places
from firelift.rollout.state import Mode, RolloutState
from firelift.rollout.steps import twin
from firelift.rollout.turn import Outcome, Settled, Turn

_BACKWARDS = {RunKind.REVERT, RunKind.REVERT_VERIFY}


def at_work(turn: Turn) -> Place | None:
    """The step that is being done or undone, or was when the rollout came to rest."""
    backwards = turn.state.revert is not None and turn.state.mode is not Mode.FORWARD
    return last_executed(turn) if backwards else current(turn)


def plans_at_work(turn: Turn) -> tuple[RunPlan, ...]:
    """The runs that this step may want, in both directions."""
    place = at_work(turn)
    if place is None:
        return ()
    backwards = twin(place).undo_plans(place) if goes_back(turn) else ()
    return (*twin(place).plans(place), *backwards)


def active_runs(turn: Turn) -> tuple[str, ...]:
    """The runs that may have workers now."""
    runs = [plan.id for plan in plans_at_work(turn)]
    place = at_work(turn)
    if place is not None and goes_back(turn):
        runs += place.record.runs
    return tuple(dict.fromkeys([*runs, *turn.state.trying, *turn.state.superseded]))


def noticed(turn: Turn) -> Outcome | None:
    """Remember the runs whose documents exist now: only those have a journal to walk."""
    place = at_work(turn)
    if place is None:
        return None
    for plan in plans_at_work(turn):
        if turn.run(plan.id).exists:
            state = _undoing(place, plan) if plan.kind in _BACKWARDS else _owned(turn, plan)
            if state is not None:
                return state
    return None


def superseded(turn: Turn) -> Outcome | None:
    """Let what an attempt or a step left behind, workers and imports, be gone before anything new begins."""
    runs = turn.state.superseded
    if not runs:
        return transfers_left.left_behind(turn)
    if gone(turn, runs):
        return changed(turn.state, superseded=())
    due = turn.now + POLL if _observed(turn, runs) else turn.now
    message = f"waiting for workers that were left behind to leave{lingering(turn, runs)}"
    return Settled(Reason.STARTING, message, stop(turn, runs), due)


def _observed(turn: Turn, runs: Iterable[str]) -> bool:
    return all(run in turn.seen.runs for run in runs)


def _undoing(place: Place, plan: RunPlan) -> RolloutState | None:
    known = place.record.undo_runs
    return None if plan.id in known else place.save(undo_runs=(*known, plan.id))


def _owned(turn: Turn, plan: RunPlan) -> RolloutState | None:
    """A run stands with the step that owns it: a sweep with the earlier step whose cohort it serves."""
    owner = next(
        (place for place in places(turn) if (place.phase.name, place.key) == (plan.phase, plan.step)),
        None,
    )
    if owner is None or plan.id in owner.record.runs:
        return None
    return owner.save(runs=(*owner.record.runs, plan.id))
