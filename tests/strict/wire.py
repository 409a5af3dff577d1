"""Requests of `google.firestore.v1` as the data plane's words, for a server that has a store behind it."""

from __future__ import annotations

from typing import Any

import grpc
from google.cloud.firestore_v1.types import firestore
from google.protobuf.unknown_fields import UnknownFieldSet
from tests.strict.rules import Refused

from firelift.migration.fields import parse
from firelift.migration.store import Create, Delete, Document, FieldPath, Missing, Put, Source, Update, Verify, Write
from firelift.stores.firestore import proto
from firelift.stores.firestore.proto import micros, timestamp

BatchWriteRequest: Any = type(firestore.BatchWriteRequest.pb(firestore.BatchWriteRequest()))
BatchWriteResponse: Any = type(firestore.BatchWriteResponse.pb(firestore.BatchWriteResponse()))

VERIFY = 5
"""The number of the field `verify`, which the Python message lacks."""


def relative(name: str) -> str:
    """A document's path below its database."""
    return name.split("/documents/", 1)[1]


def write_of(message: Any) -> Write:
    """One write."""
    condition = message.current_document
    time = micros(condition.update_time) if condition.HasField("update_time") else None
    absent = condition.WhichOneof("condition_type") == "exists" and not condition.exists
    if message.WhichOneof("operation") == "update":
        return _update_of(message, time, absent=absent)
    if message.WhichOneof("operation") == "delete":
        return Delete(relative(message.delete), time)
    unknown: Any = UnknownFieldSet(message)
    verified = [each.data for each in unknown if each.field_number == VERIFY]
    if not verified:
        raise Refused(grpc.StatusCode.INVALID_ARGUMENT, "a write without an operation")
    return Verify(relative(verified[0].decode()), time)


def _update_of(message: Any, time: int | None, *, absent: bool) -> Write:
    path, fields = relative(message.update.name), dict(message.update.fields)
    if message.HasField("update_mask"):
        return Update(path, fields, [parse(each) for each in message.update_mask.field_paths], time)
    return Create(path, fields) if absent else Put(path, fields)


def source_of(parent: str, query: Any) -> Source:
    """The collection that a query lists, with its cursors as exclusive start and inclusive end."""
    [selector] = query.from_
    above = "" if parent.endswith("/documents") else f"{relative(parent)}/"
    ids = [order.field.field_path for order in query.order_by]
    if ids not in ([], ["__name__"]):
        raise Refused(grpc.StatusCode.UNIMPLEMENTED, f"a query ordered by {ids} is not modelled")
    collection = selector.collection_id if selector.all_descendants else above + selector.collection_id
    start = relative(query.start_at.values[0].reference_value) if query.HasField("start_at") else None
    end = relative(query.end_at.values[0].reference_value) if query.HasField("end_at") else None
    return Source(collection, selector.all_descendants, start, end)


def inside(query: Any, path: str) -> bool:
    """Whether a cursor's own document belongs to the answer, where `Source` has it the other way."""
    for cursor, before in ((query.start_at, True), (query.end_at, False)):
        if cursor.values and relative(cursor.values[0].reference_value) == path:
            return bool(cursor.before) == before
    return True


def mask_of(query: Any) -> list[FieldPath] | None:
    """The projection of a query; None for all fields."""
    if not query.HasField("select"):
        return None
    return [parse(each.field_path) for each in query.select.fields if each.field_path != "__name__"]


def found_message(root: str, document: Document) -> Any:
    """A document as an answer has it."""
    message = proto.Document(name=f"{root}/{document.path}")
    for name, value in document.fields.items():
        message.fields[name].CopyFrom(value)
    message.create_time.CopyFrom(timestamp(document.create_time))
    message.update_time.CopyFrom(timestamp(document.update_time))
    return message


def got_message(root: str, document: Document | Missing) -> Any:
    """An answer of BatchGetDocuments."""
    answer = proto.BatchGetResponse(read_time=timestamp(document.read_time))
    if isinstance(document, Missing):
        answer.missing = f"{root}/{document.path}"
    else:
        answer.found.CopyFrom(found_message(root, document))
    return answer
