"""The documents behind the stand-in's databases: those of a Firestore emulator, read and written as its owner."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

import grpc
from google.cloud.firestore_v1 import types

if TYPE_CHECKING:
    from google.protobuf.message import Message

_SERVICE = "/google.firestore.v1.Firestore/"
_OWNER = (("authorization", "Bearer owner"),)
_SECONDS = 60.0
_BATCH = 500
_MESSAGE = 64 * 1024 * 1024


class Documents(Protocol):
    """Where an export reads and an import writes."""

    def read(
        self, database: str, collections: Sequence[str], snapshot: datetime | None = None
    ) -> AsyncIterator[Message]:
        """Yield the documents of these collection groups, or of all, as google.firestore.v1.Document: as of then."""

    async def write(self, database: str, documents: Iterable[Message]) -> None:
        """Write documents, each whole, over what is there."""


class NoDocuments:
    """No emulator: exports are empty, and imports write nothing because there is nothing to write."""

    async def read(
        self, database: str, collections: Sequence[str], snapshot: datetime | None = None
    ) -> AsyncIterator[Message]:
        """Yield nothing."""
        del database, collections, snapshot
        nothing: Sequence[Message] = ()
        for document in nothing:
            yield document

    async def write(self, database: str, documents: Iterable[Message]) -> None:
        """Write nothing."""


class EmulatorDocuments:
    """The documents of the emulator at `host` (host:port)."""

    def __init__(self, host: str) -> None:
        self._host = host

    async def read(
        self, database: str, collections: Sequence[str], snapshot: datetime | None = None
    ) -> AsyncIterator[Message]:
        """Yield the documents of these collection groups, or of all, as of then. Raises grpc.aio.AioRpcError."""
        selectors = [{"collection_id": one, "all_descendants": True} for one in collections or [""]]
        async with self._channel() as channel:
            run = _stub(channel.unary_stream, "RunQuery", types.RunQueryRequest, types.RunQueryResponse)
            for selector in selectors:
                asked = {"parent": f"{database}/documents", "structured_query": {"from_": [selector]}}
                request = types.RunQueryRequest.pb(types.RunQueryRequest(**asked, read_time=snapshot))
                async for answer in run(request, metadata=_OWNER, timeout=_SECONDS):
                    if answer.HasField("document"):
                        yield answer.document

    async def write(self, database: str, documents: Iterable[Message]) -> None:
        """Write documents in batches of 500, each whole, over what is there. Raises grpc.aio.AioRpcError."""
        waiting = list(documents)
        async with self._channel() as channel:
            write = _stub(channel.unary_unary, "BatchWrite", types.BatchWriteRequest, types.BatchWriteResponse)
            for start in range(0, len(waiting), _BATCH):
                request = types.BatchWriteRequest.pb()(database=database)
                for document in waiting[start : start + _BATCH]:
                    request.writes.add().update.CopyFrom(document)
                await write(request, metadata=_OWNER, timeout=_SECONDS)

    @asynccontextmanager
    async def _channel(self) -> AsyncIterator[grpc.aio.Channel]:
        options = [("grpc.max_receive_message_length", _MESSAGE), ("grpc.max_send_message_length", _MESSAGE)]
        async with grpc.aio.insecure_channel(self._host, options=options) as channel:
            yield channel


def _stub(kind: Any, method: str, request: Any, response: Any) -> Any:
    return kind(
        f"{_SERVICE}{method}",
        request_serializer=request.pb().SerializeToString,
        response_deserializer=response.pb().FromString,
    )
