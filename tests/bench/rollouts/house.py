"""The house of a thousand rollouts: a real control plane without a kubelet, a real emulator, one real operator."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample
from tests.bench.children import PAGE_MIB, TICKS
from tests.bench.rollouts.api import Api, connected
from tests.bench.rollouts.population import DATABASES, METRIC

from firelift.sandbox.ports import free_port
from firelift.sandbox.processes import Process
from firelift.sandbox.sandbox import Sandbox

REPORT_SECONDS = 5.0
_READY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process has cost until a moment: seconds of CPU, resident memory and its highest mark in MiB."""

    time: float
    cpu_seconds: float
    resident_mib: float
    peak_mib: float
    threads: int
    files: int


@dataclass(frozen=True, slots=True)
class Samples:
    """Of one scrape."""

    samples: Sequence[Sample]

    def total(self, name: str, **labels: str) -> float:
        """The sum over all series of this name with these labels."""
        return sum(each.value for each in self.samples if each.name == name and labels.items() <= each.labels.items())


@dataclass(slots=True)
class House:
    """Where they live. `operator` is the process that is measured."""

    sandbox: Sandbox
    api: Api
    operator: Process | None = None
    health_port: int = field(default_factory=free_port)
    page_port: int = field(default_factory=free_port)

    def start_operator(self, **settings: str) -> Process:
        """One operator as its Deployment runs it, under the chart's ServiceAccount."""
        environment = {
            "FIRELIFT_HEALTH_PORT": str(self.health_port),
            "FIRELIFT_PAGE_PORT": str(self.page_port),
            "FIRELIFT_LEASE_DURATION_SECONDS": "15",
            **settings,
        }
        self.operator = self.sandbox.start_operator(f"operator-{time.monotonic_ns()}", environment)
        return self.operator

    def require_operator(self) -> None:
        """It is to live as long as it is looked at.

        Raises:
            RuntimeError: it has ended; with its last words.
        """
        if self.operator is None or not self.operator.running:
            words = self.operator.tail(3) if self.operator is not None else ""
            raise RuntimeError(f"the operator has ended by itself: {words}")

    @property
    def cost(self) -> Cost:
        """Of the operator, as the kernel counts it."""
        assert self.operator is not None
        directory = Path(f"/proc/{self.operator.pid}")
        # The name in parentheses may hold blanks; user and system time are the 14th and 15th field of all.
        numbers = (directory / "stat").read_text().rpartition(")")[2].split()
        status = dict(line.split(":", 1) for line in (directory / "status").read_text().splitlines())
        return Cost(
            time.monotonic(),
            (int(numbers[11]) + int(numbers[12])) / TICKS,
            int((directory / "statm").read_text().split()[1]) * PAGE_MIB,
            int(status["VmHWM"].split()[0]) / 1024,
            int(status["Threads"]),
            len(list((directory / "fd").iterdir())),
        )

    async def metrics(self) -> Samples:
        """What the operator tells Prometheus."""
        text = await self._fetch(self.health_port, "/metrics")
        families = text_string_to_metric_families(text.decode())
        return Samples([sample for family in families for sample in family.samples])

    async def metrics_seconds(self) -> float:
        """How long a scrape takes; to read what it says would hold up whoever measures something else meanwhile."""
        return await self._seconds(self.health_port, "/metrics")

    async def page_seconds(self) -> float:
        """How long the page's list of all objects takes."""
        return await self._seconds(self.page_port, "/api/objects")

    async def _seconds(self, port: int, path: str) -> float:
        begun = time.monotonic()
        await self._fetch(port, path)
        return time.monotonic() - begun

    async def _fetch(self, port: int, path: str) -> bytes:
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as answer:
            answer.raise_for_status()
            return await answer.read()


@asynccontextmanager
async def house() -> AsyncIterator[House]:
    """The house with nobody in it: namespaces, flags, metrics that report, workers that wait."""
    with Sandbox() as sandbox:
        # Nobody starts pods here; see the crew.
        sandbox.kubelet.stop()
        sandbox.install_crds()
        sandbox.install_manifests()
        async with connected(sandbox) as api:
            await asyncio.gather(*(_namespace(api, f"bench-{number:02d}") for number in range(DATABASES)))
            crew = [sys.executable, "-m", "tests.bench.rollouts.crew"]
            sandbox.supervisor.start("crew", crew, {**sandbox.environment(), "PYTHONPATH": str(Path.cwd())})
            reporting = asyncio.create_task(_report(sandbox))
            try:
                yield House(sandbox, api)
            finally:
                reporting.cancel()
                await asyncio.gather(reporting, return_exceptions=True)


async def _namespace(api: Api, name: str) -> None:
    await api.call("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    flags = {"metadata": {"name": "app-flags"}, "data": {"THEME": "dark"}}
    await api.call("POST", f"/api/v1/namespaces/{name}/configmaps", flags)


async def _report(sandbox: Sandbox) -> None:
    """A point of the metric for each database, for ever."""
    async with aiohttp.ClientSession(sandbox.control_url) as session:
        while True:
            for number in range(DATABASES):
                point = {"project": f"bench-{number:02d}", "metric": METRIC, "value": 0.1}
                async with session.post("/points", json=point) as answer:
                    answer.raise_for_status()
            await asyncio.sleep(REPORT_SECONDS)
