"""Readers of records whose entities may be written only so often: who has used up its minute waits, others go on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from firelift.migration.clock import Pause
from firelift.migration.entities.open_entities import Opened, OpenEntities
from firelift.migration.entities.pace import EntityPace
from firelift.migration.entities.reader import QUERIES_AT_ONCE, ById, ByKey, EntityDone
from firelift.migration.readers import Keep
from firelift.migration.store import Document, Page
from firelift.migration.work import Batch, Reader, Record

UNPACED = 100
"""Records of an entity that are read at a time where no pace is kept any more."""


@dataclass(slots=True)
class PacedReader:
    """The records of a lane's entities, of each entity in the order of paths, as many as it may be written now.

    The cursor is an `OpenCursor`; it goes on from the cursor of an `EntityReader` too. `one_by_one`: a record may
    become several documents, so that just one of an entity is read at a time. `whose` tells a record's entity.
    """

    records: ByKey | ById
    entities: OpenEntities
    keep: Keep
    whose: Callable[[Document], str | None]
    one_by_one: bool = False
    marks: bool = False

    async def read(self, after: str | None) -> Batch:
        """Records of those open entities that may be written now; waits until there is one."""
        batch = await self.entities.opened(after)
        reading = batch.reading
        if not reading:
            return Batch((), after or "", exhausted=True)
        ready = await self.entities.ready(reading)
        for start in range(0, len(ready), QUERIES_AT_ONCE):
            some = ready[start : start + QUERIES_AT_ONCE]
            for entity, page in zip(
                some, await asyncio.gather(*(self._page(each, reading) for each in some)), strict=True
            ):
                self._take(batch, entity, page)
        return batch.batch(behind=self.entities.end)

    async def _page(self, entity: str, reading: dict[str, str | None]) -> Page:
        return await self.records.page([entity], reading[entity], self._most(entity))

    def _most(self, entity: str) -> int:
        pace = self.entities.pace
        left = pace.left(entity) if pace is not None else UNPACED
        return min(1, left) if self.one_by_one else left

    def _take(self, batch: Opened, entity: str, page: Page) -> None:
        for document in page.documents:
            batch.reading[entity] = document.path
            # A query for the integer 42 answers the double 42.0 too, which is nobody's key.
            if self.whose(document) is not None and self.keep(document):
                batch.records.append(Record(batch.cursor(), document, entity))
        batch.scanned += len(page.documents)
        # A marker that there is no room for comes with the next look, which finds no more records.
        if page.exhausted and not (self.marks and len(page.documents) == self._most(entity)):
            del batch.reading[entity]
            if self.marks:
                batch.records.append(Record(batch.cursor(), EntityDone(entity), entity))


@dataclass(slots=True)
class PacedScan:
    """A scan whose records' entities may be written only so often: it stops in front of one that has to wait.

    For records that no list of entities leads to; its lane is the only one of its run.
    """

    scan: Reader
    whose: Callable[[Record], str | None]
    pace: EntityPace
    sleep: Pause
    one_by_one: bool = False
    _ahead: Batch | None = field(default=None, init=False)
    _at: str | None = field(default=None, init=False)

    async def read(self, after: str | None) -> Batch:
        """The next records up to the first one that has to wait; waits where that is the very first."""
        if self._ahead is None or self._at != after:
            self._ahead = await self.scan.read(after)
        batch = self._ahead
        records = [replace(record, entity=self.whose(record)) for record in batch.records]
        if records and (first := records[0].entity) is not None and not self.pace.left(first):
            await self.sleep(self.pace.wait([first]))
        count = self._allowed(records)
        left = batch.records[count:]
        if not left:
            self._ahead = None
            return replace(batch, records=records)
        # What the scan has left out is counted with its last records.
        self._ahead, self._at = replace(batch, records=left, scanned=batch.scanned - count), records[count - 1].cursor
        return Batch(records[:count], records[count - 1].cursor, exhausted=False, scanned=count)

    def _allowed(self, records: Sequence[Record]) -> int:
        """How many leading records may be written now, at least one where there is any."""
        taken: dict[str, int] = {}
        for count, entity in enumerate(record.entity for record in records):
            if entity is None:
                continue
            most = min(1, self.pace.left(entity)) if self.one_by_one else self.pace.left(entity)
            if count and taken.get(entity, 0) >= most:
                return count
            taken[entity] = taken.get(entity, 0) + 1
        return len(records)
