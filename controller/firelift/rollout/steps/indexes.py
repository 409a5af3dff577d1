"""The verb `indexes`: done when all of them have been READY for long enough, and until then says which is not."""

from __future__ import annotations

from datetime import timedelta

from firelift.api.conditions import Reason
from firelift.api.environment.status import ResourceState
from firelift.api.status import WaitingFor
from firelift.api.steps.indexes import IndexesStep
from firelift.rollout.ground import IndexSeen
from firelift.rollout.memory import changed
from firelift.rollout.place import Place
from firelift.rollout.required import AGAIN, absent, elsewhere, look, titled
from firelift.rollout.turn import Settled
from firelift.rollout.twin import Failed, Finished, StepOutcome, Twin

_NAMED = 3
"""How many indexes a sentence names."""


def _forward(place: Place) -> StepOutcome:
    step = place.spec.indexes
    if step is None:
        return Finished(place.record)
    title, seen = titled(step.environment), look(place.turn.seen.environments, step.environment)
    if sentence := elsewhere(place.turn.rollout, seen, step.environment):
        return Failed(sentence)
    if sentence := absent(seen):
        waiting = WaitingFor(name=title[:512])
        message = f"waiting for {title}: {sentence}"
        return Settled(Reason.WAITING_FOR_ENVIRONMENT, message, due=place.turn.now + AGAIN, waiting_for=waiting)
    wanted = _wanted(step, seen.indexes)
    if not wanted:
        message = f"{title} tells of no index: none is declared in spec.indexes, or what is there cannot be read"
        return Settled(
            Reason.WAITING_FOR_ENVIRONMENT, message, (), place.turn.now + AGAIN, WaitingFor(name=title[:512])
        )
    return _not_ready(place, title, wanted) or _too_young(place, step, wanted) or _done(place, wanted)


def _wanted(step: IndexesStep, found: tuple[IndexSeen, ...]) -> tuple[IndexSeen, ...]:
    """Those that are named, or all. One that the environment does not declare is missing."""
    known = {index.name: index for index in found}
    names = step.names or tuple(known)
    return tuple(known.get(name) or IndexSeen(name) for name in names)


def _not_ready(place: Place, title: str, wanted: tuple[IndexSeen, ...]) -> Settled | None:
    late = [index for index in wanted if index.state != ResourceState.READY]
    if not late:
        return None
    # What is not being built waits for an apply, which in turn waits while a rollout is mid-phase and not for it.
    builds = all(index.state == ResourceState.CREATING for index in late)
    shown = "; ".join(_told(place, index) for index in late[:_NAMED])
    more = f"; and {len(late) - _NAMED:,} more" if len(late) > _NAMED else ""
    message = f"{len(wanted) - len(late):,} of {len(wanted):,} indexes of {title} are READY: {shown}{more}"
    reason = Reason.WAITING_FOR_INDEX if builds else Reason.WAITING_FOR_ENVIRONMENT
    waiting = WaitingFor(name=f"index {late[0].name}"[:512], since=late[0].since)
    return Settled(reason, message, due=place.turn.now + AGAIN, waiting_for=waiting)


def _told(place: Place, index: IndexSeen) -> str:
    if not index.state:
        return (
            f"{index.name} is not in its status: add it to spec.indexes, correct the name, or wait until it can be read"
        )
    where = f" on {index.collection}" if index.collection else ""
    progress = f", {index.progress}" if index.progress else ""
    seconds = place.turn.seconds_since(index.since)
    since = f" since {index.since:%Y-%m-%dT%H:%M:%SZ}, for {seconds:,.0f}s" if index.since else ""
    return f"{index.name}{where} is {index.state}{since}{progress}"


def _too_young(place: Place, step: IndexesStep, wanted: tuple[IndexSeen, ...]) -> Settled | None:
    ends = {index.name: index.since + timedelta(seconds=step.min_ready_seconds) for index in wanted if index.since}
    last = max(ends, key=lambda name: ends[name], default="")
    if not last or ends[last] <= place.turn.now or not step.min_ready_seconds:
        return None
    message = f"all {len(wanted):,} indexes are READY, {last} for less than minReadySeconds {step.min_ready_seconds:,}s"
    waiting = WaitingFor(name=f"index {last}"[:512])
    due = min(ends[last], place.turn.now + AGAIN)
    return Settled(Reason.WAITING_FOR_INDEX, f"{message}, until {ends[last]:%Y-%m-%dT%H:%M:%SZ}", (), due, waiting)


def _done(place: Place, wanted: tuple[IndexSeen, ...]) -> Finished:
    return Finished(changed(place.record, message=f"{len(wanted):,} indexes are READY"))


INDEXES = Twin(forward=_forward)
