"""The stand-in as a whole: one gRPC port, one HTTP port for REST, one to control them."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grpc
from aiohttp import web

from firelift.sandbox.google.admin import FirestoreAdmin
from firelift.sandbox.google.calls import Calls, Clock
from firelift.sandbox.google.cloud import Cloud
from firelift.sandbox.google.control import Control
from firelift.sandbox.google.faults import FaultBook, RequestLog
from firelift.sandbox.google.firestore.documents import EmulatorDocuments
from firelift.sandbox.google.monitoring import MetricService
from firelift.sandbox.google.rest.application import RestApi

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

MAX_MESSAGE = 64 * 1024 * 1024
_GRACE_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Options:
    """Where to listen (0 picks a free port) and how strict to be.

    `shortest_period` is the least alignment period in seconds: Cloud Monitoring's is 60; here it is 1, so that the
    phases of a demo may last seconds. `namespace` makes the uid of databases: the identity of the data behind them.
    `firestore_host` is the emulator whose documents are exported and imported; without one there are none.
    """

    port: int = 0
    control_port: int = 0
    rest_port: int = 0
    shortest_period: int = 1
    namespace: str = ""
    firestore_host: str = ""


@dataclass(frozen=True, slots=True)
class StandIn:
    """A running stand-in: `endpoint` is host:port for gRPC without TLS, `control` the base URL of the control API.

    `rest` is the base URL of the REST APIs, each below its prefix: `{rest}/fs/v1/projects/…`.
    """

    endpoint: str
    control: str
    rest: str
    faults: FaultBook
    log: RequestLog
    clock: Clock
    cloud: Cloud


@asynccontextmanager
async def running_stand_in(options: Options | None = None) -> AsyncIterator[StandIn]:
    """Run the stand-in on this machine until the context ends. Raises OSError when a port is taken."""
    options = options or Options()
    clock, calls = Clock(), Calls(FaultBook(), RequestLog())
    documents = EmulatorDocuments(options.firestore_host) if options.firestore_host else None
    cloud = Cloud(clock, options.namespace, documents)
    metrics = MetricService(clock, options.shortest_period)
    control = Control(calls, clock, cloud.firestore, metrics).application()
    handlers = (metrics.handler(calls), *FirestoreAdmin(cloud.firestore).handlers(calls))
    async with AsyncExitStack() as running:
        running.push_async_callback(cloud.firestore.exports.close)
        endpoint = await running.enter_async_context(_grpc_server(options.port, handlers))
        control_url = await running.enter_async_context(_http_server(options.control_port, control))
        rest = await running.enter_async_context(
            _http_server(options.rest_port, RestApi(calls, cloud.apis()).application())
        )
        yield StandIn(endpoint, control_url, rest, calls.faults, calls.log, clock, cloud)


@asynccontextmanager
async def _grpc_server(port: int, handlers: Sequence[grpc.GenericRpcHandler[Any, Any]]) -> AsyncIterator[str]:
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", MAX_MESSAGE), ("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers(tuple(handlers))
    try:
        taken = server.add_insecure_port(f"127.0.0.1:{port}")
    except RuntimeError as error:
        raise OSError(f"the stand-in cannot listen on 127.0.0.1:{port}: {error}") from error
    await server.start()
    try:
        yield f"127.0.0.1:{taken}"
    finally:
        await server.stop(grace=_GRACE_SECONDS)


@asynccontextmanager
async def _http_server(port: int, application: web.Application) -> AsyncIterator[str]:
    runner = web.AppRunner(application, access_log=None)
    try:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield "http://{}:{}".format(*runner.addresses[0][:2])
    finally:
        await runner.cleanup()
