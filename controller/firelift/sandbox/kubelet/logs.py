"""The kubelet's HTTPS endpoint for `kubectl logs`; only the API server's client certificate is let in."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from collections.abc import Set as AbstractSet
from pathlib import Path

from aiohttp import web

from firelift.sandbox.kubelet.downward import ADDRESS

_POLL_SECONDS = 0.2
_CHUNK_BYTES = 64 * 1024


class LogServer:
    """Serves `/containerLogs/{namespace}/{pod}/{container}`: `follow`, `tailLines`, `previous` and `limitBytes`."""

    def __init__(self, folder: Path, being_written: AbstractSet[Path], context: ssl.SSLContext) -> None:
        """Serve the logs below `folder`; those in `being_written` can be followed."""
        self._folder = folder
        self._being_written = being_written
        self._context = context
        app = web.Application()
        app.router.add_get("/containerLogs/{namespace}/{pod}/{container}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)

    async def start(self) -> int:
        """Listen on a free port of 127.0.0.1 and return it."""
        await self._runner.setup()
        await web.TCPSite(self._runner, ADDRESS, 0, ssl_context=self._context).start()
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Close the port and the open answers."""
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        folder = self._container_folder(request)
        logs = _starts(folder) if folder else []
        previous = request.query.get("previous") == "true"
        if len(logs) <= previous:
            raise web.HTTPNotFound(text=f"container {request.match_info['container']} has no such log")
        log = logs[-2 if previous else -1]
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        start = await asyncio.to_thread(tail_offset, log, request.query.get("tailLines"))
        follow = request.query.get("follow") == "true" and not previous
        remaining = int(request.query.get("limitBytes") or 2**63)
        async for chunk in _chunks(log, start, follow=lambda: follow and log in self._being_written):
            await response.write(chunk[:remaining])
            remaining -= len(chunk)
            if remaining <= 0:
                break
        return response

    def _container_folder(self, request: web.Request) -> Path | None:
        wanted = request.match_info
        pods = self._folder.glob(f"{wanted['namespace']}_{wanted['pod']}_*/{wanted['container']}")
        return max(pods, key=lambda folder: folder.stat().st_mtime, default=None)


def tail_offset(log: Path, lines: str | None) -> int:
    """Return where the last `lines` lines of a file begin; 0 when None."""
    if lines is None:
        return 0
    content = log.read_bytes()
    end = len(content) - content.endswith(b"\n")
    offset = end + 1
    for _ in range(int(lines)):
        offset = content.rfind(b"\n", 0, max(offset - 1, 0)) + 1
        if offset == 0:
            break
    return min(offset, len(content))


async def _chunks(log: Path, offset: int, *, follow: Callable[[], bool]) -> AsyncIterator[bytes]:
    with log.open("rb") as file:
        file.seek(offset)
        while True:
            more = follow()  # asked before reading: what was written until the end is read
            if chunk := file.read(_CHUNK_BYTES):
                yield chunk
            elif more:
                await asyncio.sleep(_POLL_SECONDS)
            else:
                return


def _starts(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.log"), key=lambda log: int(log.stem))
