"""One state is one environment's: with two of them, each would take away what the other has made."""

from __future__ import annotations

from firelift.api.environment.conditions import EnvironmentReason
from firelift.environment import destroying
from firelift.environment.turn import Outcome, Settled, Turn


def refused(turn: Turn) -> Outcome | None:
    """Nothing is planned on the state of an older environment; an object that takes nothing along may go."""
    other = turn.seen.elder
    if other is None or destroying.over(turn):
        return None
    message = (
        f"`terraform.backend.gcs`: {other.place} is the state of environment {other}, which is older; with one state "
        "each would take away what the other has made, so nothing is planned: "
    )
    if turn.environment.deleting:
        out = destroying.way_out(turn.environment.namespace, turn.environment.name)
    else:
        out = "delete this one with `deletionPolicy: Retain`, and create it with another `prefix`, or without one"
    return Settled(EnvironmentReason.INVALID_SPEC, message + out)
