"""Worker processes that are killed at random moments and started again, until their runs are done."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from typing import NoReturn

from firelift.migration.exit_codes import ExitCode
from firelift.worker.__main__ import main

KILLED = -9
SECONDS = 120
FROZEN, FROZEN_SECONDS = 0.1, (0.2, 1.5)
NURSERY = get_context("forkserver")
"""Forks workers from a process that has imported everything: a worker's own start would take longer than its life."""


def be_worker(environment: Mapping[str, str]) -> NoReturn:
    """What a Job's pod runs, in a process of its own."""
    os.environ.update(environment)
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123 - a file descriptor for the process's own standard error
        os.dup2(nowhere.fileno(), sys.stderr.fileno())
    sys.exit(main())


@dataclass
class Place:
    """One worker of a run, alive again after each death until it leaves with 0."""

    environment: Mapping[str, str]
    process: ForkServerProcess | None = None
    done: bool = False
    ends: list[int] = field(default_factory=list)

    def tend(self) -> None:
        """Start the worker when there is none, and note how the last one ended."""
        if self.process is not None and self.process.exitcode is not None:
            self.ends.append(self.process.exitcode)
            self.done = self.process.exitcode == ExitCode.DONE
            self.process = None
        if self.process is None and not self.done:
            self.process = NURSERY.Process(target=be_worker, args=(self.environment,), daemon=True)
            self.process.start()

    @property
    def alive(self) -> bool:
        """Whether there is somebody to kill."""
        return self.process is not None and self.process.exitcode is None


@dataclass
class Herd:
    """All places; `kills` of their processes die within `mean_seconds` of each other, on average.

    Some others are frozen for a moment, in which their rivals go on: each of them wakes up as a zombie.
    """

    chance: random.Random
    kills: int
    mean_seconds: float
    killed: int = 0
    frozen: int = 0
    _asleep: list[tuple[float, ForkServerProcess]] = field(default_factory=list)

    async def work(self, places: Sequence[Place]) -> None:
        """Until each place is done; the kills that are not used up are left for the next work."""
        clock = asyncio.get_running_loop().time
        due = clock() + self._wait()
        try:
            async with asyncio.timeout(SECONDS):
                while not all(place.done for place in places):
                    for place in places:
                        place.tend()
                    self._wake(clock())
                    if clock() >= due and self.killed < self.kills:
                        self._strike([place for place in places if place.alive], clock())
                        due = clock() + self._wait()
                    await asyncio.sleep(0.01)
        finally:
            _end(places)

    def _strike(self, places: Sequence[Place], now: float) -> None:
        process = self.chance.choice(places).process if places else None
        if process is None or process.pid is None:
            return
        if self.chance.random() < FROZEN:
            os.kill(process.pid, signal.SIGSTOP)
            self._asleep.append((now + self.chance.uniform(*FROZEN_SECONDS), process))
            self.frozen += 1
        else:
            process.kill()
            self.killed += 1

    def _wake(self, now: float) -> None:
        for each in [each for each in self._asleep if each[0] <= now]:
            self._asleep.remove(each)
            if each[1].pid is not None and each[1].exitcode is None:
                os.kill(each[1].pid, signal.SIGCONT)

    def _wait(self) -> float:
        return self.chance.expovariate(1 / self.mean_seconds)


def _end(places: Sequence[Place]) -> None:
    for process in (place.process for place in places if place.process):
        process.kill()
        process.join()
