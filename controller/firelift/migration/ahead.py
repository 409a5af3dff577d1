"""Reading ahead: the next batch is on its way while the last one is worked off."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from firelift.migration.bounded import Room
from firelift.migration.clock import Clock
from firelift.migration.ledger.joined import JoinedReader
from firelift.migration.readers import ImageReader, ScanReader
from firelift.migration.work import Batch, Reader

CAN = (ScanReader, ImageReader, JoinedReader)
"""Readers whose next batch follows from the cursor alone, whatever becomes of the batch before."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A batch, and when it arrived: how long its documents have been here."""

    batch: Batch
    at: float


@dataclass(slots=True)
class ReadAhead:
    """One lane's reader, at most one batch ahead, and none where the process has no room for that."""

    reader: Reader
    clock: Clock
    room: Room
    soon: Callable[[int], bool]
    """Whether so many records are worked off before what would come meanwhile is old."""
    _after: str | None = field(default=None, init=False)
    _coming: asyncio.Task[Arrived] | None = field(default=None, init=False)
    _taken: int = field(default=0, init=False)
    """Of the room, for what is coming: as much as the batch before has."""

    async def read(self, after: str | None) -> Arrived:
        """The batch behind a cursor, whose successor is asked for at once."""
        if self._coming is not None and self._after != after:
            await self.drop()
        coming, self._coming = self._coming, None
        self._give_back()
        arrived = await (coming or self._read(after))
        batch = arrived.batch
        ahead = isinstance(self.reader, CAN) and not batch.exhausted and self.soon(len(batch.records))
        if ahead and self.room.take(batch.size):
            self._after, self._taken = batch.end, batch.size
            self._coming = asyncio.create_task(self._read(self._after))
        return arrived

    async def drop(self) -> None:
        """Forget what is coming; its error, if it ends with one, was nobody's."""
        self._give_back()
        coming, self._coming = self._coming, None
        if coming is not None:
            coming.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await coming

    def _give_back(self) -> None:
        self.room.give_back(self._taken)
        self._taken = 0

    async def _read(self, after: str | None) -> Arrived:
        batch = await self.reader.read(after)
        return Arrived(batch, self.clock.seconds())
