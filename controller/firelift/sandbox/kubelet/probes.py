"""Readiness and liveness probes: httpGet, tcpSocket and exec."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path

import aiohttp

from firelift.sandbox.kubelet.cluster import UNREACHABLE, Json


class Prober:
    """Runs the probes of one started container."""

    def __init__(self, container: Json, address: str, environment: Mapping[str, str], directory: Path) -> None:
        """`address` is the pod's, for httpGet and tcpSocket; `environment` and `directory` are the container's own."""
        self._address = address
        self._container = container
        self._environment = environment
        self._directory = directory

    async def verdicts(self, probe: Json) -> AsyncIterator[bool]:
        """Yield True or False each time enough successes or failures in a row have changed the verdict, for ever."""
        await asyncio.sleep(probe.get("initialDelaySeconds", 0))
        verdict: bool | None = None
        in_a_row = 0
        last: bool | None = None
        while True:
            passed = await self._passes(probe)
            in_a_row = in_a_row + 1 if passed == last else 1
            last = passed
            needed = probe.get("successThreshold", 1) if passed else probe.get("failureThreshold", 3)
            if in_a_row >= needed and passed != verdict:
                verdict = passed
                yield passed
            await asyncio.sleep(probe.get("periodSeconds", 10))

    async def _passes(self, probe: Json) -> bool:
        try:
            async with asyncio.timeout(probe.get("timeoutSeconds", 1)):
                match probe:
                    case {"httpGet": action}:
                        return await self._http(action)
                    case {"tcpSocket": action}:
                        return await self._tcp(action)
                    case {"exec": action}:
                        return await self._exec(action["command"])
        except UNREACHABLE:
            return False
        return True

    async def _http(self, action: Json) -> bool:
        scheme = action.get("scheme", "HTTP").lower()
        url = f"{scheme}://{self._address}:{self._port(action['port'])}/{action.get('path', '/').removeprefix('/')}"
        headers = {header["name"]: header["value"] for header in action.get("httpHeaders", [])}
        # A kubelet does not verify the certificate of an HTTPS probe either.
        async with aiohttp.ClientSession() as session, session.get(url, headers=headers, ssl=False) as answer:
            return HTTPStatus.OK <= answer.status < HTTPStatus.BAD_REQUEST

    async def _tcp(self, action: Json) -> bool:
        _, writer = await asyncio.open_connection(self._address, self._port(action["port"]))
        writer.close()
        await writer.wait_closed()
        return True

    async def _exec(self, command: list[str]) -> bool:
        quiet = asyncio.subprocess.DEVNULL
        child = await asyncio.create_subprocess_exec(
            *command, stdin=quiet, stdout=quiet, stderr=quiet, env=dict(self._environment), cwd=self._directory
        )
        try:
            return await child.wait() == 0
        finally:
            with suppress(ProcessLookupError):
                child.kill()

    def _port(self, port: int | str) -> int:
        if isinstance(port, int):
            return port
        return next(int(each["containerPort"]) for each in self._container.get("ports", []) if each.get("name") == port)
