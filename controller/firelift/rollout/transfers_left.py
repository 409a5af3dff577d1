"""Exports and imports that nobody wants any more: waited for, as long as they may write and can be seen."""

from __future__ import annotations

from firelift.api.conditions import Reason
from firelift.rollout.conduct import POLL
from firelift.rollout.extent import short
from firelift.rollout.memory import with_event
from firelift.rollout.place import Place
from firelift.rollout.state import Mode, RolloutState
from firelift.rollout.transfer_state import FORGOTTEN
from firelift.rollout.transfers import (
    PATIENCE_SECONDS,
    POLL_OPERATION,
    ended,
    imports_left,
    leaving,
    open_places,
    progress_of,
    under_locks,
    where,
)
from firelift.rollout.turn import Outcome, Settled, Turn

TRANSFER_LEFT = "TransferLeft"
"""The Event of an export or import that may go on, and is waited for no longer."""


def given_up(turn: Turn) -> Outcome | None:
    """Wait until what was begun is cancelled, as far as that can be seen; None when there is nothing to wait for."""
    return _let_end(turn, open_places(turn), Reason.RELEASING, "the object is being deleted")


def unlocking(turn: Turn, reason: Reason, message: str) -> Outcome | None:
    """Keep the locks of a rollout that is over while an import may write under them."""
    return _let_end(turn, under_locks(turn), reason, message)


def left_behind(turn: Turn) -> Settled | None:
    """Let nothing begin, forward or back, while an import that nobody waits for may still write."""
    reason = Reason.REVERTING if turn.state.mode is Mode.REVERTING else Reason.STARTING
    for place in imports_left(turn):
        if turn.seen.backups is None:
            return Settled(reason, "looking for imports that are under way", due=turn.now)
        # What was asked for and never seen is not waited for for ever; what cannot be looked up may well write.
        doubt = "" if _waited(place) and not turn.seen.backups.operations_error else _doubt(place)
        if doubt := _going(place) or doubt:
            way_out = "spec.deletionPolicy: Retain" if turn.rollout.deleting else "spec.intent: Abort"
            message = f"{doubt}; nothing else may write meanwhile, and {way_out} ends the waiting"
            return Settled(reason, message, due=turn.now + POLL_OPERATION)
    return None


def _let_end(turn: Turn, waited_for: list[Place], reason: Reason, message: str) -> Outcome | None:
    """Wait for the end of what is seen to go on, and for a while for what is not to be seen."""
    for place in waited_for:
        if turn.seen.backups is None:
            return Settled(reason, "looking for exports and imports that are under way", due=turn.now)
        if progress_of(place) is not None:
            return Settled(reason, f"{message}{leaving(turn)}", due=turn.now + POLL)
        if doubt := _doubt(place):
            if not _waited(place):
                return Settled(reason, f"{message}; {doubt}", due=turn.now + POLL)
            return _left_alone(place, doubt)
    return None


def _left_alone(place: Place, doubt: str) -> RolloutState:
    record = place.record.transfer
    told = f"{doubt}; it is waited for no longer, see whether it goes on by gcloud firestore operations list"
    state = place.save(transfer=ended(record, FORGOTTEN, told)) if record is not None else place.state
    return with_event(state, place.turn.now, TRANSFER_LEFT, told)


def _going(place: Place) -> str:
    record, found = place.record.transfer, progress_of(place)
    if record is None or found is None:
        return ""
    done = f"{short(found.documents)} documents so far"
    return f"waiting until the {record.kind} {where(record)} is cancelled: it is {found.state}, {done}"


def _doubt(place: Place) -> str:
    """Why it is not known whether it goes on; empty when that is known."""
    record, seen = place.record.transfer, place.turn.seen.backups
    if record is None or seen is None:
        return ""
    if seen.operations_error:
        return f"whether the {record.kind} {where(record)} goes on cannot be looked up: {seen.operations_error}"
    unseen = not record.operation and progress_of(place) is None
    return f"the {record.kind} {where(record)} was asked for, and Firestore tells of no operation" if unseen else ""


def _waited(place: Place) -> bool:
    record = place.record.transfer
    since = record.unseen_since if record is not None else None
    return since is not None and place.turn.seconds_since(since) >= PATIENCE_SECONDS
