"""A state that was never written: Terraform does not know of what it has made, and would make it again."""

from __future__ import annotations

from firelift.api.environment.conditions import EnvironmentReason
from firelift.environment import destroying
from firelift.environment.memory import changed, with_event
from firelift.environment.turn import Outcome, Settled, Turn


def found(turn: Turn) -> Outcome | None:
    """Take note of one that a run has left which was killed, unless a person has heeded it already."""
    place, state = turn.seen.unwritten, turn.state
    if not place or state.unsaved or place == state.heeded:
        return None
    text = f"a run that was killed could not write its state: it is in {place}"
    return with_event(changed(state, unsaved=place), turn.now, "StateUnsaved", text)


def stalled(turn: Turn) -> Outcome | None:
    """Nothing is planned before a person has decided; an object that takes nothing along may go."""
    if not turn.state.unsaved or destroying.over(turn):
        return None
    message = (
        "an apply has changed things, and the state that knows of them was never written: it is in "
        f"{turn.state.unsaved}; nothing is planned until you push it by `terraform state push`, or decide to do "
        "without it, and then raise `attempt`"
    )
    out = f"; {destroying.way_out(turn.environment.namespace, turn.environment.name)}"
    return Settled(EnvironmentReason.STATE_UNSAVED, message + (out if turn.environment.deleting else ""))
