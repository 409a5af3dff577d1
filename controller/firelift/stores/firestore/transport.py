"""Calls to Firestore: own gRPC stubs on raw messages, with deadlines, and retries where they are safe."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar
from urllib.parse import quote

import google.auth.transport.grpc
import grpc
from google.auth.exceptions import GoogleAuthError
from grpc.experimental import ChannelOptions

from firelift.stores.firestore import proto
from firelift.stores.firestore.errors import COMMIT, READ, may_pass, store_error, unrenewed
from firelift.stores.firestore.identity import Identity, found_here
from firelift.stores.firestore.names import DatabaseName

SERVICE = "/google.firestore.v1.Firestore/"
ENDPOINT = "firestore.googleapis.com:443"

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

STREAM_OPTIONS = ((ChannelOptions.SingleThreadedUnaryStream, 1),)
"""A stream is drained by the thread that reads it: 12 microseconds of CPU a document, where `grpc.aio` takes 26 (each
message wakes the event loop) and gRPC's own threads take 37."""

STREAMS = 32
"""Streams that are read at once, each by a thread of its own; further ones wait."""

TURN_SECONDS = 0.1
"""How long a stream whose answers have begun waits for the one that is being drained. Threads that drain at once hand
Python's lock to and fro for each message (13 system calls a document, 5 to 10 microseconds); in turns less often.
A stream that stalls holds the others up by no more than this."""

Answer = TypeVar("Answer")

Sized: TypeAlias = tuple[Any, int]
"""An answer of a stream with its size in bytes, which is known when it arrives and would have to be counted later."""

Take: TypeAlias = Callable[[Sized], bool]
"""Gets the answers of a stream in order, in another thread than the event loop's; False: it wants no more."""

Permit: TypeAlias = Callable[[], None]
"""Raises when this process may not change anything (any more)."""


