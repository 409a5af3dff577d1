"""The way every call takes: faults first, then the service, then the log."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import grpc

from firelift.sandbox.google.faults import FaultBook, RequestLog
from firelift.sandbox.google.values import SECOND, RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from firelift.sandbox.google.faults import Fault

    Serve = Callable[[Any, Sequence[Fault]], Any]


class Clock:
    """The stand-in's idea of the time: the machine's, moved by an offset."""

    def __init__(self) -> None:
        self.offset_seconds = 0.0

    def now(self) -> int:
        """Return nanoseconds since 1970."""
        return time.time_ns() + round(self.offset_seconds * SECOND)


class Calls:
    """Turns a plain function of (request, faults) into a gRPC method."""

    def __init__(self, faults: FaultBook, log: RequestLog) -> None:
        self.faults = faults
        self.log = log

    def unary(self, api: str, method: str, serve: Serve, request_type: Any) -> grpc.RpcMethodHandler[Any, Any]:
        """Return the handler of one unary method of an API."""

        async def handle(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
            detail = getattr(request, "filter", "") or getattr(request, "name", "") or getattr(request, "parent", "")
            try:
                return await self.answer(api, method, detail, lambda faults: serve(request, faults))
            except RefusedError as refusal:
                return await context.abort(refusal.code, refusal.message)

        return grpc.unary_unary_rpc_method_handler(
            handle,
            request_deserializer=request_type.FromString,
            response_serializer=lambda message: message.SerializeToString(),
        )

    async def answer(self, api: str, method: str, detail: str, serve: Callable[[Sequence[Fault]], Any]) -> Any:
        """Serve one call of any protocol. Raises RefusedError when a fault or the service refuses it."""
        began = time.monotonic()
        code = grpc.StatusCode.CANCELLED
        try:
            response = await self._struck(self.faults.strike(api, method, detail), serve)
            code = grpc.StatusCode.OK
        except RefusedError as refusal:
            code = refusal.code
            raise
        finally:
            self.log.add(method, detail, code.name, time.monotonic() - began)
        return response

    async def _struck(self, faults: Sequence[Fault], serve: Callable[[Sequence[Fault]], Any]) -> Any:
        await asyncio.sleep(sum(fault.latency_ms for fault in faults) / 1000)
        failing = [fault for fault in faults if fault.code != "OK"]
        if failing and not failing[0].applied:
            raise RefusedError(grpc.StatusCode[failing[0].code], failing[0].message)
        response = serve(faults)
        if failing:
            raise RefusedError(grpc.StatusCode[failing[0].code], failing[0].message)
        return response
