"""What on-call would see: the object's row of `kubectl get`, one line for each change."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import click

from firelift.sandbox.sandbox import Sandbox

Status = Mapping[str, Any]
PERIOD = 0.3
PROGRESS_PERIOD = 2.0
COLUMNS = {"phase": 13, "step": 10, "gatesSummary": 15, "reason": 18}
GROUND_COLUMNS = {"planSummary": 10, "indexesSummary": 13, "driftSummary": 24, "reason": 18}


class TimedOutError(RuntimeError):
    """An object did not get where the demonstration expected it."""


class Watch:
    """Follows one rollout or environment, prints its changes, and calls back on them."""

    def __init__(self, sandbox: Sandbox, namespace: str, name: str, kind: str = "migrationrollout") -> None:
        self._sandbox = sandbox
        self._namespace = namespace
        self._name = name
        self._kind = kind
        self._columns = COLUMNS if kind == "migrationrollout" else GROUND_COLUMNS
        self._row = ""
        self._progress = ""
        self._shown = 0.0
        self._started = time.monotonic()

    def status(self) -> Status:
        """The status now; empty while there is none."""
        arguments = ("get", self._kind, self._name, "-n", self._namespace, "-o", "json")
        status: Status = json.loads(self._sandbox.kubectl(*arguments)).get("status", {})
        return status

    def until(self, reached: Callable[[Status], bool], *, seconds: float) -> Status:
        """Print each change until `reached` says so.

        Raises:
            TimedOutError: with the last row and message.
        """
        deadline = time.monotonic() + seconds
        while True:
            status = self.status()
            self._show(status)
            if reached(status):
                return status
            if time.monotonic() > deadline:
                raise TimedOutError(f"{self._name} after {seconds:g} s: {self._row}: {status.get('message', '')}")
            time.sleep(PERIOD)

    def _show(self, status: Status) -> None:
        """A line for each change of place, gates or reason, and now and then one for progress."""
        row = "  ".join(f"{status.get(column) or '-':<{width}}" for column, width in self._columns.items()).rstrip()
        seconds = time.monotonic() - self._started
        moved = status.get("progress", "") != self._progress and seconds > self._shown + PROGRESS_PERIOD
        if row == self._row and not moved:
            return
        self._row, self._progress, self._shown = row, status.get("progress", ""), seconds
        words = " · ".join(filter(None, (self._progress, status.get("message", ""))))
        click.echo(f"  {seconds:6.1f}s  {row}  {click.style(words, dim=True)}")


def reason_is(*reasons: str) -> Callable[[Status], bool]:
    """Whether the status has one of these reasons."""
    return lambda status: status.get("reason") in reasons


def at(phase: str, step: str) -> Callable[[Status], bool]:
    """Whether the status stands at this step."""
    return lambda status: (status.get("phase"), status.get("step")) == (phase, step)
