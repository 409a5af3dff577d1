"""How long a revert would take: a phase whose way back outlasts `maxRevertSeconds` is not opened.

Before anything was measured only the pace is known. It is the most that a revert can reach, so that a phase which is
refused for it could never have been taken back in time; one that is let pass may still be slower.
"""

from __future__ import annotations

from collections.abc import Iterable

from firelift.api.conditions import Reason
from firelift.api.rollout import PaceSpec, PhaseSpec, RevertTo
from firelift.rollout.approvals import silenced
from firelift.rollout.extent import duration
from firelift.rollout.memory import changed
from firelift.rollout.place import EXECUTED, Place
from firelift.rollout.state import Measured, RolloutState
from firelift.rollout.turn import Settled, Turn

GATE = "max-revert-seconds"
"""What an Override names to open the phase all the same."""

REVERT_SHARE = 0.7
"""Of the rate of a migrate run, what a revert is taken to reach until one has been measured. Source: the goal that
`make bench` holds as `revert-vs-migrate`."""

_HUNDRED = 100


def too_long(turn: Turn, phase: PhaseSpec) -> Settled | None:
    """Why a phase does not start, in both numbers; None when its way back is short enough as far as is known."""
    allowed = phase.max_revert_seconds or turn.spec.max_revert_seconds
    rate, measured = _rate(turn)
    documents = _documents(turn, phase)
    if allowed is None or documents / rate <= allowed or silenced(turn, GATE):
        return None
    seconds = documents / rate
    what = "the whole rollout" if turn.spec.on_failure.to is RevertTo.ROLLOUT_START else f"phase {phase.name}"
    message = (
        f"phase {phase.name} does not start: to take about {documents:,} documents of {what} back would last "
        f"{seconds:,.0f}s ({duration(seconds)}) at the {rate:,.0f}/s that {measured}, and maxRevertSeconds is "
        f"{allowed:,}s; raise it, let more workers write faster, or approve Override of gate {GATE}"
    )
    return Settled(Reason.REVERT_TOO_LONG, message)


def passed(state: RolloutState) -> RolloutState:
    """A phase is done: whether the next one is opened is another decision."""
    return changed(state, overrides=tuple(override for override in state.overrides if override.gate != GATE))


def moved(place: Place, documents: int) -> Place:
    """The step with a memory of how fast its documents were moved."""
    return place.having(changed(place.state, moving=_better(place.state.moving, documents, place.elapsed())))


def taken_back(place: Place, documents: int) -> Place:
    """The step with a memory of how fast its documents were taken back and checked."""
    seconds = place.turn.seconds_since(place.record.undo_started)
    return place.having(changed(place.state, reverting=_better(place.state.reverting, documents, seconds)))


def _better(known: Measured, documents: int, seconds: float) -> Measured:
    """The measurement over more documents: in a small one the start of a pod is most of the time."""
    fresh = documents and seconds and documents >= known.documents
    return Measured(documents=documents, seconds=seconds) if fresh else known


def _rate(turn: Turn) -> tuple[float, str]:
    """Documents per second that a revert will reach, and how that is known."""
    moving, reverting = turn.state.moving, turn.state.reverting
    rate = reverting.rate or moving.rate * REVERT_SHARE
    pace, field = _fastest(turn.spec.pace)
    if not rate or rate > pace:
        return pace, f"{field} allows{'' if rate else ' at best, and nothing has been measured yet'}"
    return rate, "a revert has reached" if reverting.rate else f"are {REVERT_SHARE:g} of what migrate has reached"


def _fastest(pace: PaceSpec) -> tuple[float, str]:
    """Documents per second that the pace allows, and the field that says so."""
    pause, limit = pace.pause_between_batches_seconds, float(pace.max_writes_per_second)
    if pause and pace.batch_size / pause < limit:
        return pace.batch_size / pause, "pace.pauseBetweenBatchesSeconds"
    return limit, "pace.maxWritesPerSecond"


def _documents(turn: Turn, phase: PhaseSpec) -> int:
    """About how many documents a revert would take back once the phase is done.

    A phase that is to come has those of its plan, and more where its sources have grown since.
    """
    behind = _percents(record.spec for record in turn.state.phases)
    ahead = _percents([*(record.spec for record in turn.state.phases), phase])
    grown = sum(
        turn.state.sources.get(name, 0) * max(0, percent - behind.get(name, 0)) // _HUNDRED
        for name, percent in ahead.items()
    )
    phases = turn.state.plan.phases if turn.state.plan else ()
    coming = max([grown, *(each.documents for each in phases if each.name == phase.name)])
    if turn.spec.on_failure.to is not RevertTo.ROLLOUT_START:
        return coming
    steps = (step for record in turn.state.phases for step in record.steps.values())
    return coming + sum(step.totals.written for step in steps if step.state in EXECUTED)


def _percents(phases: Iterable[PhaseSpec]) -> dict[str, int]:
    """The largest percent of each migration; how many records named entities and conditions have only a plan says."""
    moves = [step.migrate for phase in phases for step in phase.steps if step.migrate is not None]
    percents: dict[str, int] = {}
    for move in moves:
        for name in move.migrations:
            percents[name] = max(percents.get(name, 0), move.cohort.percent or 0)
    return percents
