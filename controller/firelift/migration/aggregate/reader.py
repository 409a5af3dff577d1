"""The reader of an aggregate: all documents of an entity together, in their groups."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from firelift.migration.aggregate.gather import Gathering
from firelift.migration.aggregate.groups import Group
from firelift.migration.entities.order import Cursor, groups, parse, place
from firelift.migration.entities.reader import QUERIES, Entities
from firelift.migration.path_order import order
from firelift.migration.work import Batch, Record

DOCUMENTS = 2_000
"""About how many are read for one batch; those of one entity are never parted."""


@dataclass(slots=True)
class GroupReader:
    """The groups of a lane's entities whose targets `keep` chooses.

    The cursor is an `order.Cursor` of one entity and a target, the payload a `Group`.
    """

    gathering: Gathering
    entities: Entities
    seed: str
    keep: Callable[[str], bool]
    _asked: list[list[str]] | None = field(default=None, init=False)

    async def read(self, after: str | None) -> Batch:
        """The groups of the next entities."""
        if self._asked is None:
            self._asked = list(groups(await self.entities()))
        cursor = parse(after) if after else None
        at = self._position(self._asked, cursor)
        records: list[Record] = []
        scanned, start, end = 0, at, after or ""
        while at < len(self._asked) and scanned < DOCUMENTS and at - start < QUERIES:
            entities = self._left(self._asked[at], cursor)
            if entities:
                found, read = await self.gathering.some(entities)
                scanned += read
                records += [record for entity, each in found.items() for record in self._records(entity, each, cursor)]
                last = next(reversed(found))
                end = Cursor(last, last, None).text()
                if last != entities[-1]:
                    return Batch(records, end, exhausted=False, scanned=scanned)
            at += 1
        return Batch(records, end, at >= len(self._asked), scanned)

    def _records(self, entity: str, found: Sequence[Group], cursor: Cursor | None) -> list[Record]:
        inside = cursor if cursor and cursor.last == entity else None
        return [
            Record(Cursor(entity, entity, group.target).text(), group, entity)
            for group in found
            if self.keep(group.target) and not (inside and inside.path and order(group.target) <= order(inside.path))
        ]

    def _position(self, asked: Sequence[Sequence[str]], cursor: Cursor | None) -> int:
        if cursor is None:
            return 0
        at = place(self.seed, cursor.last)
        number = bisect_left([place(self.seed, group[-1]) for group in asked], at)
        done = cursor.path is None and number < len(asked) and asked[number][-1] == cursor.last
        return number + 1 if done else number

    def _left(self, entities: Sequence[str], cursor: Cursor | None) -> list[str]:
        """The entities of a group that do not lie behind."""
        if cursor is None:
            return list(entities)
        at = place(self.seed, cursor.last)
        ahead = (each for each in entities if place(self.seed, each) >= at)
        return [each for each in ahead if cursor.path is not None or each != cursor.last]
