"""A Firestore that makes up what it is asked for: any number of documents, none of which is ever kept.

It takes every commit at once, so that a run of a million documents measures the worker and not a database. Only the
ledger's run documents are kept, which a worker reads again; journal entries are taken and forgotten.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

import grpc
from tests.bench.material import COLLECTION, plain_document

from firelift.stores.firestore import proto
from firelift.stores.firestore.proto import stamp, timestamp
from firelift.stores.firestore.values import FirestoreValues

VARIANTS = 997
"""Different documents; more would only cost memory here."""

RUNS = "/firelift_runs/"


class Scripted:
    """The server's state. `written` counts the documents of the source that commits have changed."""

    def __init__(self, documents: int) -> None:
        self.documents = documents
        self.written = 0
        self._now = time.time_ns() // 1000
        self._kept: dict[str, Any] = {}
        self._fields = [_fields(number) for number in range(VARIANTS)]
        made = proto.Document()
        stamp(made.create_time, self._now)
        stamp(made.update_time, self._now)
        self._times = made.SerializeToString()
        self._read_time = proto.RunQueryResponse(read_time=timestamp(self._now)).SerializeToString()

    def handlers(self) -> grpc.GenericRpcHandler[Any, Any]:
        """What it serves."""
        unary, stream = grpc.unary_unary_rpc_method_handler, grpc.unary_stream_rpc_method_handler
        methods = {
            "Commit": unary(self._commit, proto.CommitRequest.FromString, _serialized),
            "PartitionQuery": unary(self._partition, proto.PartitionRequest.FromString, _serialized),
            "BatchGetDocuments": stream(self._get, proto.BatchGetRequest.FromString, _serialized),
            "RunAggregationQuery": stream(self._count, proto.AggregationRequest.FromString, _serialized),
            "RunQuery": stream(self._query, proto.RunQueryRequest.FromString, None),
        }
        return grpc.method_handlers_generic_handler("google.firestore.v1.Firestore", methods)

    async def _commit(self, request: Any, _: Any) -> Any:
        self._now += 1
        response = proto.CommitResponse(commit_time=timestamp(self._now))
        for write in request.writes:
            self._take(write)
            stamp(response.write_results.add().update_time, self._now)
        return response

    def _take(self, write: Any) -> None:
        name = write.update.name or write.delete
        if f"/{COLLECTION}/" in name:
            self.written += 1
        elif RUNS in name and write.delete:
            self._kept.pop(name, None)
        elif RUNS in name:
            kept = self._kept.setdefault(name, proto.Document(name=name, create_time=timestamp(self._now)))
            kept.fields.MergeFrom(write.update.fields)
            stamp(kept.update_time, self._now)

    async def _partition(self, request: Any, _: Any) -> Any:
        parts, response = request.partition_count + 1, proto.PartitionResponse()
        for part in range(1, parts):
            name = f"{request.parent}/{_path(self.documents * part // parts)}"
            response.partitions.add().values.add(reference_value=name)
        return response

    async def _get(self, request: Any, _: Any) -> AsyncIterator[Any]:
        for name in request.documents:
            answer = proto.BatchGetResponse(read_time=timestamp(self._now))
            if name in self._kept:
                answer.found.CopyFrom(self._kept[name])
            else:
                answer.missing = name
            yield answer

    async def _count(self, request: Any, _: Any) -> AsyncIterator[Any]:
        (aggregation,) = request.structured_aggregation_query.aggregations
        answer = proto.AggregationResponse(read_time=timestamp(self._now))
        answer.result.aggregate_fields[aggregation.alias].integer_value = self.documents
        yield answer

    async def _query(self, request: Any, _: Any) -> AsyncIterator[bytes]:
        query = request.structured_query
        first = _number(query.start_at) + 1 if query.HasField("start_at") else 0
        end = _number(query.end_at) + 1 if query.HasField("end_at") else self.documents
        for number in range(first, min(end, first + query.limit.value)):
            yield self._answer(f"{request.parent}/{_path(number)}".encode(), number)

    def _answer(self, name: bytes, number: int) -> bytes:
        """A RunQueryResponse put together by hand: to build a million messages would measure this server."""
        document = b"\x0a" + _varint(len(name)) + name + self._fields[number % VARIANTS] + self._times
        return b"".join((b"\x0a", _varint(len(document)), document, self._read_time))


def _path(number: int) -> str:
    return f"{COLLECTION}/log-{number:08d}"


def _number(cursor: Any) -> int:
    return int(cursor.values[0].reference_value.rpartition("-")[2])


def _fields(number: int) -> bytes:
    encode, made = FirestoreValues().encode, proto.Document()
    for name, value in plain_document(number).items():
        made.fields[name].CopyFrom(encode(value))
    data: bytes = made.SerializeToString()
    return data


def _serialized(message: Any) -> bytes:
    data: bytes = message.SerializeToString()
    return data


def _varint(number: int) -> bytes:
    septets = bytearray()
    while number > 0x7F:
        septets.append(number & 0x7F | 0x80)
        number >>= 7
    septets.append(number)
    return bytes(septets)
