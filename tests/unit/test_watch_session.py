"""What kopf sees of an API server that refuses, breaks off and expires what is asked of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from http import HTTPStatus

import kopf
import pytest
from aiohttp import web
from kopf._cogs.clients.auth import vault_var
from kopf._cogs.clients.watching import Bookmark, infinite_watch
from kopf._cogs.structs.credentials import Vault
from kopf._cogs.structs.references import Resource

from firelift.operator.watch_session import Lines, known, open_session
from firelift.operator.watching import build_settings
from firelift.sandbox.ports import free_port

TOO_OLD = b'{"type": "ERROR", "object": {"kind": "Status", "code": 410}}'
ADDED = b'{"type":"ADDED","object":{"metadata":{"name":"users"}}}'


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (ADDED, ADDED),
        (b"", b""),
        (b'{"object": {"metadata": {}}, "type": "BOOKMARK"}', TOO_OLD),
        (b'{"object": {"metadata": {"name": "users"}}, "type": "MODIFIED"}',) * 2,
        (b'{"type":"ERROR","object":{"kind":"Status","code":500}}', TOO_OLD),
        (b'{"type": "ERROR", "object": {"kind": "Status", "code": 504}}', TOO_OLD),
        (b"<html>a proxy's own page</html>", TOO_OLD),
        (b'["ADDED"]', TOO_OLD),
    ],
)
def test_a_line_of_a_watch_is_an_event_or_the_watch_is_too_old(line: bytes, expected: bytes) -> None:
    assert known(line) == expected


class Body:
    """A stream that ends in the middle of an event."""

    async def iter_chunked(self, size: int) -> AsyncIterator[bytes]:
        """Parts of any length."""
        text = ADDED + b"\n" + ADDED + b"\n" + ADDED[:20]
        for start in range(0, len(text), size):
            yield text[start : start + size]


@pytest.mark.parametrize("size", [1, 7, len(ADDED) + 1, 4096])
async def test_half_an_event_is_not_seen(size: int) -> None:
    lines = Lines(Body())  # type: ignore[arg-type] # all of a stream that is asked for

    assert [line async for line in lines.iter_chunked(size)] == [ADDED + b"\n"] * 2


async def test_an_identity_that_was_refused_is_known_again() -> None:
    same, again, other = (
        open_session(kopf.ConnectionInfo(server="https://127.0.0.1:6443", token=token))
        for token in ("first-token", "first-token", "another")
    )
    try:
        assert same == again
        assert same != other
        assert "first-token" not in repr(same)
    finally:
        for each in (same, again, other):
            await each.aiohttp_session.close()


KIND = Resource(group="firelift.dev", version="v1alpha1", plural="migrationrollouts", kind="Rollout", namespaced=True)
EXPIRED = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version"}
SECONDS = 10.0


class Server:
    """A list of two pages and a watch; what was asked for `expired` is refused for its age, as often as it is asked."""

    def __init__(self, expired: str) -> None:
        self.expired = expired
        self.lists = 0
        self.asked: list[str] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """The first page has a name and a version of its own each time."""
        watch, page = request.query.get("resourceVersion"), request.query.get("continue")
        self.asked.append(watch or page or "list")
        if self.asked[-1] == self.expired:
            return web.json_response(EXPIRED, status=HTTPStatus.GONE)
        if watch:
            stream = web.StreamResponse()
            await stream.prepare(request)
            await stream.write(ADDED + b"\n")
            return stream
        self.lists += 0 if page else 1
        following = {} if page else {"continue": f"page-{self.lists}"}
        return web.json_response({"metadata": {"resourceVersion": f"{self.lists}00", **following}, "items": []})


@asynccontextmanager
async def watched(answer: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[None]:
    """Within, kopf's own functions ask a server that answers so."""
    application = web.Application()
    application.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    session = open_session(kopf.ConnectionInfo(server=f"http://127.0.0.1:{port}"))
    before = vault_var.set(Vault({"ours": session}))
    try:
        yield
    finally:
        vault_var.reset(before)
        await session.aiohttp_session.close()
        await runner.cleanup()


@pytest.mark.parametrize(
    ("expired", "asked"),
    [
        ("100", ["list", "page-1", "100", "list", "page-2", "200"]),
        ("page-1", ["list", "page-1", "list", "page-2", "200"]),
    ],
    ids=["watch", "next page"],
)
async def test_what_has_expired_is_asked_for_once_and_listed_anew(expired: str, asked: list[str]) -> None:
    server = Server(expired)
    async with watched(server.answer), asyncio.timeout(SECONDS):
        events = infinite_watch(settings=build_settings(), resource=KIND, namespace=None)
        async with aclosing(events):  # type: ignore[type-var] # an iterator to its annotation, a generator in truth
            async for event in events:
                if event is not Bookmark.LISTED:
                    break

    assert server.asked == asked


async def test_a_list_whose_next_page_always_expires_is_not_asked_for_in_a_storm() -> None:
    asked: list[float] = []
    third = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        if "continue" not in request.query:
            return web.json_response({"metadata": {"resourceVersion": "1", "continue": "page"}, "items": []})
        asked.append(time.monotonic())
        if len(asked) == 3:
            third.set()
        return web.json_response(EXPIRED, status=HTTPStatus.GONE)

    async def watch() -> None:
        async for event in infinite_watch(settings=build_settings(), resource=KIND, namespace=None):
            pytest.fail(f"nothing was listed, but {event} seen")

    async with watched(answer), asyncio.timeout(SECONDS):
        watching = asyncio.create_task(watch())
        await third.wait()
        watching.cancel()
        await asyncio.wait([watching])

    # The first is asked for again at once; from then on once a second.
    assert asked[2] - asked[0] > 0.9
