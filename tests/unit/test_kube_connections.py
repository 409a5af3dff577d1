"""Calls to the API server are bounded, wait in order for their turn, and are sent only while they are permitted."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from firelift.kube.client import CONNECTIONS, Cluster
from firelift.kube.errors import Unreachable
from firelift.sandbox.ports import free_port

KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: here
contexts: [{{name: here, context: {{cluster: here, user: nobody}}}}]
clusters: [{{name: here, cluster: {{server: "http://127.0.0.1:{port}"}}}}]
users: [{{name: nobody, user: {{}}}}]
"""


Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
SECONDS = 60.0


class NotLeading(Exception):
    """What the permit of these tests raises."""


class Leadership:
    """A permit, which can be lost."""

    held = True

    def check(self) -> None:
        """The permit."""
        if not self.held:
            raise NotLeading


@asynccontextmanager
async def connected(
    answer: Answer, directory: Path, monkeypatch: pytest.MonkeyPatch, seconds: float = SECONDS
) -> AsyncIterator[Cluster]:
    """A client of a server that answers so."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    (directory / "config").write_text(KUBECONFIG.format(port=port))
    monkeypatch.setenv("KUBECONFIG", str(directory / "config"))
    cluster = await Cluster.connect(timeout_seconds=seconds)
    try:
        yield cluster
    finally:
        await cluster.close()
        await runner.cleanup()


async def test_no_more_calls_than_connections_are_under_way_and_all_are_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    under_way = most = 0
    full = asyncio.Event()

    async def answer(_: web.Request) -> web.Response:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        if under_way == CONNECTIONS:
            full.set()
        # Held until as many are here as ever will be: one more would have come by the time that all of them are.
        await full.wait()
        under_way -= 1
        return web.json_response({})

    async with connected(answer, tmp_path, monkeypatch) as cluster:
        assert await asyncio.gather(*(cluster.get(f"/api/{number}") for number in range(200))) == [{}] * 200
    assert most == CONNECTIONS


class Slots:
    """A server whose reads end when the test says so."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.full, self.free = asyncio.Event(), asyncio.Event()

    async def answer(self, request: web.Request) -> web.Response:
        """Reads are held, writes are not."""
        self.asked[request.method] += 1
        if self.asked["GET"] == CONNECTIONS:
            self.full.set()
        if request.method == "GET":
            await self.free.wait()
        return web.json_response({})


@pytest.mark.parametrize("held", [True, False], ids=["still leading", "leadership lost"])
async def test_a_change_that_waited_for_a_connection_is_sent_only_by_who_still_leads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, held: bool
) -> None:
    slots, leadership = Slots(), Leadership()
    async with connected(slots.answer, tmp_path, monkeypatch) as cluster:
        permitted = cluster.permitted_by(leadership.check)
        reads = [asyncio.create_task(permitted.get(f"/api/{number}")) for number in range(CONNECTIONS)]
        await slots.full.wait()
        changes = [
            asyncio.create_task(change)
            for change in (
                permitted.create("/api", {}),
                permitted.replace("/api/a", {}),
                permitted.apply("/api/a", {}, manager="m"),
                permitted.delete("/api/a", {}),
            )
        ]
        unpermitted = asyncio.create_task(cluster.create("/api", {}))
        # By then each has been let through by the first question, and waits.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        leadership.held = held
        slots.free.set()

        ended = await asyncio.gather(*changes, return_exceptions=True)

        assert await asyncio.gather(*reads, unpermitted) == [{}] * (CONNECTIONS + 1)
    if held:
        assert ended == [{}] * len(changes)
    else:
        assert [type(error) for error in ended] == [NotLeading] * len(changes)
    writes = {"POST": 2, "PUT": 1, "PATCH": 1, "DELETE": 1} if held else {"POST": 1}
    assert {method: slots.asked[method] for method in slots.asked if method != "GET"} == writes


async def test_a_change_whose_connection_was_cut_is_not_sent_again_by_who_has_lost_the_leadership(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leadership, asked = Leadership(), Counter[str]()

    async def answer(request: web.Request) -> web.Response:
        asked[request.method] += 1
        if request.method == "PUT" and request.transport is not None:
            leadership.held = False
            request.transport.abort()
        return web.json_response({})

    async with connected(answer, tmp_path, monkeypatch) as cluster:
        permitted = cluster.permitted_by(leadership.check)
        await permitted.get("/api")
        with pytest.raises(NotLeading):
            await permitted.replace("/api/a", {})
    assert asked == {"GET": 1, "PUT": 1}


async def test_a_call_that_waits_for_a_connection_ends_in_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slots = Slots()
    async with connected(slots.answer, tmp_path, monkeypatch, seconds=0.5) as cluster:
        begun = time.monotonic()
        calls = [asyncio.create_task(cluster.get("/api")) for _ in range(2 * CONNECTIONS)]
        ended = await asyncio.gather(*calls, return_exceptions=True)
        assert time.monotonic() - begun < 5
        slots.free.set()
    assert {type(error) for error in ended} == {Unreachable}
