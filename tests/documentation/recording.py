"""The operator's own metrics over a whole `make demo`, scraped as Prometheus would, and asked by its own engine."""

from __future__ import annotations

import json
import subprocess
import threading
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import click
from prometheus_client.parser import text_string_to_metric_families
from tests.documentation.generated import ROOT

from firelift.sandbox.builds import GoBuild, built_once
from firelift.sandbox.demo.__main__ import play
from firelift.sandbox.ports import free_port
from firelift.sandbox.processes import Process
from firelift.sandbox.sandbox import Sandbox

EVERY_SECONDS = 2.0
_TOOL = ROOT / "tools" / "promql"
_TIMEOUT_SECONDS = 120
_Key = tuple[tuple[str, str], ...]


@dataclass
class Recording:
    """Each series by its labels, as points of milliseconds and value; None: it is not there any more."""

    series: dict[_Key, list[tuple[int, float | None]]] = field(default_factory=dict)
    present: set[_Key] = field(default_factory=set)
    times: list[int] = field(default_factory=list)

    def add(self, at: int, text: str) -> None:
        """One scrape; an empty text is one that nobody answered."""
        found = {
            tuple(sorted({"__name__": sample.name, **sample.labels}.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }
        for key in self.present - found.keys():
            self.series[key].append((at, None))
        for key, value in found.items():
            self.series.setdefault(key, []).append((at, value))
        self.present = set(found)
        self.times.append(at)

    def ask(self, queries: list[str], step_seconds: int) -> list[list[dict[str, Any]]]:
        """The matrix of each query over the whole recording."""
        question = {
            "series": [{"labels": dict(key), "points": points} for key, points in self.series.items()],
            "queries": queries,
            "from": self.times[0],
            "to": self.times[-1],
            "step": step_seconds * 1000,
        }
        told = subprocess.run(
            [_promql()],
            input=json.dumps(question),
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_SECONDS,
            check=True,
        )
        answer: list[list[dict[str, Any]]] = json.loads(told.stdout)
        return answer


def record() -> Recording:
    """Play the demonstration on a sandbox, and scrape whichever operator leads."""
    recording, ended = Recording(), threading.Event()
    with _Observed() as sandbox:
        scraper = threading.Thread(target=_scrape, args=(sandbox.port, recording, ended))
        scraper.start()
        try:
            checks = play(sandbox)
        finally:
            ended.set()
            scraper.join()
    click.echo(f"{sum(check.holds for check in checks)} of {len(checks)} checks of the demo hold")
    return recording


class _Observed(Sandbox):
    """A sandbox whose operators all serve their metrics on one port, one after the other."""

    def __init__(self) -> None:
        super().__init__()
        self.port = free_port()

    def start_operator(self, name: str = "operator", environment: Mapping[str, str] | None = None) -> Process:
        return super().start_operator(name, {"FIRELIFT_HEALTH_PORT": str(self.port), **(environment or {})})


def _scrape(port: int, recording: Recording, ended: threading.Event) -> None:
    while not ended.wait(EVERY_SECONDS):
        at = time.time_ns() // 1_000_000
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=EVERY_SECONDS) as answer:
                text = answer.read().decode()
        except OSError:
            text = ""
        recording.add(at, text)


def _promql() -> str:
    sources = tuple(_TOOL / name for name in ("go.mod", "go.sum", "main.go"))
    build = GoBuild(
        name="promql",
        makes="promql",
        takes="2 to 5 minutes",
        module=_TOOL,
        sources=sources,
        arguments=("install", "-trimpath", "-ldflags", "-s -w", "."),
        without_checkout="look at the picture as it is",
    )
    return str(built_once(build, lambda _: None) / "promql")
