"""The stand-in as a whole: one gRPC port for the services, one HTTP port to control them."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import grpc
from aiohttp import web

from firelift.sandbox.google.calls import Calls, Clock
from firelift.sandbox.google.control import Control
from firelift.sandbox.google.databases import FirestoreAdmin
from firelift.sandbox.google.faults import FaultBook, RequestLog
from firelift.sandbox.google.monitoring import MetricService

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MAX_MESSAGE = 64 * 1024 * 1024
_GRACE_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Options:
    """Where to listen (0 picks a free port) and how strict to be.

    `shortest_period` is the least alignment period in seconds: Cloud Monitoring's is 60; here it is 1, so that the
    phases of a demo may last seconds. `namespace` makes the uid of databases: the identity of the data behind them.
    """

    port: int = 0
    control_port: int = 0
    shortest_period: int = 1
    namespace: str = ""


@dataclass(frozen=True, slots=True)
class StandIn:
    """A running stand-in: `endpoint` is host:port for gRPC without TLS, `control` the base URL of the control API."""

    endpoint: str
    control: str
    faults: FaultBook
    log: RequestLog
    clock: Clock
    databases: FirestoreAdmin


@asynccontextmanager
async def running_stand_in(options: Options | None = None) -> AsyncIterator[StandIn]:
    """Run the stand-in on this machine until the context ends. Raises OSError when a port is taken."""
    options = options or Options()
    clock, calls = Clock(), Calls(FaultBook(), RequestLog())
    databases = FirestoreAdmin(clock, options.namespace)
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", MAX_MESSAGE), ("grpc.so_reuseport", 0)])
    service = MetricService(clock, options.shortest_period)
    server.add_generic_rpc_handlers((service.handler(calls), databases.handler(calls)))
    try:
        port = server.add_insecure_port(f"127.0.0.1:{options.port}")
    except RuntimeError as error:
        raise OSError(f"the stand-in cannot listen on 127.0.0.1:{options.port}: {error}") from error
    await server.start()
    runner = web.AppRunner(Control(calls, clock, databases, service).application(), access_log=None)
    try:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", options.control_port)
        await site.start()
        control = "http://{}:{}".format(*runner.addresses[0][:2])
        yield StandIn(f"127.0.0.1:{port}", control, calls.faults, calls.log, clock, databases)
    finally:
        await runner.cleanup()
        await server.stop(grace=_GRACE_SECONDS)
