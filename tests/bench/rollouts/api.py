"""The API server as the bench uses it: as its administrator, with one watch over all rollouts."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import aiohttp

from firelift.api.base import API_VERSION
from firelift.api.rollout import KIND, PLURAL
from firelift.operator.wakeups import Key
from firelift.sandbox.sandbox import Sandbox

Json = dict[str, Any]

_LINE = 2**22
_AGAIN_SECONDS = 0.2
_MERGE = {"Content-Type": "application/merge-patch+json"}


def place(key: Key, *more: str) -> str:
    """Where a rollout is served."""
    return "/".join((f"/apis/{API_VERSION}/namespaces/{key.namespace}/{PLURAL}/{key.name}", *more))


@dataclass(slots=True)
class Seen:
    """A rollout as its newest event showed it, and when that came in."""

    generation: int
    observed: int
    reason: str
    held: bool
    time: float


@dataclass(slots=True)
class Api:
    """Calls, and what the watch has seen of each rollout that is there."""

    session: aiohttp.ClientSession
    seen: dict[Key, Seen] = field(default_factory=dict)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def call(self, method: str, path: str, body: object = None, **headers: str) -> Json:
        """One call.

        Raises:
            RuntimeError: it is refused; with the API server's words.
        """
        async with self.session.request(method, path, json=body, headers=headers or None) as answer:
            document: Json = await answer.json()
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise RuntimeError(f"{method} {path}: {document.get('message')}")
        return document

    async def merge(self, path: str, body: Json) -> Json:
        """A merge patch."""
        return await self.call("PATCH", path, body, **_MERGE)

    async def create(self, key: Key, spec: Json) -> Json:
        """A rollout."""
        manifest = {"apiVersion": API_VERSION, "kind": KIND, "metadata": key._asdict(), "spec": spec}
        return await self.call("POST", f"/apis/{API_VERSION}/namespaces/{key.namespace}/{PLURAL}", manifest)

    async def until(self, key: Key, generation: int, seconds: float = 30.0) -> float:
        """When the status of this generation was seen.

        Raises:
            RuntimeError: it was not seen in time.
        """
        deadline = time.monotonic() + seconds
        async with self._news:
            while (seen := self.seen.get(key)) is None or seen.observed < generation:
                if (left := deadline - time.monotonic()) <= 0:
                    raise RuntimeError(f"{key}: generation {generation} not observed within {seconds:g} s: {seen}")
                try:
                    async with asyncio.timeout(left):
                        await self._news.wait()
                except TimeoutError:
                    continue
            return seen.time

    async def watch(self) -> None:
        """Follow all rollouts for ever."""
        path = f"/apis/{API_VERSION}/{PLURAL}"
        version = "0"
        while True:
            query = {"watch": "true", "resourceVersion": version, "allowWatchBookmarks": "true"}
            async with self.session.get(path, params=query, timeout=aiohttp.ClientTimeout(total=None)) as answer:
                if answer.status != HTTPStatus.OK:
                    # It has just learned of this kind.
                    await asyncio.sleep(_AGAIN_SECONDS)
                    continue
                async for line in answer.content:
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        raise RuntimeError(f"watching rollouts: {event['object']}")
                    version = event["object"]["metadata"]["resourceVersion"]
                    if event["type"] != "BOOKMARK":
                        await self._heard(event["type"], event["object"])

    async def _heard(self, kind: str, document: Json) -> None:
        metadata, status = document["metadata"], document.get("status", {})
        key = Key(metadata["namespace"], metadata["name"])
        if kind == "DELETED":
            self.seen.pop(key, None)
        else:
            self.seen[key] = Seen(
                metadata["generation"],
                status.get("observedGeneration", 0),
                status.get("reason", ""),
                bool(metadata.get("finalizers")),
                time.monotonic(),
            )
        async with self._news:
            self._news.notify_all()


@asynccontextmanager
async def connected(sandbox: Sandbox) -> AsyncIterator[Api]:
    """The administrator of the sandbox, watching."""
    authority = sandbox.control_plane.authority
    context = ssl.create_default_context(cafile=str(authority.certificate))
    context.load_cert_chain(*authority.issue("bench", "sandbox-admin", "system:masters"))
    connector = aiohttp.TCPConnector(ssl=context)
    base = f"https://127.0.0.1:{sandbox.control_plane.port}"
    async with aiohttp.ClientSession(base, connector=connector, read_bufsize=_LINE) as session:
        api = Api(session)
        async with asyncio.TaskGroup() as tasks:
            # A watch that fails ends the block with its error.
            watching = tasks.create_task(api.watch())
            yield api
            watching.cancel()
