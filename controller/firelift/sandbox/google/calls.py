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

    def unary(self, method: str, serve: Serve, request_type: Any) -> grpc.RpcMethodHandler[Any, Any]:
        """Return the handler of one unary method."""

        async def handle(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
            detail = getattr(request, "filter", "") or request.name
            began = time.monotonic()
            code = grpc.StatusCode.CANCELLED
            try:
                response = await self._answer(method, detail, serve, request)
                code = grpc.StatusCode.OK
            except RefusedError as refusal:
                code = refusal.code
                await context.abort(refusal.code, refusal.message)
            finally:
                self.log.add(method, detail, code.name, time.monotonic() - began)
            return response

        return grpc.unary_unary_rpc_method_handler(
            handle,
            request_deserializer=request_type.FromString,
            response_serializer=lambda message: message.SerializeToString(),
        )

    async def _answer(self, method: str, detail: str, serve: Serve, request: Any) -> Any:
        faults = self.faults.strike(method, detail)
        await asyncio.sleep(sum(fault.latency_ms for fault in faults) / 1000)
        for fault in faults:
            if fault.code != "OK":
                raise RefusedError(grpc.StatusCode[fault.code], fault.message)
        return serve(request, faults)
