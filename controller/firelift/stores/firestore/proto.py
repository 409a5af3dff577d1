"""The raw protobuf classes behind the official client's wrappers, taken once.

The wrappers (proto-plus) cost 12 to 36 times what the raw messages cost, and convert values on the way. Raw messages
keep what they do not know, so a kind of value that is invented tomorrow passes through unharmed.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from google.cloud.firestore_v1.types import common, document, firestore, query, write
from google.protobuf.internal import api_implementation
from google.protobuf.timestamp_pb2 import Timestamp

Message: TypeAlias = Any
"""A raw message. The classes are made at run time, so there is no narrower static type."""

MICROS = 1_000_000


def _require_upb(implementation: str) -> None:
    if implementation != "upb":
        raise ImportError(
            f"Firelift needs protobuf's C implementation 'upb', and this interpreter has {implementation!r}, which is "
            "up to 177 times slower. Install a binary wheel of protobuf and unset "
            "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION."
        )


_require_upb(api_implementation.Type())

Value: Message = type(document.Value.pb(document.Value()))
Document: Message = type(document.Document.pb(document.Document()))
DocumentMask: Message = type(common.DocumentMask.pb(common.DocumentMask()))
Write: Message = type(write.Write.pb(write.Write()))
StructuredQuery: Message = type(query.StructuredQuery.pb(query.StructuredQuery()))
CommitRequest: Message = type(firestore.CommitRequest.pb(firestore.CommitRequest()))
CommitResponse: Message = type(firestore.CommitResponse.pb(firestore.CommitResponse()))
BatchGetRequest: Message = type(firestore.BatchGetDocumentsRequest.pb(firestore.BatchGetDocumentsRequest()))
BatchGetResponse: Message = type(firestore.BatchGetDocumentsResponse.pb(firestore.BatchGetDocumentsResponse()))
RunQueryRequest: Message = type(firestore.RunQueryRequest.pb(firestore.RunQueryRequest()))
RunQueryResponse: Message = type(firestore.RunQueryResponse.pb(firestore.RunQueryResponse()))
AggregationRequest: Message = type(firestore.RunAggregationQueryRequest.pb(firestore.RunAggregationQueryRequest()))
AggregationResponse: Message = type(firestore.RunAggregationQueryResponse.pb(firestore.RunAggregationQueryResponse()))
PartitionRequest: Message = type(firestore.PartitionQueryRequest.pb(firestore.PartitionQueryRequest()))
PartitionResponse: Message = type(firestore.PartitionQueryResponse.pb(firestore.PartitionQueryResponse()))


def micros(timestamp: Timestamp) -> int:
    """Microseconds since the epoch, rounded down as Firestore stores them; 0 for an unset time."""
    return timestamp.seconds * MICROS + timestamp.nanos // 1000


def stamp(target: Timestamp, at: int) -> None:
    """Set a time that is part of another message, without a message of its own in between."""
    target.seconds, rest = divmod(at, MICROS)
    target.nanos = rest * 1000


def timestamp(at: int) -> Timestamp:
    """The inverse of `micros`; right before 1970 too, where nanos still count upwards."""
    seconds, rest = divmod(at, MICROS)
    return Timestamp(seconds=seconds, nanos=rest * 1000)
