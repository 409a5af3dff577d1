"""A gRPC proxy between a worker and the emulator that loses, delays, doubles, cuts and refuses calls.

It passes the bytes of `google.firestore.v1` on as they are: what goes wrong is decided by a method's name, its count
and a word in its bytes, so that no code of the data plane takes part.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import grpc

Code = grpc.StatusCode

STREAMS = frozenset({"RunQuery", "BatchGetDocuments", "RunAggregationQuery"})
MESSAGE_BYTES = 64 * 2**20
OPTIONS = (("grpc.max_receive_message_length", MESSAGE_BYTES), ("grpc.max_send_message_length", MESSAGE_BYTES))
EOF = grpc.aio.EOF  # type: ignore[attr-defined] # the stubs lack it


@dataclass(frozen=True, slots=True)
class Call:
    """One call as the proxy sees it: the `number`-th of its method, from 1."""

    method: str
    number: int
    request: bytes

    @property
    def is_entry(self) -> bool:
        """Whether it commits a journal entry, and with it the data of a chunk."""
        return self.method == "Commit" and b"/firelift_journal/" in self.request

    def names(self, path: str) -> bool:
        """Whether it reads, writes or guards the document at this path; a cursor is no document."""
        return f"/documents/{path}".encode() in self.request


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to a call. `code` OK passes the database's own answer on.

    `deliveries` is how often the database gets the request: 0 with a code is a refusal before, 1 with a code a lost
    answer, 2 at once a doubled delivery. `answers` are those of a stream that pass before the code. `held`: the
    database gets the request when the test says so, long after the caller has been told `code`.
    """

    code: Code = Code.OK
    details: str = "as injected"
    deliveries: int = 1
    answers: int = 0
    delay_seconds: float = 0.0
    held: bool = False


Decide: TypeAlias = Callable[[Call], Fault | None]
"""What happens to a call; None for nothing."""


@dataclass(slots=True)
class FaultProxy:
    """The proxy: `host` is for the worker, `decide` for the test, `told` has each fault that was injected.

    `calls` counts them by method, `entries` those that commit a journal entry.
    """

    host: str
    channel: Any
    decide: Decide = lambda _: None
    told: list[tuple[Call, Fault]] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    entries: int = 0
    _held: list[Callable[[], Any]] = field(default_factory=list)

    async def release(self) -> list[Code]:
        """Deliver what was held, in order; what the database answered each of them."""
        held, self._held = self._held, []
        return [await _code(deliver) for deliver in held]

    def fault(self, method: str, request: bytes) -> Fault | None:
        """Count a call and decide about it."""
        self.calls[method] += 1
        call = Call(method, self.calls[method], request)
        self.entries += call.is_entry
        fault = self.decide(call)
        if fault:
            self.told.append((call, fault))
        return fault

    async def unary(self, path: str, request: bytes, context: Any) -> bytes:
        """A call with one answer."""
        fault = self.fault(path.rpartition("/")[2], request) or Fault()
        metadata, call = _metadata(context), self.channel.unary_unary(path)
        await asyncio.sleep(fault.delay_seconds)
        if fault.held:
            self._held.append(lambda: call(request, metadata=metadata))
            await context.abort(fault.code, fault.details)
        sent = (call(request, metadata=metadata, timeout=context.time_remaining()) for _ in range(fault.deliveries))
        answers = await asyncio.gather(*sent, return_exceptions=True)
        if fault.code is not Code.OK:
            await context.abort(fault.code, fault.details)
        return await _passed_on(answers[-1], context)

    async def stream(self, path: str, request: bytes, context: Any) -> AsyncIterator[bytes]:
        """A call with many answers; with a code only the first few of them pass."""
        fault = self.fault(path.rpartition("/")[2], request) or Fault()
        await asyncio.sleep(fault.delay_seconds)
        call = self.channel.unary_stream(path)(request, metadata=_metadata(context), timeout=context.time_remaining())
        passed = 0
        try:
            while fault.code is Code.OK or passed < fault.answers:
                answer = await call.read()
                if answer is EOF:
                    return
                yield answer
                passed += 1
        except grpc.aio.AioRpcError as error:
            await context.abort(error.code(), error.details() or "")
        finally:
            call.cancel()
        await context.abort(fault.code, fault.details)


class _Handlers(grpc.GenericRpcHandler):  # type: ignore[type-arg] # generic in the stubs only
    def __init__(self, proxy: Callable[[], FaultProxy]) -> None:
        self._proxy = proxy

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        path: str = handler_call_details.method

        async def unary(request: bytes, context: Any) -> bytes:
            return await self._proxy().unary(path, request, context)

        async def stream(request: bytes, context: Any) -> AsyncIterator[bytes]:
            async for answer in self._proxy().stream(path, request, context):
                yield answer

        if path.rpartition("/")[2] in STREAMS:
            return grpc.unary_stream_rpc_method_handler(stream)
        return grpc.unary_unary_rpc_method_handler(unary)


@asynccontextmanager
async def fault_proxy(emulator: str) -> AsyncIterator[FaultProxy]:
    """A proxy in front of the emulator that lets everything pass until it is told otherwise."""
    server = grpc.aio.server(handlers=[_Handlers(lambda: proxy)], options=OPTIONS)
    port = server.add_insecure_port("127.0.0.1:0")
    channel = grpc.aio.insecure_channel(emulator, options=OPTIONS)
    proxy = FaultProxy(f"127.0.0.1:{port}", channel)
    await server.start()
    try:
        yield proxy
    finally:
        await server.stop(grace=None)
        await channel.close(grace=None)


def nth_entry(number: int, fault: Fault) -> Decide:
    """The fault for the `number`-th commit of a journal entry, from 1, and none for any other call."""
    return nth(number, fault, lambda call: call.is_entry)


def nth(number: int, fault: Fault, of: Callable[[Call], bool]) -> Decide:
    """The fault for the `number`-th of the calls that `of` names, from 1."""
    seen = 0

    def decide(call: Call) -> Fault | None:
        nonlocal seen
        seen += of(call)
        return fault if of(call) and seen == number else None

    return decide


def _metadata(context: Any) -> tuple[tuple[str, str], ...]:
    # The transport makes its own user agent.
    return tuple((key, value) for key, value in context.invocation_metadata() if key != "user-agent")


async def _passed_on(answer: bytes | BaseException, context: Any) -> bytes:
    if isinstance(answer, grpc.aio.AioRpcError):
        await context.abort(answer.code(), answer.details() or "")
    if isinstance(answer, BaseException):
        raise answer
    return answer


async def _code(deliver: Callable[[], Any]) -> Code:
    try:
        await deliver()
    except grpc.aio.AioRpcError as error:
        return error.code()
    return Code.OK