def always() -> None:
    """The permit of a process that needs none."""


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
    """One database. Make it inside the event loop that uses it."""

    def __init__(
        self,
        name: DatabaseName,
        emulator_host: str | None,
        patience: Patience,
        identity: Identity | None = None,
        streams: int = STREAMS,
        permit: Permit = always,
    ) -> None:
        self._name = name
        self._permit = permit
        self._patience = patience
        self._identity = identity or (Identity(None) if emulator_host else found_here())
        channels = _emulator_channels(emulator_host) if emulator_host else _cloud_channels(self._identity)
        self._unaries, self._streams = channels
        self._threads = ThreadPoolExecutor(streams, thread_name_prefix="firestore-stream")
        self._turn = threading.Lock()
        self._authorization = (("authorization", "Bearer owner"),) if emulator_host else ()
        self._commit = self._unary("Commit", None, proto.CommitResponse)
        self._partition = self._unary(
            "PartitionQuery", proto.PartitionRequest.SerializeToString, proto.PartitionResponse
        )
        self._get = self._stream("BatchGetDocuments", proto.BatchGetRequest, proto.BatchGetResponse)
        self._query = self._stream("RunQuery", proto.RunQueryRequest, proto.RunQueryResponse)
        self._aggregate = self._stream("RunAggregationQuery", proto.AggregationRequest, proto.AggregationResponse)

    async def commit(self, request: bytes) -> Any:
        """One attempt that is let in, no retry: only the caller can find out what became of one without an answer.

        The permit is asked each time that it is sent: a new token may have been long in coming.
        """
        metadata = self._metadata("database", self._name.full)
        attempted = f"commit to {self._name.full}"

        async def attempt() -> Any:
            self._permit()
            return await self._commit(request, metadata=metadata, timeout=self._patience.call)

        try:
            return await self._let_in(attempt, attempted)
        except grpc.aio.AioRpcError as error:
            raise store_error(error, attempted=attempted, table=COMMIT) from error

    async def partition(self, request: Any) -> Any:
        """One page of PartitionQuery cursors."""

        async def attempt(deadline: float) -> Any:
            metadata = self._metadata("parent", request.parent)
            return await self._partition(request, metadata=metadata, timeout=deadline)

        return await self.read("PartitionQuery", attempt)

    async def get(self, request: Any, deadline: float, take: Take) -> None:
        """One attempt of BatchGetDocuments, to be made inside `read`."""
        await self._drain(self._get, request, ("database", request.database), deadline, take)

    async def query(self, request: Any, deadline: float, take: Take) -> None:
        """One attempt of RunQuery, to be made inside `read`."""
        await self._drain(self._query, request, ("parent", request.parent), deadline, take)

    async def aggregate(self, request: Any, deadline: float, take: Take) -> None:
        """One attempt of RunAggregationQuery, to be made inside `read`."""
        await self._drain(self._aggregate, request, ("parent", request.parent), deadline, take)

    async def read(self, what: str, attempt: Callable[[float], Awaitable[Answer]]) -> Answer:
        """Try a read until it answers, fails for good, or patience ends.

        `attempt` gets its deadline in seconds; one that streams keeps what it has received and resumes behind it.
        """
        end = time.monotonic() + self._patience.reads
        pause = self._patience.first_pause
        attempted = f"{what} on {self._name.full}"

        async def once() -> Answer:
            return await attempt(min(self._patience.call, max(end - time.monotonic(), 0.001)))

        while True:
            try:
                return await self._let_in(once, attempted)
            except grpc.RpcError as error:
                wait = random.uniform(pause / 2, pause)  # noqa: S311 - jitter, not a secret
                if not may_pass(error) or time.monotonic() + wait > end:
                    raise store_error(error, attempted=attempted, table=READ) from error
            await asyncio.sleep(wait)
            pause = min(pause * 2, self._patience.longest_pause)

    async def close(self) -> None:
        """Close the channels; what was being read ends."""
        await self._unaries.close(grace=None)
        self._streams.close()
        self._threads.shutdown(wait=False)

    async def _let_in(self, call: Callable[[], Awaitable[Answer]], attempted: str) -> Answer:
        """A call, made a second time with a new token where the database did not take the first one."""
        generation = self._identity.generation
        try:
            return await call()
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.UNAUTHENTICATED:
                raise
            try:
                await self._identity.renew(generation)
            except GoogleAuthError as failed:
                raise unrenewed(error, failed, attempted=attempted) from error
        return await call()

    async def _drain(self, stub: Any, request: Any, routing: tuple[str, str], deadline: float, take: Take) -> None:
        call = stub(request, metadata=self._metadata(*routing), timeout=deadline)
        try:
            await asyncio.get_running_loop().run_in_executor(self._threads, _pour, call, take, self._turn)
        finally:
            # For who was cancelled while waiting: the thread ends too.
            call.cancel()

    def _metadata(self, key: str, value: str) -> tuple[tuple[str, str], ...]:
        routing = (
            ("google-cloud-resource-prefix", self._name.full),
            ("x-goog-request-params", f"{key}={quote(value, safe='')}"),
        )
        return routing + self._authorization

    def _unary(self, method: str, serializer: Callable[[Any], bytes] | None, response: Any) -> Any:
        """A call; without a serializer its requests are bytes."""
        return self._unaries.unary_unary(
            SERVICE + method, request_serializer=serializer, response_deserializer=response.FromString
        )

    def _stream(self, method: str, request: Any, response: Any) -> Any:
        parse = response.FromString

        def sized(data: bytes) -> Sized:
            return parse(data), len(data)

        return self._streams.unary_stream(
            SERVICE + method, request_serializer=request.SerializeToString, response_deserializer=sized
        )


def _pour(call: Any, take: Take, turn: threading.Lock) -> None:
    answers = iter(call)
    first = next(answers, None)
    if first is None or not take(first):
        return
    mine = turn.acquire(timeout=TURN_SECONDS)
    try:
        for answer in answers:
            if not take(answer):
                return
    finally:
        if mine:
            turn.release()


def _emulator_channels(host: str) -> tuple[grpc.aio.Channel, grpc.Channel]:
    return (
        grpc.aio.insecure_channel(host, options=OPTIONS),
        grpc.insecure_channel(host, options=(*OPTIONS, *STREAM_OPTIONS)),
    )


def _cloud_channels(identity: Identity) -> tuple[grpc.aio.Channel, grpc.Channel]:
    plugin = google.auth.transport.grpc.AuthMetadataPlugin(identity.credentials, identity.request)  # type: ignore[no-untyped-call]
    combined = grpc.composite_channel_credentials(
        grpc.ssl_channel_credentials(), grpc.metadata_call_credentials(plugin)
    )
    return (
        grpc.aio.secure_channel(ENDPOINT, combined, options=CLOUD_OPTIONS),
        grpc.secure_channel(ENDPOINT, combined, options=(*CLOUD_OPTIONS, *STREAM_OPTIONS)),
    )
