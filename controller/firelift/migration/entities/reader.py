"""The reader of a lane of entities: the records of a few entities at a time, by queries for their keys."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

from firelift.migration.entities.order import Cursor, groups, keys, parse, place
from firelift.migration.path_order import order
from firelift.migration.readers import Keep
from firelift.migration.store import Document, FieldPath, Filter, Page, Source, Store
from firelift.migration.work import Batch, Record

QUERIES_AT_ONCE = 8
QUERIES = 64
"""Of one batch. A batch of entities without records ends here, so that the journal says how far the lane is."""

Entities = Callable[[], Awaitable[Sequence[str]]]
"""The entities of a lane in order, always the same ones."""


@dataclass(frozen=True, slots=True)
class ByKey:
    """Asks for records of entities by the field that is their key."""

    store: Store
    source: Source
    key: FieldPath

    async def page(self, group: Sequence[str], after: str | None, limit: int) -> Page:
        """Records of these entities behind the path `after`, in the order of their paths."""
        return await self.store.page(replace(self.of(group), start=after), limit=limit)

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
        found = await self.store.get([path for path in paths if after is None or order(after) < order(path)])
        return Page([document for document in found if isinstance(document, Document)], exhausted=True)


@dataclass(slots=True)
class EntityReader:
    """The records of a lane's entities, group after group, those that `keep` refuses left out.

    The cursor is an `order.Cursor`, the payload a `Document`. `whose` tells a kept record's entity.
    """

    records: ByKey | ById
    entities: Entities
    seed: str
    limit: int
    keep: Keep
    whose: Callable[[Document], str | None]
    _groups: list[list[str]] | None = field(default=None, init=False)

    async def read(self, after: str | None) -> Batch:
        """The records of the next groups, about `limit` of them."""
        if self._groups is None:
            self._groups = list(groups(await self.entities()))
        at, path = self._position(after)
        batch = _Batch()
        while at < len(self._groups) and batch.scanned < self.limit and batch.queries < QUERIES:
            ahead = self._groups[at : at + batch.ahead(self.limit)]
            for group, page in zip(ahead, await self._pages(ahead, path), strict=True):
                self._take(batch, group, page)
                if not page.exhausted:
                    return Batch(batch.records, batch.end, exhausted=False, scanned=batch.scanned)
                at, path = at + 1, None
        return Batch(batch.records, batch.end or after or "", at >= len(self._groups), batch.scanned)

    async def _pages(self, ahead: Sequence[Sequence[str]], path: str | None) -> list[Page]:
        """A page of each group, of the first one behind `path`."""
        starts = [path, *[None] * (len(ahead) - 1)]
        asked = zip(ahead, starts, strict=True)
        return await asyncio.gather(*(self.records.page(group, start, self.limit) for group, start in asked))

    def _take(self, batch: _Batch, group: Sequence[str], page: Page) -> None:
        first, last = group[0], group[-1]
        for document in page.documents:
            # A query for the integer 42 answers the double 42.0 too, which is nobody's key.
            entity = self.whose(document)
            if entity is not None and self.keep(document):
                batch.records.append(Record(Cursor(first, last, document.path).text(), document, entity))
        behind = None if page.exhausted else page.documents[-1].path
        batch.end = Cursor(first, last, behind).text()
        batch.scanned += len(page.documents)
        batch.queries += 1

    def _position(self, after: str | None) -> tuple[int, str | None]:
        """The group that comes next, and the path in it that lies behind."""
        if not after or self._groups is None:
            return 0, None
        cursor = parse(after)
        lasts = [place(self.seed, group[-1]) for group in self._groups]
        at = bisect_left(lasts, place(self.seed, cursor.last))
        return (at + 1, None) if cursor.path is None else (at, cursor.path)


@dataclass(slots=True)
class _Batch:
    """A batch that grows."""

    records: list[Record] = field(default_factory=list)
    end: str = ""
    scanned: int = 0
    queries: int = 0

    def ahead(self, limit: int) -> int:
        """How many groups to ask for at once: as many as will be wanted, going by those that were read."""
        if not self.queries:
            return 1
        average = max(1, self.scanned // self.queries)
        return max(1, min(QUERIES_AT_ONCE, QUERIES - self.queries, (limit - self.scanned) // average))
