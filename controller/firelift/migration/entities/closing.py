"""The closing scan: records that no lane of entities has read, because nobody has listed whose they are."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from firelift.migration.entities.packed import PackedEntities
from firelift.migration.readers import ScanReader
from firelift.migration.store import Document
from firelift.migration.work import Batch

Listed = Callable[[], Awaitable[PackedEntities]]


@dataclass(slots=True)
class ListedOnce:
    """The listed entities of a worker's run, read by the first lane that asks and shared by all of them."""

    _found: PackedEntities | None = field(default=None, init=False)
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def of(self, read: Listed) -> PackedEntities:
        """What `read` answers, asked for once.

        Raises:
            StoreError: when it cannot be read; the next one asks again.
        """
        async with self._one_at_a_time:
            if self._found is None:
                self._found = await read()
            return self._found


@dataclass(slots=True)
class ClosingReader:
    """A scan that leaves out the records of listed entities. `whose` tells a record's entity."""

    scan: ScanReader
    listed: Listed
    whose: Callable[[Document], str | None]
    _ready: ScanReader | None = field(default=None, init=False)

    async def read(self, after: str | None) -> Batch:
        """As `ScanReader.read`."""
        if self._ready is None:
            listed, kept, whose = await self.listed(), self.scan.keep, self.whose

            def keep(document: Document) -> bool:
                if not kept(document):
                    return False
                entity = whose(document)
                return entity is None or entity not in listed

            self._ready = replace(self.scan, keep=keep)
        return await self._ready.read(after)
