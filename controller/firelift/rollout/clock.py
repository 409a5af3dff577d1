"""The rollout's own clock: it stands still while the rollout is suspended, not allowed, paused or over."""

from __future__ import annotations

from firelift.rollout.allowed import barred
from firelift.rollout.evidence import reopened
from firelift.rollout.memory import changed
from firelift.rollout.place import current
from firelift.rollout.state import Mode, RolloutState
from firelift.rollout.turn import Outcome, Turn

MOVING = {Mode.FORWARD, Mode.REVERTING}


def moving(turn: Turn) -> bool:
    """Whether time counts: neither suspended (a deletion does not heed that) nor not allowed nor at rest."""
    if turn.state.mode is Mode.FORWARD and barred(turn.rollout) is not None:
        return False
    return turn.state.mode in MOVING and (turn.rollout.deleting or not turn.spec.suspend)


def kept(turn: Turn) -> Outcome | None:
    """Stop the clock, or let it go on."""
    held = turn.state.held_since
    if moving(turn) == (held is None):
        return None
    return changed(turn.state, held_since=turn.now) if held is None else _resumed(turn)


def _resumed(turn: Turn) -> RolloutState:
    state, place = turn.state, current(turn)
    if place is not None and place.record.started is not None:
        held = place.record.held_seconds + turn.seconds_since(state.held_since)
        state = place.save(held_seconds=held)
    return changed(
        state,
        held_since=None,
        gates=reopened(state.gates, turn.now),
        progress_time=turn.now,
        seen_time=turn.now,
    )
