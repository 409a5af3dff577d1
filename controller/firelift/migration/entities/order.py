"""The order in which entities are read, and the cursor of a lane that reads them.

Entities come in the order of their buckets, those of one bucket in the order of their ids. A few neighbours are asked
for together, as a group, because each query has a price of its own; the records of a group come in the order of their
paths. So a cursor tells its group by the first and the last entity in it, and where something lies can be told from a
record's entity and path alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from firelift.api.cohort import bucket
from firelift.migration.filling import portions
from firelift.migration.path_order import order
from firelift.migration.store import MAX_FILTER_VALUES

Place: TypeAlias = tuple[int, bytes]
"""Where an entity stands: its bucket, and its id as UTF-8."""

CANONICAL = re.compile(r"0|-?[1-9][0-9]{0,18}", re.ASCII)
INT64 = range(-(2**63), 2**63)


def place(seed: str, entity: str) -> Place:
    """Where an entity stands."""
    return bucket(seed, entity), entity.encode()


def keys(entity: str) -> tuple[str | int, ...]:
    """The values that a record of this entity may have as its key: ``42`` is text, or an integer."""
    if CANONICAL.fullmatch(entity) and int(entity) in INT64:
        return entity, int(entity)
    return (entity,)


def groups(entities: Iterable[str]) -> Iterator[list[str]]:
    """The entities in order, as many together as one query can ask for."""
    return portions(entities, lambda entity: len(keys(entity)), MAX_FILTER_VALUES)


@dataclass(frozen=True, slots=True)
class Cursor:
    """A position behind records of the group from entity `first` to `last`: behind `path`, or behind all of them.

    Where entities are marked, those from `owed` on have no marker yet; behind all records, `marked` is the last one
    that has.
    """

    first: str
    last: str
    path: str | None
    owed: str | None = None
    marked: str | None = None

    def text(self) -> str:
        """As it stands in the journal."""
        parts = [self.first, self.last, self.path, self.owed, self.marked]
        while parts[-1] is None:
            parts.pop()
        return json.dumps(parts, ensure_ascii=False, separators=(",", ":"))

    def before(self, seed: str, at: Place, path: str) -> bool:
        """Whether a record of the entity that stands there lies behind the position."""
        if at < place(seed, self.first):
            return False
        if at > place(seed, self.last):
            return True
        return self.path is not None and order(self.path) < order(path)

    def within(self, seed: str, at: Place) -> bool:
        """Whether records of the entity that stands there can follow the position."""
        last = place(seed, self.last)
        return at > last or (at == last and self.path is not None)


def parse(text: str) -> Cursor:
    """The inverse of `Cursor.text`."""
    return Cursor(*([*json.loads(text), None, None, None][:5]))
