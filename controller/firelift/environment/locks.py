"""The state's lock: who holds it, and whether nobody does any more."""

from __future__ import annotations

from firelift.api.environment.conditions import EnvironmentReason
from firelift.api.environment.status import LockHolder, PlanPurpose
from firelift.environment import runs
from firelift.environment.state import LockRecord, RunKind, Worked
from firelift.environment.turn import Outcome, Settled, Turn

AGAIN = 60
"""Seconds after which a lock that somebody else holds is tried again."""


def holder(turn: Turn, lock: LockRecord) -> LockHolder:
    """A lock is orphaned only when it is of a run of ours that has provably ended; in doubt it is somebody else's."""
    ours = [each for each in turn.state.worked if _took(turn, each, lock)]
    if not ours:
        return LockHolder.ALIVE if lock.host and lock.host in turn.seen.operator.hosts else LockHolder.FOREIGN
    return LockHolder.ALIVE if any(_lives(turn, each) for each in ours) else LockHolder.ORPHANED


def waited(turn: Turn, purpose: PlanPurpose) -> Outcome | None:
    """Release an orphaned lock, wait for another; None when there is none, or it is time to try again."""
    lock = turn.state.lock
    if lock is None:
        return None
    if holder(turn, lock) is LockHolder.ORPHANED:
        return runs.begun(turn, RunKind.UNLOCK, purpose, lock=lock.id)
    if turn.seconds_since(lock.seen) >= AGAIN:
        return None
    return Settled(EnvironmentReason.STATE_LOCKED, sentence(turn, lock), due=turn.after(lock.seen, AGAIN))


def sentence(turn: Turn, lock: LockRecord) -> str:
    """Who holds it since when, and what happens next."""
    since = f" since {lock.created:%Y-%m-%dT%H:%M:%SZ}" if lock.created else ""
    who = f"the state is locked by {lock.who or 'somebody unknown'}{since} (lock {lock.id})"
    match holder(turn, lock):
        case LockHolder.ALIVE:
            return f"{who}: one of our own runs that is at work; it is tried again every {AGAIN} s"
        case LockHolder.ORPHANED:
            return f"{who}: one of our own runs that is gone; it is released"
        case LockHolder.FOREIGN:
            return (
                f"{who}, who is none of our runs; it is tried again every {AGAIN} s, and never released: whoever knows "
                f"that nobody works there runs `terraform force-unlock {lock.id}`"
            )


def _took(turn: Turn, run: Worked, lock: LockRecord) -> bool:
    if lock.created is None or not lock.host or run.host != lock.host:
        return False
    return run.started <= lock.created <= (run.ended or turn.now)


def _lives(turn: Turn, run: Worked) -> bool:
    """Whether the run may still hold what it took: it has not ended, and its operator is not gone."""
    operator = turn.seen.operator
    if run.ended is not None:
        return False
    return run.by in operator.alive if run.by != operator.id else turn.state.run is not None
