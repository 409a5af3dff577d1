"""Exports and imports: begun once, found again after a crash, cancelled when nobody waits for them any more."""

from __future__ import annotations

from datetime import timedelta

from firelift.api.conditions import Reason
from firelift.rollout.backups import CANCELLED, CANCELLING, SUCCESSFUL, OperationSeen, TransferKind
from firelift.rollout.backups import ENDED as OPERATION_ENDED
from firelift.rollout.clock import moving
from firelift.rollout.conduct import POLL
from firelift.rollout.extent import short
from firelift.rollout.intents import CancelTransfer, Intent, StartTransfer
from firelift.rollout.memory import MESSAGE, changed
from firelift.rollout.ownership import ENDED
from firelift.rollout.place import Place, current, places
from firelift.rollout.state import Mode, RolloutState, StepState
from firelift.rollout.transfer_state import FORGOTTEN, REFUSED, TransferRecord
from firelift.rollout.turn import Outcome, Settled, Turn
from firelift.rollout.twin import Failed

POLL_OPERATION = timedelta(seconds=5)
"""How often an operation is looked at."""

REFUSED_AGAIN = timedelta(seconds=15)
"""How often what was refused is asked for again: a right that was granted takes effect by and by."""

PATIENCE_SECONDS = 60
"""How long is waited for the end of what is cancelled and changes nothing, or is not to be seen."""

_PERCENT = 100


def wanted(turn: Turn) -> bool:
    """Whether the next decision speaks of backups, exports or imports."""
    state = turn.state
    if open_places(turn) and (state.mode not in ENDED or turn.rollout.deleting):
        return True
    if under_locks(turn):
        return True
    if state.mode is not Mode.FORWARD or not moving(turn) or not _speaks(turn):
        return False
    place = current(turn)
    asking = state.plan is not None and state.plan.asking
    return place is None or asking or place.record.state is StepState.PENDING or moves(place)


def moves(place: Place) -> bool:
    """Whether the step is about a copy of the database."""
    return place.spec.backup is not None or place.spec.restore is not None


def open_places(turn: Turn) -> list[Place]:
    """The steps whose export or import has not been seen to end."""
    found = ((place, place.record.transfer) for place in places(turn))
    return [place for place, transfer in found if transfer is not None and not transfer.ended]


def noticed(turn: Turn) -> Outcome | None:
    """Remember the operation that was begun, how it ended, and since when it is not to be seen."""
    for place in open_places(turn):
        record = place.record.transfer
        told = _told(place, record) if record is not None else None
        if told != record:
            return place.save(transfer=told)
    return None


def _told(place: Place, record: TransferRecord) -> TransferRecord:
    found = _operation(place)
    if found is None:
        return _unseen(place, record) if _unwanted(place) else record
    told = changed(record, operation=found.name, unseen_since=None)
    if not found.ended:
        return told
    return changed(told, state=found.state, documents=found.documents, size=found.size, error=found.error)


def _unseen(place: Place, record: TransferRecord) -> TransferRecord:
    turn = place.turn
    if turn.seen.backups is None or not turn.seen.ledger.mine:
        return record
    if record.operation and not turn.seen.backups.operations_error:
        return ended(record, FORGOTTEN, _forgotten(record))
    return record if record.unseen_since else changed(record, unseen_since=turn.now)


def closing(turn: Turn) -> tuple[Intent, ...]:
    """Cancel what nobody waits for any more."""
    going = (_operation(place) for place in open_places(turn) if _unwanted(place))
    cancelled = {*OPERATION_ENDED, CANCELLING}
    return tuple(CancelTransfer(found.name) for found in going if found is not None and found.state not in cancelled)


def leaving(turn: Turn) -> str:
    """What is being cancelled, as the end of a sentence; empty when nothing is."""
    going = [place.record.transfer for place in open_places(turn) if _unwanted(place)]
    named = [f"the {record.kind} {where(record)} is cancelled" for record in going if record is not None]
    partly = any(record is not None and record.kind is TransferKind.IMPORT for record in going)
    half = ", and what it has overwritten stays so" if partly else ""
    return f"; {', '.join(named)}{half}" if named else ""


def imports_left(turn: Turn) -> list[Place]:
    """The imports that nobody waits for, and that have not been seen to end."""
    going = ((place, place.record.transfer) for place in open_places(turn) if _unwanted(place))
    return [place for place, record in going if record is not None and record.kind is TransferKind.IMPORT]


def under_locks(turn: Turn) -> list[Place]:
    """The imports that the locks of a rollout which is over are kept for."""
    over = turn.state.mode in ENDED and turn.state.locks
    return imports_left(turn) if over else []


