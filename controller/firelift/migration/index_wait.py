"""Waiting for an index: it is being built for minutes or hours, and nothing else is wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from firelift.migration.errors import IndexNotReady, StoreError
from firelift.migration.ledger.failures import write_waiting
from firelift.migration.store import Store
from firelift.migration.watch import Watch

INDEX_SECONDS = 30.0
"""Between two tries. An index over few documents takes a minute or two, one over many takes hours."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class IndexWait:
    """Bears what an index that is not ready does to a worker. `place`: ledger, run and index of the Job."""

    store: Store
    place: tuple[str, str, int]
    watch: Watch
    say: Callable[[str], None]

    async def through(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do it, and do it again as long as an index keeps it from being done; it must go on from what is committed.

        Raises:
            RunStopped: when the worker must leave.
            StoreError: any other.
        """
        while True:
            try:
                return await work()
            except IndexNotReady as error:
                await self._wait(error)

    async def _wait(self, error: IndexNotReady) -> None:
        why = f"waiting for an index, and asking again every {INDEX_SECONDS:.0f} s: {error.message}"
        self.say(f"run {self.place[1]} is {why}")
        await self.watch.permit()
        # Saying it is for people: the wait is the same where it cannot be said.
        with suppress(StoreError):
            await write_waiting(self.store, *self.place, why)
        await self.watch.pause(INDEX_SECONDS)
