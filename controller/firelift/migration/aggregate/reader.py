"""The reader of an aggregate: all documents of an entity together, in their groups."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from firelift.migration.aggregate.groups import Aggregation, Group
from firelift.migration.aggregate.history import EntityHistory
from firelift.migration.entities.order import Cursor, groups, parse, place
from firelift.migration.entities.reader import QUERIES, ByKey, Entities
from firelift.migration.entities.whose import Whose
from firelift.migration.path_order import order
from firelift.migration.store import Document
from firelift.migration.work import Batch, Record

PAGE = 5_000
DOCUMENTS = 2_000
"""About how many one batch has; those of one entity are never parted."""


@dataclass(frozen=True, slots=True)
class Gathering:
    """All documents of entities. `history` adds the groups that have none any more, where they matter."""

    records: ByKey
    whose: Whose
    aggregation: Aggregation
    history: EntityHistory | None

    async def documents(self, entities: Sequence[str]) -> dict[str, list[Document]]:
        """The documents of some entities, each of them there."""
        found: dict[str, list[Document]] = {entity: [] for entity in entities}
        after: str | None = None
        while True:
            page = await self.records.page(entities, after, PAGE)
            for document in page.documents:
                entity = self.whose.entity(document)
                if entity in found:
                    found[entity].append(document)
            if page.exhausted or not page.documents:
                return found
            after = page.documents[-1].path

    async def groups(self, entity: str, documents: Sequence[Document]) -> list[Group]:
        """The groups of an entity in the order of their targets, those that were and are empty now among them."""
        made = self.aggregation.groups(entity, documents)
        if self.history is None:
            return made
        there = {group.target for group in made}
        written = (await self.history.of(entity)).items()
        empty = [Group(entity, target) for target, ours in written if target not in there and not ours.gone]
        return sorted((*made, *empty), key=lambda group: order(group.target))


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
            for entity, documents in (await self.gathering.documents(entities)).items():
                scanned += len(documents)
                records += await self._records(entity, documents, cursor)
                end = Cursor(entity, entity, None).text()
            at += 1
        return Batch(records, end, at >= len(self._asked), scanned)

    async def _records(self, entity: str, documents: Sequence[Document], cursor: Cursor | None) -> list[Record]:
        inside = cursor if cursor and cursor.last == entity else None
        return [
            Record(Cursor(entity, entity, group.target).text(), group, entity)
            for group in await self.gathering.groups(entity, documents)
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
