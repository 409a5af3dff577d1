"""The reader of a lane of entities: the records of a few entities at a time, by queries for their keys."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile

from firelift.migration.bounded import READ_BYTES, get_some, weight
from firelift.migration.entities.order import Cursor, Place, groups, keys, parse, place
from firelift.migration.path_order import order
from firelift.migration.readers import Keep, Limit
from firelift.migration.store import Document, FieldPath, Filter, Page, Source, Store
from firelift.migration.work import Batch, Record

QUERIES_AT_ONCE = 8
QUERIES = 64
"""Of one batch. A batch of entities without records ends here, so that the journal says how far the lane is."""

Entities = Callable[[], Awaitable[Sequence[str]]]
"""The entities of a lane in order, always the same ones."""


@dataclass(frozen=True, slots=True)
class EntityDone:
    """The payload of the record behind the last one of an entity. It has no path: it stands for no document."""

    entity: str
    path: str = ""


@dataclass(frozen=True, slots=True)
class ByKey:
    """Asks for records of entities by the field that is their key."""

    store: Store
    source: Source
    key: FieldPath

    async def page(
        self, group: Sequence[str], after: str | None, limit: int, mask: Sequence[FieldPath] | None = None
    ) -> Page:
        """Records of these entities behind the path `after`, in the order of their paths."""
        return await self.store.page(replace(self.of(group), start=after), limit=limit, mask=mask)

    def of(self, group: Sequence[str]) -> Source:
        """The records of these entities as a source."""
        values = [self.store.values.encode(value) for entity in group for value in keys(entity)]
        return replace(self.source, where=(*self.source.where, Filter(self.key, values)))


@dataclass(frozen=True, slots=True)
class ById:
    """Reads the records of a collection whose ids are their entities' own."""

    store: Store
    source: Source

    async def page(self, group: Sequence[str], after: str | None, limit: int) -> Page:  # noqa: ARG002 - a group has at most one record of each entity
        """As `ByKey.page`."""
        paths = sorted((f"{self.source.collection}/{entity}" for entity in group if "/" not in entity), key=order)
        left = [path for path in paths if after is None or order(after) < order(path)]
        found = await get_some(self.store, left)
        there = [document for document in found if isinstance(document, Document)]
        return Page(there, exhausted=len(found) == len(left), size=weight(self.store.values, there))


