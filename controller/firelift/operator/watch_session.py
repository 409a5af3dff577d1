"""The HTTP session of kopf, which ends, and this process with it, at the first answer that it does not know.

What says nothing about the objects is told to it as a lost connection, which it tries again, or as a watch that is too
old, for which it lists anew; so is a watch that is refused for its age, for which it would ask again for ever. A watch
that is cut at once is asked for again once a second, and so is a list whose next page has expired.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, cast

import aiohttp
import kopf

_WATCH_SECONDS = 1.0
"""The shortest time between the beginnings of two watches of one kind, and between two of its lists that expired: kopf
knows none where an answer has begun."""

_LATER = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.GONE})
_SHOWN = 200
_EVENT, _ERROR, _HEAD = b'{"type":', b'"ERROR"', 24
_TOO_OLD = json.dumps({"type": "ERROR", "object": {"kind": "Status", "code": int(HTTPStatus.GONE)}}).encode()


@dataclass(frozen=True, kw_only=True, eq=False)
class WatchSession(kopf.AiohttpSession):
    """Two of one `identity` are the same, so that an identity which was refused is not tried for ever."""

    identity: str = field(repr=False)

    def __eq__(self, other: object) -> bool:
        """By identity."""
        return isinstance(other, WatchSession) and other.identity == self.identity

    def __hash__(self) -> int:
        """As it is compared."""
        return hash(self.identity)


def open_session(info: kopf.ConnectionInfo) -> WatchSession:
    """A session for this connection; kopf closes it. Call it in kopf's event loop."""
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ssl=info.as_ssl_context()),
        headers=info.as_http_headers(),
        proxy=info.proxy_url,
        trust_env=info.trust_env,
        middlewares=(Steady(),),
    )
    return WatchSession(
        server=info.server,
        default_namespace=info.default_namespace,
        expiration=info.expiration,
        aiohttp_session=session,
        identity=json.dumps(
            [info.server, info.as_http_headers(), str(info.certificate_path), str(info.certificate_data)]
        ),
    )


class Steady:
    """The middleware of such a session."""

    def __init__(self) -> None:
        self._begun: dict[str, float] = {}

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """Send it; an answer without a verdict is a lost connection."""
        watches = request.url.query.get("watch") == "true"
        if watches:
            await self._pause(request.url.path)
        response = await handler(request)
        if response.status == HTTPStatus.GONE and (watches or "continue" in request.url.query):
            return await self._anew(response, request.url.path, watches=watches)
        try:
            if response.status in _LATER or response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                raise _lost(response, await response.read())
            if response.status < HTTPStatus.BAD_REQUEST and not watches and not _is_object(await response.read()):
                raise _lost(response, await response.read())
        except aiohttp.ClientPayloadError as error:
            raise aiohttp.ClientConnectionError(str(error)) from error
        if watches:
            response.content = cast("aiohttp.StreamReader", Lines(response.content))
        return response

    async def _anew(self, response: aiohttp.ClientResponse, path: str, *, watches: bool) -> aiohttp.ClientResponse:
        """Where a resourceVersion or a list's next page has expired: asked for again they stay so, for ever."""
        response.close()
        if not watches:
            await self._pause(path)
            raise aiohttp.ClientPayloadError(f"HTTP {response.status}: the list's next page has expired")
        response.status = HTTPStatus.OK
        response.content = cast("aiohttp.StreamReader", TooOld())
        return response

    async def _pause(self, path: str) -> None:
        since = time.monotonic() - self._begun.get(path, float("-inf"))
        await asyncio.sleep(max(0.0, _WATCH_SECONDS - since))
        self._begun[path] = time.monotonic()


class Lines:
    """The body of a watch, of which kopf sees nothing but whole events."""

    def __init__(self, content: aiohttp.StreamReader) -> None:
        self._content = content

    def __getattr__(self, name: str) -> Any:
        return getattr(self._content, name)

    async def iter_chunked(self, size: int) -> AsyncIterator[bytes]:
        """Its lines, each with its end; what is left behind the last one is half an event, and comes again."""
        rest = b""
        async for part in self._content.iter_chunked(size):
            *lines, rest = (rest + part).split(b"\n")
            for line in lines:
                yield known(line) + b"\n"


class TooOld:
    """The body of a watch that was refused for its age, as kopf knows one that has begun."""

    async def iter_chunked(self, size: int) -> AsyncIterator[bytes]:
        """The one line, in parts of `size` bytes."""
        line = _TOO_OLD + b"\n"
        for start in range(0, len(line), size):
            yield line[start : start + size]


def known(line: bytes) -> bytes:
    """The event, or that the watch is too old where it is an error of any other kind, or no event at all."""
    if not line or (line.startswith(_EVENT) and line.endswith(b"}") and _ERROR not in line[:_HEAD]):
        return line
    return line if _is_event(line) else _TOO_OLD


def _is_event(line: bytes) -> bool:
    try:
        event = json.loads(line)
        return bool(event["type"] != "ERROR" and event["object"]["metadata"])
    except (ValueError, KeyError, TypeError):
        return False


def _is_object(text: bytes) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _lost(response: aiohttp.ClientResponse, text: bytes) -> aiohttp.ClientConnectionError:
    return aiohttp.ClientConnectionError(f"HTTP {response.status}: {text[:_SHOWN].decode(errors='replace')}")
