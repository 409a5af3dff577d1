"""The three scenes: a rollout to the end, a rollout that takes itself back, and processes that die in between."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable

import click

from firelift.sandbox.demo import manifests
from firelift.sandbox.demo.checks import Check
from firelift.sandbox.demo.people import People
from firelift.sandbox.demo.watch import PERIOD, Status, TimedOutError, at, reason_is
from firelift.sandbox.marks import find
from firelift.sandbox.sandbox import Sandbox

ENDED = reason_is(
    "Completed", "Reverted", "RevertedWithConflicts", "RevertFailed", "GateFailed", "StepFailed", "Aborted"
)
LIMIT_SECONDS = 240.0


class Scenes:
    """Plays the scenes on a sandbox, and remembers what the checks ask for."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._people = People(sandbox)
        self._operator = sandbox.start_operator()
        self._killed: list[str] = []

    def move(self) -> Check:
        """Fitness logs through 1, 10, 50 and 100 %, with an approval, and with kills at 50 %."""
        watch = self._people.apply(manifests.on_ground(manifests.logs_to_users()))
        if not ENDED(watch.until(_either(at("fifty-percent", "migrate"), ENDED), seconds=LIMIT_SECONDS)):
            self._kill_both()
        status = watch.until(_either(reason_is("AwaitingApproval"), ENDED), seconds=LIMIT_SECONDS)
        if not ENDED(status):
            digest = status.get("approval", {}).get("digest", "")
            self._people.approve(manifests.LOGS, digest, "half of our users for a while, and no complaint")
        status = watch.until(ENDED, seconds=LIMIT_SECONDS)
        return Check(
            f"{manifests.LOGS}: all phases done", status.get("reason") == "Completed", status.get("message", "")
        )

    def take_back(self) -> list[Check]:
        """Tasks in place, until the app's errors break the gate at 50 %."""
        watch = self._people.apply(manifests.tasks_reshaped())
        status = watch.until(ENDED, seconds=LIMIT_SECONDS)
        breach = _breach(status)
        return [
            Check(
                f"{manifests.TASKS}: reverted and verified",
                status.get("reason") == "Reverted",
                status.get("message", ""),
            ),
            Check(f"{manifests.TASKS}: said why, with both numbers", "%" in breach and "> 1" in breach, breach),
        ]

    def own_keys(self) -> Check:
        """The ConfigMap after everything: the team's own key, the published cohorts of the first rollout, no more."""
        found = json.loads(self._people.kubectl("get", "configmap", "app-flags", "-o", "json"))["data"]
        seed = f"{manifests.NAMESPACE}.{manifests.LOGS}"
        keys = ("LOGS_WRITE_BOTH", "LOGS_READ_NEW")
        expected = {"THEME": "dark"} | dict.fromkeys(keys, "100") | {f"{key}_SEED": seed for key in keys}
        return Check(
            "flags: the reverted rollout's are gone, the others as they should be", found == expected, str(found)
        )

    def _kill_both(self) -> None:
        """Kill a worker as soon as one runs, and the operator; then start the operator anew."""
        worker = self._worker()
        os.kill(worker, signal.SIGKILL)
        self._operator.kill()
        self._killed += [f"worker {worker}", f"operator {self._operator.pid}"]
        click.secho(f"$ kill -9 {worker} {self._operator.pid}   # a worker and the operator", fg="red", bold=True)
        self._operator = self._sandbox.start_operator("operator-again")

    def _worker(self) -> int:
        deadline = time.monotonic() + LIMIT_SECONDS
        while not (workers := find("FIRELIFT_LEDGER", f"{manifests.NAMESPACE}.{manifests.LOGS}")):
            if time.monotonic() > deadline:
                raise TimedOutError(f"no worker of {manifests.LOGS} ran within {LIMIT_SECONDS:g} s")
            time.sleep(PERIOD)
        return workers[0]

    def killed(self) -> Check:
        """Both kinds of process died by kill -9 in mid-phase, and the outcome above is what it would have been."""
        expected = 2
        return Check(
            "a worker and the operator were killed in mid-phase", len(self._killed) == expected, ", ".join(self._killed)
        )


def _either(*reached: Callable[[Status], bool]) -> Callable[[Status], bool]:
    return lambda status: any(one(status) for one in reached)


def _breach(status: Status) -> str:
    """The sentence of the gate that broke, from the history."""
    return next((entry["message"] for entry in status.get("history", ()) if "gate error-rate" in entry["message"]), "")