def carried(place: Place, wanted_: TransferRecord, reason: Reason) -> Outcome | Failed | TransferRecord:
    """Bring this export or import to its end; its record when it has ended.

    First it is remembered, with the operations that were there before; then it is begun, unless a new one is there.
    """
    turn, record = place.turn, place.record.transfer
    seen = turn.seen.backups
    if seen is None:
        return Settled(reason, "looking at the database's exports and imports", due=turn.now)
    if record is not None and record.ended and record.attempt == turn.state.attempt:
        return Failed(record.error) if record.state in {REFUSED, FORGOTTEN} else record
    if seen.operations_error:
        message = f"the {wanted_.kind} {where(wanted_)} cannot be followed: {seen.operations_error}"
        return Settled(reason, message, due=turn.now + REFUSED_AGAIN)
    if record is None or record.attempt != turn.state.attempt:
        if record is not None and not record.ended and _operation(place) is not None:
            message = f"the {record.kind} of attempt {record.attempt} {where(record)} is cancelled first"
            return Settled(reason, message, due=turn.now + POLL_OPERATION)
        before = seen.moving(wanted_.kind, wanted_.uri, frozenset(wanted_.collections))
        return place.save(transfer=changed(wanted_, known=tuple(operation.name for operation in before)))
    return _under_way(place, record, reason) if record.operation else _begin(place, record, reason)


def inverse(place: Place) -> RolloutState | Settled | None:
    """Wait for the end of an export that is cancelled, but not for ever: it changes nothing. None: go on."""
    turn, record = place.turn, place.record.transfer
    if record is None or record.ended or turn.seconds_since(place.record.undo_started) >= PATIENCE_SECONDS:
        return None
    if turn.seen.backups is None:
        return Settled(Reason.REVERTING, "looking at the database's exports", due=turn.now)
    if not turn.seen.backups.operations_error and _operation(place) is None:
        return None
    return Settled(Reason.REVERTING, f"cancelling the {record.kind} {where(record)}", due=turn.now + POLL)


def _begin(place: Place, record: TransferRecord, reason: Reason) -> Outcome:
    turn = place.turn
    intent = StartTransfer(record.kind, record.uri, record.collections, record.known, record.snapshot)
    refusal = turn.seen.refusals.get(record.uri)
    if refusal is None:
        return Settled(reason, f"beginning the {record.kind} {where(record)}", (intent,), turn.now + POLL)
    what = f"the {record.kind} {where(record)} was refused: {refusal.sentence}"
    if refusal.final:
        return place.save(transfer=ended(record, REFUSED, what))
    return Settled(reason, f"{what}; it is tried again", (intent,), turn.now + REFUSED_AGAIN)


def _under_way(place: Place, record: TransferRecord, reason: Reason) -> Outcome:
    found = _operation(place)
    if found is None:
        return place.save(transfer=ended(record, FORGOTTEN, _forgotten(record)))
    of = f" of {short(found.estimate)}" if found.estimate > found.documents else ""
    percent = f"{_PERCENT * found.documents // found.estimate}%, " if of else ""
    message = (
        f"{record.kind} {where(record)} is {found.state}: {percent}{short(found.documents)}{of} documents, "
        f"{found.size:,} bytes so far (operation {found.name.rpartition('/')[2]})"
    )
    return Settled(reason, message, due=place.turn.now + POLL_OPERATION)


def _forgotten(record: TransferRecord) -> str:
    return (
        f"{record.kind} {where(record)}: Firestore no longer tells of operation {record.operation}, so whether it "
        "is complete is not known"
    )


def ended(record: TransferRecord, state: str, error: str) -> TransferRecord:
    """The record of one that nobody asks for any more."""
    return changed(record, state=state, error=error[:MESSAGE])


def how_it_ended(record: TransferRecord) -> str:
    """Why an export or import that has ended is of no use; empty when it went well."""
    if record.state == SUCCESSFUL:
        return ""
    after = f"after {record.documents:,} documents and {record.size:,} bytes"
    if record.state == CANCELLED:
        return f"the {record.kind} {where(record)} was cancelled {after}"
    return f"the {record.kind} {where(record)} failed {after}: {record.error}"


def progress_of(place: Place) -> OperationSeen | None:
    """How far the step's export or import is."""
    return _operation(place) if place.record.transfer is not None else None


def where(record: TransferRecord) -> str:
    """The export's place, behind the kind of what moves it."""
    return f"{'to' if record.kind is TransferKind.EXPORT else 'from'} {record.uri}"


def _unwanted(place: Place) -> bool:
    """Nobody waits for it: stopped, on the way back, skipped, or of an attempt that another one has followed."""
    turn, record = place.turn, place.record.transfer
    if turn.rollout.deleting or turn.state.mode not in {Mode.FORWARD, Mode.PAUSED}:
        return True
    undoing = place.record.state in {StepState.SKIPPED, StepState.UNDOING}
    return undoing or (record is not None and record.attempt != turn.state.attempt)


def _operation(place: Place) -> OperationSeen | None:
    record = place.record.transfer
    return _found(place.turn, record) if record is not None else None


def _found(turn: Turn, record: TransferRecord) -> OperationSeen | None:
    seen = turn.seen.backups
    if seen is None:
        return None
    if record.operation:
        return seen.operation(record.operation)
    found = seen.moving(record.kind, record.uri, frozenset(record.collections))
    return next((operation for operation in found if operation.name not in record.known), None)


def _speaks(turn: Turn) -> bool:
    phases = [*turn.spec.phases, *(record.spec for record in turn.state.phases)]
    steps = (step for phase in phases for step in phase.steps)
    return turn.spec.requires.backup is not None or any(step.backup or step.restore for step in steps)