@dataclass(slots=True)
class EntityReader:
    """The records of a lane's entities, group after group, those that `keep` refuses left out.

    The cursor is an `order.Cursor`, the payload a `Document`. `whose` tells a kept record's entity. With `marks` a
    record with the payload `EntityDone` follows behind the records of each entity.
    """

    records: ByKey | ById
    entities: Entities
    seed: str
    limit: Limit
    keep: Keep
    whose: Callable[[Document], str | None]
    marks: bool = False
    _groups: list[list[str]] | None = field(default=None, init=False)
    _lasts: list[Place] = field(default_factory=list, init=False)

    async def read(self, after: str | None) -> Batch:
        """The records of the next groups, about `limit` of them."""
        if self._groups is None:
            self._groups = list(groups(await self.entities()))
            self._lasts = [place(self.seed, group[-1]) for group in self._groups]
        cursor = parse(after) if after else None
        batch = _Batch(self.marks, owed=cursor.owed if cursor else None)
        at, path = self._position(cursor)
        if cursor and cursor.path is None and cursor.owed:
            batch.mark(self._groups[:at], self.seed, cursor.marked)
        whole = await self._read(batch, self._groups, at, path)
        return Batch(batch.records, batch.end or after or "", whole >= len(self._groups), batch.scanned)

    async def _read(self, batch: _Batch, all_groups: list[list[str]], at: int, path: str | None) -> int:
        """Read from a group on, behind a path in it, and answer the group that comes next."""
        limit = self.limit()
        while at < len(all_groups) and batch.has_room(limit):
            ahead = all_groups[at : at + batch.ahead(limit)]
            for group, page in zip(ahead, await self._pages(ahead, path, limit), strict=True):
                if not page.exhausted:
                    batch.mark(all_groups[:at], self.seed)
                    self._take(batch, group, page)
                    return at
                self._take(batch, group, page)
                if path is None:
                    batch.whole.append(len(page.documents))
                at, path = at + 1, None
        batch.mark(all_groups[:at], self.seed)
        return at

    async def _pages(self, ahead: Sequence[Sequence[str]], path: str | None, limit: int) -> list[Page]:
        """A page of each group, of the first one behind `path`."""
        starts = [path, *[None] * (len(ahead) - 1)]
        asked = zip(ahead, starts, strict=True)
        return await asyncio.gather(*(self.records.page(group, start, limit) for group, start in asked))

    def _take(self, batch: _Batch, group: Sequence[str], page: Page) -> None:
        batch.begin(group)
        for document in page.documents:
            # A query for the integer 42 answers the double 42.0 too, which is nobody's key.
            entity = self.whose(document)
            if entity is not None and self.keep(document):
                batch.records.append(Record(batch.cursor(document.path).text(), document, entity))
        batch.end = batch.cursor(None if page.exhausted else page.documents[-1].path).text()
        batch.scanned += len(page.documents)
        batch.size += page.size
        batch.queries += 1

    def _position(self, cursor: Cursor | None) -> tuple[int, str | None]:
        """The group that comes next, and the path in it that lies behind."""
        if cursor is None:
            return 0, None
        at = bisect_left(self._lasts, place(self.seed, cursor.last))
        return (at + 1, None) if cursor.path is None else (at, cursor.path)


@dataclass(slots=True)
class _Batch:
    """A batch that grows. `owed` is the first entity whose records lie behind and whose marker does not."""

    marks: bool
    owed: str | None
    records: list[Record] = field(default_factory=list)
    end: str = ""
    scanned: int = 0
    queries: int = 0
    whole: list[int] = field(default_factory=list)
    """The records of each group that has all of them in it: the last ones of a group tell nothing of other groups."""
    size: int = 0
    group: Sequence[str] = ()

    def begin(self, group: Sequence[str]) -> None:
        """The next records are of this group."""
        self.group = group
        if self.marks and self.owed is None:
            self.owed = group[0]

    def cursor(self, path: str | None, marked: str | None = None) -> Cursor:
        """Behind a path of the present group, or behind all of it."""
        return Cursor(self.group[0], self.group[-1], path, self.owed, marked)

    def mark(self, behind: Sequence[Sequence[str]], seed: str, marked: str | None = None) -> None:
        """Mark the entities of the groups that lie behind, from the one that is owed on; of these behind `marked`."""
        if self.owed is None or not behind or place(seed, behind[-1][-1]) < place(seed, self.owed):
            return
        self.group, first = behind[-1], place(seed, self.owed)
        unmarked = list(takewhile(lambda group: place(seed, group[-1]) >= first, reversed(behind)))
        for entity in (entity for group in reversed(unmarked) for entity in group):
            at = place(seed, entity)
            if at >= first and (marked is None or at > place(seed, marked)):
                self.end = self.cursor(None, entity).text()
                self.records.append(Record(self.end, EntityDone(entity), entity))
        self.owed = None

    def has_room(self, limit: int) -> bool:
        """Whether another group may follow."""
        return self.scanned < limit and self.queries < QUERIES and self.size < READ_BYTES

    def ahead(self, limit: int) -> int:
        """How many groups to ask for at once: as many as will be wanted, going by those that were read.

        What is asked for and has no room is paid for, and read once more.
        """
        if not self.whole:
            return 1
        wanted = (limit - self.scanned) // max(1, sum(self.whole) // len(self.whole))
        fitting = (READ_BYTES - self.size) // max(1, self.size // self.queries)
        return max(1, min(QUERIES_AT_ONCE, QUERIES - self.queries, wanted, fitting))
