"""A reverse proxy between one operator and the API server that refuses, delays, loses, cuts and garbles what passes.

It ends TLS with a certificate of the sandbox and passes everything else on as it is, so that its record is evidence:
who wrote what, when, and what the API server said to it. It has a thread and an event loop of its own.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import aiohttp
import yaml
from aiohttp import web
from yarl import URL

from firelift.sandbox.kubeconfig import Cluster, write_kubeconfig
from firelift.sandbox.ports import free_port
from firelift.sandbox.sandbox import OPERATOR_ACCOUNT, OPERATOR_NAMESPACE, Sandbox

T = TypeVar("T")

_NOT_PASSED_ON = frozenset({"host", "content-length", "transfer-encoding", "connection", "date", "server"})
_BOUND_BYTES = 32 * 2**20
_SECONDS = 20.0
_LAST_TURNS_SECONDS = 0.1
"""A connection that was cut is closed in one of the loop's next turns."""


@dataclass(frozen=True, slots=True)
class ApiFault:
    """What happens to a request. With `status` 0 the API server's own answer is passed on.

    `deliver`: the API server gets the request, and only its answer is lost. `body` is answered instead of a Status.
    `passed` bytes of the answer arrive before its connection is cut. `stream_seconds` is how long a watch lasts before
    that; `event` is a line of it that the API server never sent. `held`: the API server gets the request when the test
    says so, long after who sent it may have stopped being the leader.
    """

    status: int = 0
    deliver: bool = False
    retry_after: int | None = None
    body: bytes = b""
    delay_seconds: float = 0.0
    passed: int | None = None
    stream_seconds: float | None = None
    event: bytes = b""
    held: bool = False


@dataclass(slots=True)
class ApiCall:
    """A request as it was seen. `answered` is the API server's status, 0 when it never got the request."""

    method: str
    path: str
    watch: bool
    time: float = field(default_factory=time.monotonic)
    answered: int = 0
    fault: ApiFault | None = None

    @property
    def effective(self) -> bool:
        """Whether it has changed something, other than who leads."""
        return self.method != "GET" and 200 <= self.answered < 300 and not self.of_lease

    @property
    def of_lease(self) -> bool:
        """Whether it is about the Lease of the leader, or of a lock, which only shows what the database decides."""
        return "/leases" in self.path


Decide: TypeAlias = Callable[[ApiCall], ApiFault | None]
"""What happens to a request; None for nothing."""


