"""A Firestore over the in-memory store that is as strict as the real one, for any client that speaks gRPC.

It stands where the emulator cannot: partition pages in no order with cursors of other collections, streams that are
cut, limits, a ramp, contention, indexes that are not ready. `tests/contract/test_strict_firestore.py` shows that it
enforces them.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from tests.strict import wire
from tests.strict.rules import Code, Refused, Rules

from firelift.migration.errors import StoreError
from firelift.migration.fields import parse
from firelift.migration.path_order import order
from firelift.migration.store import Committed, Document, Source, Write
from firelift.stores.firestore import proto
from firelift.stores.firestore.proto import micros, timestamp
from firelift.stores.memory import MemoryStore
from firelift.stores.paths import covers

SERVICE = "google.firestore.v1.Firestore"
OPTIONS = (("grpc.max_receive_message_length", 64 * 2**20), ("grpc.max_send_message_length", 64 * 2**20))
CUT = "The datastore operation timed out, or the data was temporarily unavailable."


@dataclass
class StrictFirestore:
    """The service. `store` is the database itself; `asked` counts calls, `outlived` those cut as too old."""

    rules: Rules = field(default_factory=Rules)
    store: MemoryStore = field(default_factory=MemoryStore)
    host: str = ""
    asked: Counter[str] = field(default_factory=Counter)
    billed: Counter[str] = field(default_factory=Counter)
    outlived: Counter[str] = field(default_factory=Counter)

    async def commit(self, request: Any) -> Any:
        """All writes or none."""
        committed = await self._apply(request.ByteSize(), [wire.write_of(each) for each in request.writes])
        response = proto.CommitResponse(commit_time=timestamp(committed.commit_time))
        for time in committed.update_times:
            response.write_results.add().update_time.CopyFrom(timestamp(time))
        return response

    async def batch_write(self, request: Any) -> Any:
        """Each write by itself."""
        response = wire.BatchWriteResponse()
        for each in request.writes:
            status, result = response.status.add(), response.write_results.add()
            try:
                committed = await self._apply(each.ByteSize(), [wire.write_of(each)])
            except (Refused, StoreError) as error:
                status.code, status.message = _code(error).value[0], str(error)
            else:
                result.update_time.CopyFrom(timestamp(committed.update_times[0]))
        return response

    async def get(self, request: Any) -> AsyncIterator[Any]:
        """Documents by name."""
        at = micros(request.read_time) if request.HasField("read_time") else None
        mask = [parse(each) for each in request.mask.field_paths] if request.HasField("mask") else None
        names = [wire.relative(each) for each in request.documents]
        for each in await self.store.get(names, mask=mask, read_time=at):
            yield wire.got_message(f"{request.database}/documents", each)

    async def query(self, request: Any) -> AsyncIterator[Any]:
        """A query by name."""
        query, root = request.structured_query, _root(request.parent)
        at = micros(request.read_time) if request.HasField("read_time") else None
        found = [each for each in await self._found(request.parent, query, at) if wire.inside(query, each.path)]
        limit = query.limit.value if query.HasField("limit") else len(found)
        answered = found[query.offset : query.offset + limit]
        self.billed["RunQuery"] += max(1, min(query.offset, len(found)) + len(answered))
        for number, each in enumerate(answered):
            if number == self.rules.cut_after:
                raise Refused(Code.UNAVAILABLE, CUT)
            answer = proto.RunQueryResponse(read_time=timestamp(each.read_time))
            answer.document.CopyFrom(wire.found_message(root, each))
            yield answer

    async def aggregate(self, request: Any) -> AsyncIterator[Any]:
        """A count."""
        structured = request.structured_aggregation_query
        at = micros(request.read_time) if request.HasField("read_time") else None
        query = structured.structured_query
        found = [each for each in await self._found(request.parent, query, at) if wire.inside(query, each.path)]
        self.billed["RunAggregationQuery"] += max(1, -(-len(found) // 1_000))
        answer = proto.AggregationResponse()
        answer.result.aggregate_fields[structured.aggregations[0].alias].integer_value = len(found)
        yield answer

    async def partition(self, request: Any) -> Any:
        """Cursors of a whole collection group, fewer than asked, each page sorted and the pages in no order."""
        query = request.structured_query
        plain = not (
            query.HasField("limit") or query.HasField("select") or query.HasField("where") or query.start_at.values
        )
        if not plain or not query.from_[0].all_descendants or not request.partition_count > 0:
            raise Refused(Code.INVALID_ARGUMENT, "Invalid partition query: only a whole collection group by name.")
        cursors = self._cursors(query.from_[0].collection_id, request.partition_count)
        page = min(self.rules.page, request.page_size or self.rules.page)
        begin = int(request.page_token or 0)
        response = proto.PartitionResponse()
        for path in sorted(cursors[begin : begin + page], key=order):
            response.partitions.add().values.add(reference_value=f"{_root(request.parent)}/{path}")
        if begin + page < len(cursors):
            response.next_page_token = str(begin + page)
        return response

    def young(self, name: str, began: float) -> None:
        """Refuse what is left of a stream that began too long ago."""
        if self.rules.clock() - began >= self.rules.stream_seconds:
            self.outlived[name] += 1
            raise Refused(Code.UNAVAILABLE, CUT)

    async def _apply(self, size: int, writes: Sequence[Write]) -> Committed:
        self.rules.admit(size, writes)
        committed = await self.store.commit(writes)
        self.rules.applied(writes)
        return committed

    async def _found(self, parent: str, query: Any, at: int | None) -> list[Document]:
        source = wire.source_of(parent, query)
        self.rules.readable(source.collection)
        # Both cursors may be inclusive or exclusive; the ends are looked at by `wire.inside`.
        wide = Source(source.collection, source.all_descendants)
        everything = sorted((path for path in self.store.snapshot(at) if covers(wide, path)), key=order)
        low = order(source.start) if source.start else None
        high = order(source.end) if source.end else None
        paths = [
            path for path in everything if (low is None or low <= order(path)) and (high is None or order(path) <= high)
        ]
        answers = await self.store.get(paths, mask=wire.mask_of(query), read_time=at)
        return [each for each in answers if isinstance(each, Document)]

    def _cursors(self, group: str, wanted: int) -> list[str]:
        source = Source(group, all_descendants=True)
        paths = sorted((path for path in self.store.snapshot() if covers(source, path)), key=order)
        count = min(wanted, len(paths) // self.rules.partition - 1)
        cursors = [paths[len(paths) * number // (count + 1)] for number in range(1, count + 1)]
        random.Random(7).shuffle(cursors)  # noqa: S311 - the same order for each page of one listing
        return cursors


@asynccontextmanager
async def strict_firestore(rules: Rules | None = None) -> AsyncIterator[StrictFirestore]:
    """The service on a port of its own."""
    service = StrictFirestore(rules or Rules())
    server = grpc.aio.server(handlers=[_handlers(service)], options=OPTIONS)
    service.host = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    try:
        yield service
    finally:
        await server.stop(grace=None)


def _handlers(service: StrictFirestore) -> grpc.GenericRpcHandler[Any, Any]:
    unary: dict[str, tuple[Any, Callable[[Any], Any]]] = {
        "Commit": (proto.CommitRequest, service.commit),
        "BatchWrite": (wire.BatchWriteRequest, service.batch_write),
        "PartitionQuery": (proto.PartitionRequest, service.partition),
    }
    streams: dict[str, tuple[Any, Callable[[Any], AsyncIterator[Any]]]] = {
        "RunQuery": (proto.RunQueryRequest, service.query),
        "BatchGetDocuments": (proto.BatchGetRequest, service.get),
        "RunAggregationQuery": (proto.AggregationRequest, service.aggregate),
    }
    handlers = {name: _unary(service, name, *each) for name, each in unary.items()}
    handlers |= {name: _stream(service, name, *each) for name, each in streams.items()}
    return grpc.method_handlers_generic_handler(SERVICE, handlers)


def _unary(service: StrictFirestore, name: str, request_class: Any, serve: Callable[[Any], Any]) -> Any:
    async def handle(request: Any, context: Any) -> Any:
        service.asked[name] += 1
        try:
            return await serve(request)
        except (Refused, StoreError) as error:
            await _abort(service, context, error)

    return grpc.unary_unary_rpc_method_handler(
        handle, request_deserializer=request_class.FromString, response_serializer=_bytes
    )


def _stream(service: StrictFirestore, name: str, request_class: Any, serve: Callable[[Any], AsyncIterator[Any]]) -> Any:
    async def handle(request: Any, context: Any) -> AsyncIterator[Any]:
        service.asked[name] += 1
        began = service.rules.clock()
        try:
            async for answer in serve(request):
                await asyncio.sleep(service.rules.answer_seconds)
                service.young(name, began)
                yield answer
        except (Refused, StoreError) as error:
            await _abort(service, context, error)

    return grpc.unary_stream_rpc_method_handler(
        handle, request_deserializer=request_class.FromString, response_serializer=_bytes
    )


async def _abort(service: StrictFirestore, context: Any, error: Refused | StoreError) -> None:
    service.rules.refused.append(_code(error))
    await context.abort(_code(error), str(error))


def _code(error: Refused | StoreError) -> Code:
    return error.code if isinstance(error, Refused) else next(each for each in Code if each.name == error.code)


def _bytes(message: Any) -> bytes:
    return bytes(message.SerializeToString())


def _root(parent: str) -> str:
    return parent.split("/documents", 1)[0] + "/documents"
