"""The state's lock: who holds it, and whether nobody does any more."""

from __future__ import annotations

from firelift.api.environment.conditions import EnvironmentReason
from firelift.api.environment.status import LockHolder, PlanPurpose
from firelift.environment import runs
from firelift.environment.holders import LockRecord, Worked
from firelift.environment.state import RunKind
from firelift.environment.turn import Outcome, Settled, Turn

AGAIN = 60
"""Seconds after which a lock that somebody else holds is tried again."""


def holder(turn: Turn, lock: LockRecord) -> LockHolder:
    """A lock is orphaned only when it is of a run of ours that has provably ended; in doubt it is somebody else's."""
    operator, ours = turn.seen.operator, _ours(turn, lock)
    living = {each.by for each in ours if each.ended is None} & operator.alive
    if living - operator.unseen or (not ours and lock.host and lock.host in operator.hosts):
        return LockHolder.ALIVE
    return LockHolder.ORPHANED if ours and not living else LockHolder.FOREIGN


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
    ours, holds = _ours(turn, lock), holder(turn, lock)
    if holds is LockHolder.ORPHANED:
        return f"{who}: one of our own runs that is gone; it is released"
    if holds is LockHolder.ALIVE and ours:
        return f"{who}: one of our own runs that is at work; it is tried again every {AGAIN} s"
    return (
        f"{who}, {_doubt(holds, ours)}; it is tried again every {AGAIN} s, and never released: whoever knows that "
        f"nobody works there runs `terraform force-unlock {lock.id}`"
    )


def _doubt(holds: LockHolder, ours: list[Worked]) -> str:
    if ours:
        return f"one of our own runs, of operator {ours[-1].by} of which nothing can be seen from here"
    return "from where an operator of ours lives" if holds is LockHolder.ALIVE else "who is none of our runs"


def _ours(turn: Turn, lock: LockRecord) -> list[Worked]:
    return [each for each in turn.state.worked if _took(turn, each, lock)]


def _took(turn: Turn, run: Worked, lock: LockRecord) -> bool:
    if lock.created is None or not lock.host or run.host != lock.host:
        return False
    return run.started <= lock.created <= (run.ended or turn.now)