class ApiProxy:
    """`decide` is for the test; `calls` has every request in the order of arrival."""

    def __init__(self, sandbox: Sandbox, name: str) -> None:
        """Listen; `name` tells the files of one proxy from those of another."""
        control = sandbox.control_plane
        self.decide: Decide = lambda _: None
        self.calls: list[ApiCall] = []
        self._upstream = control.cluster.server
        self._authority = str(control.cluster.certificate_authority)
        self._serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._serving.load_cert_chain(*control.authority.issue(name, name))
        self._port = free_port()
        self._release = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()
        self._run(self._start())
        theirs = yaml.safe_load(sandbox.service_account_kubeconfig(OPERATOR_NAMESPACE, OPERATOR_ACCOUNT).read_text())
        cluster = Cluster(f"https://127.0.0.1:{self._port}", control.cluster.certificate_authority)
        path: Path = sandbox.directory / f"{name}.kubeconfig"
        self.kubeconfig = write_kubeconfig(path, cluster, theirs["users"][0]["user"])
        """Of the operator's ServiceAccount, through the proxy."""

    def close(self) -> None:
        """Cut every connection and end."""
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_SECONDS)
        self._loop.close()

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Nobody listens, and every connection is gone, as when the API server is started anew."""
        self._run(self._deaf())
        try:
            yield
        finally:
            self._run(self._listen())

    def release(self) -> None:
        """Deliver what is held."""
        self._loop.call_soon_threadsafe(self._release.set)

    def effects(self) -> list[ApiCall]:
        """The requests that have changed something."""
        return [call for call in list(self.calls) if call.effective]

    def faults(self) -> list[ApiCall]:
        """The requests that something happened to."""
        return [call for call in list(self.calls) if call.fault is not None]

    async def _start(self) -> None:
        trust = ssl.create_default_context(cafile=self._authority)
        self._upstream_connections = aiohttp.TCPConnector(ssl=trust, limit=0)
        self._session = aiohttp.ClientSession(connector=self._upstream_connections, auto_decompress=False)
        app = web.Application(client_max_size=_BOUND_BYTES)
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        await self._listen()

    async def _listen(self) -> None:
        self._site = web.TCPSite(self._runner, "127.0.0.1", self._port, ssl_context=self._serving, reuse_address=True)
        await self._site.start()

    async def _deaf(self) -> None:
        await self._site.stop()
        for connection in list(self._runner.server.connections if self._runner.server else ()):
            if connection.transport is not None:
                connection.transport.abort()

    async def _stop(self) -> None:
        self._release.set()
        await self._deaf()
        await self._runner.cleanup()
        await self._upstream_connections.close(abort_ssl=True)
        await self._session.close()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await asyncio.sleep(_LAST_TURNS_SECONDS)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_SECONDS)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        call = ApiCall(request.method, request.path_qs, request.query.get("watch") == "true")
        self.calls.append(call)
        fault = call.fault = self.decide(call)
        fault = fault or ApiFault()
        body = await request.read()
        await asyncio.sleep(fault.delay_seconds)
        if fault.status and not fault.deliver:
            return _refusal(fault)
        if call.watch:
            return await self._watch(request, call, fault)
        # Shielded: what is held is delivered even when who sent it is dead.
        answer, text = await asyncio.shield(asyncio.ensure_future(self._deliver(request, call, body, held=fault.held)))
        if fault.status:
            return _refusal(fault)
        return await _answer(request, answer, text, fault.passed)

    async def _deliver(
        self, request: web.Request, call: ApiCall, body: bytes, *, held: bool
    ) -> tuple[aiohttp.ClientResponse, bytes]:
        if held:
            await self._release.wait()
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _NOT_PASSED_ON}
        async with self._session.request(
            request.method, self._url(request), headers=headers, data=body or None
        ) as answer:
            text = await answer.read()
            call.answered = answer.status
            return answer, text

    async def _watch(self, request: web.Request, call: ApiCall, fault: ApiFault) -> web.StreamResponse:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _NOT_PASSED_ON}
        endless = aiohttp.ClientTimeout(total=None)
        async with self._session.get(self._url(request), headers=headers, timeout=endless) as answer:
            call.answered = answer.status
            stream = web.StreamResponse(status=answer.status, headers=_headers(answer))
            await stream.prepare(request)
            if fault.event:
                await stream.write(fault.event + b"\n")
            try:
                async with asyncio.timeout(fault.stream_seconds):
                    async for part in answer.content.iter_any():
                        await stream.write(part)
            except TimeoutError:
                _cut(request)
            except (aiohttp.ClientError, ConnectionError):  # one of the two ends has gone
                _cut(request)
            return stream

    def _url(self, request: web.Request) -> URL:
        return URL(f"{self._upstream}{request.path_qs}", encoded=True)


async def _answer(
    request: web.Request, answer: aiohttp.ClientResponse, text: bytes, passed: int | None
) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status, headers=_headers(answer))
    response.content_length = len(text)
    await response.prepare(request)
    await response.write(text[:passed])
    if passed is not None and passed < len(text):
        _cut(request)
    return response


def _refusal(fault: ApiFault) -> web.Response:
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": fault.status, "message": "as injected"}
    body = fault.body or json.dumps(status).encode()
    return web.Response(status=fault.status, headers=headers, body=body, content_type="application/json")


def _headers(answer: aiohttp.ClientResponse) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name.lower() not in _NOT_PASSED_ON}


def _cut(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
