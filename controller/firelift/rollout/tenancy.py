"""The namespace must be allowed what the spec names, before anything is read or written there.

What was written while it was allowed may be taken back after that has ended: a way back needs no permission, only the
ledger that this very object made. Nothing else does.
"""

from __future__ import annotations

from firelift.api.conditions import Reason
from firelift.rollout import revert
from firelift.rollout.allowed import barred, ours
from firelift.rollout.conduct import hold
from firelift.rollout.memory import changed, with_event
from firelift.rollout.ownership import ENDED
from firelift.rollout.running import active_runs
from firelift.rollout.state import Mode
from firelift.rollout.turn import Outcome, Settled, Turn

_BACKWARDS = {Mode.REVERTING, Mode.REVERT_FAILED}


def refused(turn: Turn) -> Outcome | None:
    """A ledger that is not ours is neither claimed nor adopted, but for the way back of what this object has begun."""
    ledger, state = turn.seen.ledger, turn.state
    if ours(ledger) or (found := barred(turn.rollout)) is None:
        return None
    if turn.rollout.deleting and turn.rollout.begun:
        return None
    if turn.rollout.deleting:
        return Settled(Reason.RELEASING, f"the object is being deleted: {found.message}, and nothing was begun")
    if turn.rollout.begun and not ledger.foreign:
        at_rest = state.mode in ENDED and turn.spec.attempt <= state.attempt
        if at_rest or state.mode in _BACKWARDS or revert.requested(turn) is not None:
            return None
    return Settled(found.reason, f"{found.message}; nothing of it is read or written")


def held(turn: Turn) -> Outcome | None:
    """Nothing goes forward while the namespace may not touch it: workers idle and the clock stands still."""
    if turn.state.mode is not Mode.FORWARD or (found := barred(turn.rollout)) is None:
        return _let_go_on(turn)
    stands = "; spec.intent: Revert takes back what stands" if turn.state.phases else ""
    message = f"{found.message}; nothing goes forward, and it goes on by itself when that is allowed{stands}"
    if turn.state.barred is not found.reason:
        return with_event(changed(turn.state, barred=found.reason), turn.now, found.reason, message)
    return Settled(found.reason, message, hold(turn, active_runs(turn)))


def _let_go_on(turn: Turn) -> Outcome | None:
    """What goes forward again says so; on its way back it needed no permission, and has none."""
    if turn.state.barred is None:
        return None
    state = changed(turn.state, barred=None)
    if state.mode is not Mode.FORWARD:
        return state
    message = f"namespace {turn.rollout.namespace} may touch all that the spec names: it goes on"
    return with_event(state, turn.now, "Allowed", message)
