"""`kill -9` of the operator and of workers, at moments that a seed decides and nothing else."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress

from firelift.sandbox.marks import find

OPERATOR, WORKER = "operator", "worker"
RETRY_SECONDS = 1.0


class Killer:
    """Kills when the time for the next kill has come. `tick` is called often, and never waits."""

    def __init__(self, seed: int, kills: int, ledgers: Sequence[str], restart_operator: Callable[[], None]) -> None:
        self._random = random.Random(seed)  # noqa: S311 - moments that can be repeated, not a secret
        self._kills = kills
        self._ledgers = ledgers
        self._restart_operator = restart_operator
        self._started = time.monotonic()
        self.done: Counter[str] = Counter()
        self.told: list[str] = []
        self._due, self._target = self._next(1.0)

    @property
    def count(self) -> int:
        """The kills so far."""
        return self.done.total()

    def tick(self, moment: str, *, share: float, mean_seconds: float) -> None:
        """Kill, if it is time and no more than this share of all kills is done; `moment` is told of it."""
        if time.monotonic() < self._due or self.count >= round(self._kills * share):
            return
        if self._target == OPERATOR:
            self._restart_operator()
        elif not self._kill_worker():
            self._due = time.monotonic() + self._random.uniform(0, RETRY_SECONDS)
            return
        self.done[self._target] += 1
        self.told.append(f"{time.monotonic() - self._started:6.1f} s  {self._target:<8}  {moment}")
        self._due, self._target = self._next(mean_seconds)

    def _next(self, mean_seconds: float) -> tuple[float, str]:
        due = time.monotonic() + self._random.uniform(0, 2 * mean_seconds)
        return due, self._random.choice((OPERATOR, WORKER))

    def _kill_worker(self) -> bool:
        pids = [pid for ledger in self._ledgers for pid in find("FIRELIFT_LEDGER", ledger)]
        if not pids:
            return False
        with suppress(ProcessLookupError):
            os.kill(self._random.choice(sorted(pids)), signal.SIGKILL)
            return True
        return False
