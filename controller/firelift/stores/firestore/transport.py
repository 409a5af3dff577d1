"""Calls to Firestore: own gRPC stubs on raw messages, with deadlines, and retries where they are safe."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote

import google.auth
import google.auth.transport.grpc
import google.auth.transport.requests
import grpc

from firelift.stores.firestore import proto
from firelift.stores.firestore.errors import COMMIT, READ, may_pass, store_error
from firelift.stores.firestore.names import DatabaseName

SERVICE = "/google.firestore.v1.Firestore/"
ENDPOINT = "firestore.googleapis.com:443"
SCOPE = "https://www.googleapis.com/auth/datastore"

MESSAGE_BYTES = 64 * 2**20
"""Above anything Firestore sends (a document has at most 1 MiB) or takes (10 MiB)."""

OPTIONS = (
    ("grpc.max_receive_message_length", MESSAGE_BYTES),
    ("grpc.max_send_message_length", MESSAGE_BYTES),
    ("grpc.enable_retries", 0),
    # gRPC alone would come to wait two minutes between attempts to reach a database that is back.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 5_000),
)
CLOUD_OPTIONS = (*OPTIONS, ("grpc.keepalive_time_ms", 30_000))
"""A connection that died without a word is noticed. The emulator would take the pings for abuse."""

EOF = grpc.aio.EOF  # type: ignore[attr-defined] # the stubs lack it

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long calls may take, in seconds.

    Firestore itself ends a stream after 60 s; a read that failed is tried again until `reads` is over.
    """

    call: float = 60
    reads: float = 180
    first_pause: float = 0.1
    longest_pause: float = 5


class Transport:
    """One channel to one database. Make it inside the event loop that uses it."""

    def __init__(self, name: DatabaseName, emulator_host: str | None, patience: Patience) -> None:
        self._name = name
        self._patience = patience
        self._channel = _emulator_channel(emulator_host) if emulator_host else _cloud_channel()
        self._authorization = (("authorization", "Bearer owner"),) if emulator_host else ()
        self._commit = self._unary("Commit", proto.CommitRequest, proto.CommitResponse)
        self._partition = self._unary("PartitionQuery", proto.PartitionRequest, proto.PartitionResponse)
        self._get = self._stream("BatchGetDocuments", proto.BatchGetRequest, proto.BatchGetResponse)
        self._query = self._stream("RunQuery", proto.RunQueryRequest, proto.RunQueryResponse)
        self._aggregate = self._stream("RunAggregationQuery", proto.AggregationRequest, proto.AggregationResponse)

    async def commit(self, request: Any) -> Any:
        """One attempt, no retry: only the caller can find out what became of a commit without an answer."""
        metadata = self._metadata("database", request.database)
        try:
            return await self._commit(request, metadata=metadata, timeout=self._patience.call)
        except grpc.aio.AioRpcError as error:
            raise store_error(error, attempted=f"commit to {self._name.full}", table=COMMIT) from error

    async def partition(self, request: Any) -> Any:
        """One page of PartitionQuery cursors."""

        async def attempt(deadline: float) -> Any:
            metadata = self._metadata("parent", request.parent)
            return await self._partition(request, metadata=metadata, timeout=deadline)

        return await self.read("PartitionQuery", attempt)

    def get(self, request: Any, deadline: float) -> AsyncGenerator[Any, None]:
        """One attempt of BatchGetDocuments, to be made inside `read`."""
        return _answers(self._get(request, metadata=self._metadata("database", request.database), timeout=deadline))

    def query(self, request: Any, deadline: float) -> AsyncGenerator[Any, None]:
        """One attempt of RunQuery, to be made inside `read`."""
        return _answers(self._query(request, metadata=self._metadata("parent", request.parent), timeout=deadline))

    def aggregate(self, request: Any, deadline: float) -> AsyncGenerator[Any, None]:
        """One attempt of RunAggregationQuery, to be made inside `read`."""
        return _answers(self._aggregate(request, metadata=self._metadata("parent", request.parent), timeout=deadline))

    async def read(self, what: str, attempt: Callable[[float], Awaitable[Answer]]) -> Answer:
        """Try a read until it answers, fails for good, or patience ends.

        `attempt` gets its deadline in seconds; one that streams keeps what it has received and resumes behind it.
        """
        end = time.monotonic() + self._patience.reads
        pause = self._patience.first_pause
        while True:
            try:
                return await attempt(min(self._patience.call, max(end - time.monotonic(), 0.001)))
            except grpc.aio.AioRpcError as error:
                wait = random.uniform(pause / 2, pause)  # noqa: S311 - jitter, not a secret
                if not may_pass(error) or time.monotonic() + wait > end:
                    raise store_error(error, attempted=f"{what} on {self._name.full}", table=READ) from error
            await asyncio.sleep(wait)
            pause = min(pause * 2, self._patience.longest_pause)

    async def close(self) -> None:
        """Close the channel."""
        await self._channel.close(grace=None)

    def _metadata(self, key: str, value: str) -> tuple[tuple[str, str], ...]:
        routing = (
            ("google-cloud-resource-prefix", self._name.full),
            ("x-goog-request-params", f"{key}={quote(value, safe='')}"),
        )
        return routing + self._authorization

    def _unary(self, method: str, request: Any, response: Any) -> Any:
        return self._channel.unary_unary(
            SERVICE + method, request_serializer=request.SerializeToString, response_deserializer=response.FromString
        )

    def _stream(self, method: str, request: Any, response: Any) -> Any:
        return self._channel.unary_stream(
            SERVICE + method, request_serializer=request.SerializeToString, response_deserializer=response.FromString
        )


async def _answers(call: Any) -> AsyncGenerator[Any, None]:
    # call.read() takes 23 microseconds of CPU a document where `async for` over the call takes 42.
    try:
        while (answer := await call.read()) is not EOF:
            yield answer
    finally:
        call.cancel()


def _emulator_channel(host: str) -> grpc.aio.Channel:
    return grpc.aio.insecure_channel(host, options=OPTIONS)


def _cloud_channel() -> grpc.aio.Channel:
    credentials, _ = google.auth.default(scopes=[SCOPE])
    request = google.auth.transport.requests.Request()
    plugin = google.auth.transport.grpc.AuthMetadataPlugin(credentials, request)  # type: ignore[no-untyped-call]
    combined = grpc.composite_channel_credentials(
        grpc.ssl_channel_credentials(), grpc.metadata_call_credentials(plugin)
    )
    return grpc.aio.secure_channel(ENDPOINT, combined, options=CLOUD_OPTIONS)
