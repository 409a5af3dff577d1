"""A Commit as it goes over the wire.

Guards, and copies whose fields are in one piece, are laid down as bytes and never become messages.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from firelift.migration.store import Committed, Create, Delete, Fields, Micros, Put, Update, Verify, Write
from firelift.stores.firestore import proto
from firelift.stores.firestore.names import DatabaseName, mask_of
from firelift.stores.firestore.proto import micros, stamp, timestamp
from firelift.stores.firestore.values import put_fields
from firelift.stores.firestore.whole import WholeFields, tagged
from firelift.stores.paths import check_document

WRITES, UPDATE, NAME, VERIFY, PRECONDITION, UPDATE_TIME = b"\x12", b"\x0a", b"\x0a", b"\x2a", b"\x22", b"\x12"
"""Tags of fields that say how long they are: 2 of a CommitRequest, 1 of a Write, 1 of a Document, 5 of a Write (which
the Python message lacks), 4 of a Write, 2 of a Precondition."""

NOT_THERE = PRECONDITION + b"\x02\x08\x00"
"""The precondition that a document does not exist."""


def commit_request(name: DatabaseName, writes: Sequence[Write]) -> bytes:
    """A Commit of all writes, in order.

    Raises:
        Poison: for a path that cannot name a document.
    """
    root = name.document("")
    pieces = [proto.CommitRequest(database=name.full).SerializeToString()]
    messages = proto.CommitRequest()
    for write in writes:
        full_name = root + check_document(write.path)
        piece = _piece(full_name, write)
        if piece is None:
            _fill_write(messages.writes.add(), full_name, write)
            continue
        if messages.writes:
            pieces.append(messages.SerializeToString())
            messages = proto.CommitRequest()
        pieces.append(piece)
    pieces.append(messages.SerializeToString())
    return b"".join(pieces)


def committed(response: Any, writes: Sequence[Write]) -> Committed:
    """The answer of a Commit. Documents that are not there after it, deleted or verified absent, have time 0."""
    results = zip(writes, response.write_results, strict=True)
    return Committed(
        commit_time=micros(response.commit_time),
        update_times=[0 if _leaves_nothing(write) else micros(result.update_time) for write, result in results],
    )


def _leaves_nothing(write: Write) -> bool:
    # The emulator answers a verified absence with some older time.
    return isinstance(write, Delete) or (isinstance(write, Verify) and write.update_time is None)


def _piece(full_name: str, write: Write) -> bytes | None:
    """The bytes of a write; None of one that has to be made a message."""
    if isinstance(write, Verify):
        condition = NOT_THERE if write.update_time is None else _version(write.update_time)
        return tagged(WRITES, tagged(VERIFY, full_name.encode()) + condition)
    if not isinstance(write, Create | Put) or not isinstance(write.fields, WholeFields):
        return None
    document = tagged(UPDATE, tagged(NAME, full_name.encode()) + write.fields.serialized)
    return tagged(WRITES, document + NOT_THERE if isinstance(write, Create) else document)


def _version(update_time: Micros) -> bytes:
    return tagged(PRECONDITION, tagged(UPDATE_TIME, timestamp(update_time).SerializeToString()))


def _fill_write(target: Any, full_name: str, write: Write) -> None:
    match write:
        case Create():
            _fill_update(target, full_name, write.fields)
            target.current_document.exists = False
        case Put():
            _fill_update(target, full_name, write.fields)
        case Update():
            _fill_update(target, full_name, write.fields)
            target.update_mask.CopyFrom(mask_of(write.mask))
            _require_version(target, write.update_time)
        case Delete():
            target.delete = full_name
            if write.update_time is not None:
                _require_version(target, write.update_time)


def _fill_update(target: Any, full_name: str, fields: Fields) -> None:
    target.update.name = full_name
    put_fields(target.update.fields, fields)


def _require_version(target: Any, update_time: Micros | None) -> None:
    if update_time is None:
        target.current_document.exists = True
    else:
        stamp(target.current_document.update_time, update_time)
