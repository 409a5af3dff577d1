"""`maxSeconds`: flags that are taken back by themselves, whatever else the rollout does."""

from __future__ import annotations

from datetime import datetime

from firelift.api.conditions import Reason
from firelift.rollout.conduct import POLL
from firelift.rollout.intents import Intent
from firelift.rollout.memory import with_event
from firelift.rollout.place import Place, places
from firelift.rollout.state import StepState
from firelift.rollout.steps.flags import overdue, stands, take_back, taken_back
from firelift.rollout.turn import Outcome, Settled, Turn


def opened(turn: Turn) -> Outcome | None:
    """Remember flags that stand though nobody came to see it, such as those of a rollout that was aborted just then."""
    for place in _open(turn):
        seen = turn.seen.config_maps.get(_config_map(place))
        if place.record.written_time is None and seen is not None and stands(place, seen):
            return place.save(written_time=turn.now, stood=True)
    return None


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


def all_closed(turn: Turn) -> Outcome | None:
    """Take every flag with a limit of time back at once, before nobody is left to do it; None when none stands."""
    for place in _open(turn):
        seen = turn.seen.config_maps.get(_config_map(place))
        if seen is not None and taken_back(place, seen):
            what = f"{place.title}: nobody would be left to heed maxSeconds"
            return with_event(place.save(taken_back=True), turn.now, "FlagsTakenBack", what)
        intents = (take_back(place, seen),) if seen is not None else ()
        message = f"taking back the flags of {place.title}, which stand for maxSeconds only"
        return Settled(Reason.RELEASING, message, intents, turn.now + POLL)
    return None


def windows_open(turn: Turn) -> dict[str, datetime]:
    """The ConfigMaps with a limit of time, and when it runs out."""
    ends: dict[str, datetime] = {}
    for place in _open(turn):
        step = place.spec.flags
        if step is not None:
            end = turn.after(place.record.written_time, step.max_seconds or 0)
            ends[step.config_map.name] = min(end, ends.get(step.config_map.name, end))
    return ends


def _open(turn: Turn) -> list[Place]:
    """The flags with a limit of time of which something may still stand."""
    return [place for place in places(turn) if _is_open(place)]


def _is_open(place: Place) -> bool:
    step, record = place.spec.flags, place.record
    standing = record.state not in {StepState.UNDOING, StepState.UNDONE, StepState.KEPT}
    limited = step is not None and step.max_seconds is not None
    return limited and standing and bool(record.written) and not record.taken_back


def _overdue(turn: Turn) -> list[Place]:
    return [place for place in _open(turn) if overdue(place)]


def _config_map(place: Place) -> str:
    return place.spec.flags.config_map.name if place.spec.flags else ""
