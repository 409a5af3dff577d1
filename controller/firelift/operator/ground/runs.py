"""What Terraform does at this moment for each environment, and how it has ended. It all ends with this process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import structlog
from prometheus_client import Histogram

from firelift.environment.observation import Outcome, RunFailed, RunSeen
from firelift.operator.wakeups import Key


@dataclass(frozen=True, slots=True)
class _Started:
    run: str
    task: asyncio.Task[Outcome]


class Runs:
    """At most one run for each environment. Use it in one event loop."""

    def __init__(self, poke: Callable[[Key], None], log: structlog.stdlib.BoundLogger, seconds: Histogram) -> None:
        self._poke = poke
        self._seconds = seconds
        self._log = log
        self._started: dict[Key, _Started] = {}

    def start(self, key: Key, run: str, work: Callable[[], Coroutine[Any, Any, Outcome]]) -> None:
        """Begin this run, unless it was begun already; its end wakes the environment."""
        known = self._started.get(key)
        if known is not None and (known.run == run or not known.task.done()):
            return
        task = asyncio.create_task(self._guarded(key, run, work), name=f"{key} {run}")
        self._started[key] = _Started(run, task)
        task.add_done_callback(lambda _: self._poke(key))

    def seen(self, key: Key, run: str) -> RunSeen:
        """How far the run is; neither running nor an outcome when this process has not begun it."""
        known = self._started.get(key)
        if known is None or known.run != run:
            return RunSeen(run)
        if not known.task.done():
            return RunSeen(run, running=True)
        return RunSeen(run, outcome=_outcome(known.task))

    def forget(self, key: Key, run: str) -> None:
        """Keep nothing of runs that have ended but of this one: a plan's document is large."""
        known = self._started.get(key)
        if known is not None and known.run != run and known.task.done():
            del self._started[key]

    async def stop(self) -> None:
        """End them all: each is interrupted, writes its state and releases its lock."""
        tasks = [started.task for started in self._started.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _guarded(self, key: Key, run: str, work: Callable[[], Coroutine[Any, Any, Outcome]]) -> Outcome:
        log = self._log.bind(environment=str(key), run=run)
        begun = time.monotonic()
        outcome = await self._outcome(run, work, log)
        seconds = time.monotonic() - begun
        self._seconds.labels(run.partition("-")[0], type(outcome).__name__).observe(seconds)
        told = {"outcome": type(outcome).__name__, "message": getattr(outcome, "message", "")}
        log.info("run ended", seconds=round(seconds, 3), **told)
        return outcome

    @staticmethod
    async def _outcome(
        run: str, work: Callable[[], Coroutine[Any, Any, Outcome]], log: structlog.stdlib.BoundLogger
    ) -> Outcome:
        try:
            return await work()
        except Exception as error:  # whatever it is, the environment says it and tries again
            log.exception("run failed")
            return RunFailed(f"{run} ended by {type(error).__name__}: {error}")


def _outcome(task: asyncio.Task[Outcome]) -> Outcome:
    return RunFailed("it was stopped", interrupted=True) if task.cancelled() else task.result()
