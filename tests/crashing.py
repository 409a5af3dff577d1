"""Runs whose worker dies again and again, and begins anew each time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from tests.moving import LEDGER, ran
from tests.virtual_time import VirtualClock

from firelift.api.run import RunControl, RunPlan, RunState
from firelift.migration.errors import StoreError
from firelift.migration.ledger.entries import Entry
from firelift.migration.ledger.journal import Journal
from firelift.migration.ledger.progress import RunProgress
from firelift.migration.ledger.runs import RunStore
from firelift.migration.ledger.seal import seal_run
from firelift.migration.processors.build import build
from firelift.migration.store import Committed, Write
from firelift.migration.worker import Share, work
from firelift.stores.memory import MemoryStore

MOST_WORKERS = 200


class Crash(Exception):
    """The worker's process is gone."""


@dataclass
class Crashes:
    """Before which commits of data, counted from the last crash, the worker dies; a negative number: just after it."""

    store: MemoryStore
    left: list[int]
    count: int = 0

    def __post_init__(self) -> None:
        self.live = self.store.faults.before_commit
        self.store.faults.before_commit = self._before
        self.store.faults.after_commit = self._after

    async def _before(self, writes: Sequence[Write]) -> None:
        if self.live is not None:
            await self.live(writes)
        if self._is_data(writes):
            self.count += 1
            self._die(self.count)

    async def _after(self, writes: Sequence[Write], _: Committed) -> None:
        if self._is_data(writes):
            self._die(-self.count)

    def _die(self, at: int) -> None:
        if self.left and self.left[0] == at:
            self.left.pop(0)
            self.count = 0
            raise Crash

    @staticmethod
    def _is_data(writes: Sequence[Write]) -> bool:
        return any(not write.path.startswith("_firelift/") for write in writes)


async def ran_on(store: MemoryStore, made: RunPlan) -> RunProgress:
    """A run to its end, by as many workers as it takes."""
    while True:
        try:
            return await ran(store, made)
        except Crash:
            continue


async def ran_while_dying(store: MemoryStore, made: RunPlan, every: int) -> RunProgress:
    """A run to its end, by workers of which each dies before its next commit of that number, the ledger's included."""
    commits = 0

    async def dies(_: object) -> None:
        nonlocal commits
        commits += 1
        if commits % every == 0:
            raise StoreError("INTERNAL", "the worker dies here")

    store.faults.before_commit = dies
    for _ in range(MOST_WORKERS):
        with suppress(StoreError):
            await ran(store, made)
            break
    store.faults.before_commit = None
    return await ran(store, made)


async def left_behind(store: MemoryStore, made: RunPlan, entries: int) -> Sequence[Entry]:
    """The seals of a run whose only worker is gone after so many entries, as a later attempt closes it."""
    await RunStore(store, LEDGER).ensure(made, RunControl(state=RunState.RUN, epoch=1, lease_seconds=1_000_000))
    commits = 0

    async def count(writes: Sequence[Write]) -> None:
        nonlocal commits
        commits += any("/firelift_journal/" in write.path for write in writes)
        if commits > entries:
            raise asyncio.CancelledError

    store.faults.before_commit = count
    worker = asyncio.create_task(work(store, Share(LEDGER, made.id, 0, 1), build, clock=VirtualClock()))
    await asyncio.gather(worker, return_exceptions=True)
    store.faults.before_commit = None
    _, seals = await seal_run(Journal(store, LEDGER), made.id)
    return seals
