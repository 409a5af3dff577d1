"""`maxSeconds`: flags that are taken back by themselves, whatever else the rollout does."""

from __future__ import annotations

from datetime import datetime

from firelift.rollout.intents import Intent
from firelift.rollout.memory import with_event
from firelift.rollout.place import Place, places
from firelift.rollout.state import StepState
from firelift.rollout.steps.flags import overdue, take_back, taken_back
from firelift.rollout.turn import Outcome, Turn


def closed(turn: Turn) -> Outcome | None:
    """Remember the flags whose time has run out, and of which nothing is ours any more."""
    for place in _overdue(turn):
        seen = turn.seen.config_maps.get(_config_map(place))
        if seen is not None and taken_back(place, seen):
            return with_event(
                place.save(taken_back=True), turn.now, "FlagsTakenBack", f"{place.title}: maxSeconds has run out"
            )
    return None


def closing(turn: Turn) -> tuple[Intent, ...]:
    """Restore the flags whose time has run out."""
    seen = turn.seen.config_maps
    return tuple(take_back(place, seen[_config_map(place)]) for place in _overdue(turn) if _config_map(place) in seen)


def windows_open(turn: Turn) -> dict[str, datetime]:
    """The ConfigMaps with a limit of time, and when it runs out."""
    ends: dict[str, datetime] = {}
    for place in places(turn):
        step, record = place.spec.flags, place.record
        if step is None or step.max_seconds is None or record.written_time is None or record.taken_back:
            continue
        if record.state not in {StepState.UNDOING, StepState.UNDONE, StepState.KEPT}:
            end = turn.after(record.written_time, step.max_seconds)
            ends[step.config_map.name] = min(end, ends.get(step.config_map.name, end))
    return ends


def _overdue(turn: Turn) -> list[Place]:
    return [place for place in places(turn) if overdue(place)]


def _config_map(place: Place) -> str:
    return place.spec.flags.config_map.name if place.spec.flags else ""
