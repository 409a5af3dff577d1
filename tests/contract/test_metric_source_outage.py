"""A provider that freezes, dies and comes back, as a metric source sees it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.contract.time_series import WINDOW, Reporter, official_client

from firelift.api.gates import CloudMonitoringQuery, SeriesQuery
from firelift.metrics.cloud_monitoring import CloudMonitoring

QUERY = CloudMonitoringQuery(query=SeriesQuery(filter='metric.type = "custom.googleapis.com/level"'))


class Process:
    """The stand-in as a process, on a port that it keeps."""

    def __init__(self, directory: Path) -> None:
        self.ready_file = directory / "ready.json"
        self.port = 0

    def start(self) -> None:
        self.ready_file.unlink(missing_ok=True)
        command = [sys.executable, "-m", "firelift.sandbox.google", f"--port={self.port}", "--ready-file"]
        self.process = subprocess.Popen([*command, str(self.ready_file)])
        deadline = time.monotonic() + 60
        while not self.ready_file.exists():
            assert self.process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        self.endpoint: str = json.loads(self.ready_file.read_text())["monitoring"]
        self.port = int(self.endpoint.rpartition(":")[2])

    def send(self, number: signal.Signals) -> None:
        os.kill(self.process.pid, number)

    def end(self) -> None:
        self.process.kill()
        self.process.wait(30)


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    started = Process(tmp_path)
    started.start()
    yield started
    started.end()


async def report(endpoint: str, project: str) -> None:
    async with official_client(endpoint) as client:
        reporter = Reporter(client)
        reporter.project = project
        await reporter.gauge("level", {2: {"double_value": 9.0}})


async def test_a_frozen_provider_is_an_error_until_it_thaws(process: Process) -> None:
    await report(process.endpoint, "shop")

    async with CloudMonitoring(process.endpoint, deadline_seconds=1) as source:
        process.send(signal.SIGSTOP)
        frozen = await source.measure(QUERY, WINDOW, project="shop")
        process.send(signal.SIGCONT)
        async with asyncio.timeout(30):
            while (thawed := await source.measure(QUERY, WINDOW, project="shop")).error:
                continue

    assert (frozen.value, frozen.samples) == (None, 0)
    assert "no answer within 1 s" in (frozen.error or "") or "DEADLINE_EXCEEDED" in (frozen.error or "")
    assert thawed.value == 9.0


async def test_a_provider_that_comes_back_without_the_metric_is_never_a_zero(process: Process) -> None:
    await report(process.endpoint, "shop")

    async with CloudMonitoring(process.endpoint, deadline_seconds=1) as source:
        before = await source.measure(QUERY, WINDOW, project="shop")
        process.end()
        gone = await source.measure(QUERY, WINDOW, project="shop")
        process.start()
        await report(process.endpoint, "elsewhere")
        async with asyncio.timeout(30):
            while not (back := await source.measure(QUERY, WINDOW, project="shop")).absent:  # noqa: ASYNC110 - what is waited for is in another process
                await asyncio.sleep(0.05)

    assert (before.value, before.error) == (9.0, None)
    assert gone.value is None
    assert gone.error is not None
    assert back.value is None
