"""Calls to the API server are bounded, and wait in order for their turn."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from aiohttp import web

from firelift.kube.client import CONNECTIONS, Cluster
from firelift.sandbox.ports import free_port

KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: here
contexts: [{{name: here, context: {{cluster: here, user: nobody}}}}]
clusters: [{{name: here, cluster: {{server: "http://127.0.0.1:{port}"}}}}]
users: [{{name: nobody, user: {{}}}}]
"""


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

    application = web.Application()
    application.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    (tmp_path / "config").write_text(KUBECONFIG.format(port=port))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    cluster = await Cluster.connect(timeout_seconds=60)
    try:
        assert await asyncio.gather(*(cluster.get(f"/api/{number}") for number in range(200))) == [{}] * 200
    finally:
        await cluster.close()
        await runner.cleanup()
    assert most == CONNECTIONS
