"""Entities that a lane reads side by side: which are open, how far each is, and which of them may be written now."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from firelift.migration.clock import Pause
from firelift.migration.entities.open_cursor import OpenCursor, parse
from firelift.migration.entities.order import Place, place
from firelift.migration.entities.pace import EntityPace
from firelift.migration.entities.reader import Entities
from firelift.migration.work import Batch, Record

OPEN = 64
"""Entities that a lane reads side by side; each of them stands in the cursor."""


@dataclass(slots=True)
class Opened:
    """A batch that grows: its records, and how far its entities are. One that is read to its end is open no more."""

    last: str
    reading: dict[str, str | None]
    records: list[Record] = field(default_factory=list)
    scanned: int = 0

    def cursor(self) -> str:
        """Behind everything that is in it."""
        return OpenCursor(self.last, self.reading).text()

    def batch(self, *, behind: str) -> Batch:
        """It as it is; `behind` is the last entity of the lane."""
        exhausted = not self.reading and self.last == behind
        return Batch(self.records, self.cursor(), exhausted, self.scanned)


@dataclass(slots=True)
class OpenEntities:
    """The entities of a lane; `pace` None: none of them ever has to wait."""

    entities: Entities
    seed: str
    pace: EntityPace | None
    sleep: Pause
    _all: Sequence[str] | None = field(default=None, init=False)
    _places: Sequence[Place] = field(default=(), init=False)

    @property
    def end(self) -> str:
        """The last entity of the lane; empty where it has none."""
        return self._all[-1] if self._all else ""

    async def opened(self, after: str | None) -> Opened:
        """The entities that are open behind a cursor of either kind, new ones among them; none at the end."""
        if self._all is None:
            self._all = await self.entities()
            self._places = [place(self.seed, entity) for entity in self._all]
        last, reading = self._position(after)
        return Opened(self._more(last, reading), reading)

    async def ready(self, reading: dict[str, str | None]) -> list[str]:
        """The open entities that may be written now, at least one: waits until there is one."""
        while self.pace is not None:
            if ready := [entity for entity in reading if self.pace.left(entity)]:
                return ready
            await self.sleep(self.pace.wait(reading))
        return list(reading)

    def _more(self, last: str | None, reading: dict[str, str | None]) -> str:
        """Open entities until there are enough of them; the last one that is or was open."""
        known = self._all or ()
        at = 0 if last is None else bisect_right(self._places, place(self.seed, last))
        for entity in known[at : at + max(0, OPEN - len(reading))]:
            reading[entity], last = None, entity
        return last or ""

    def _position(self, after: str | None) -> tuple[str | None, dict[str, str | None]]:
        """The last entity that was opened, and how far those are that still are."""
        if not after:
            return None, {}
        cursor = parse(after)
        if isinstance(cursor, OpenCursor):
            return cursor.last, dict(cursor.open)
        # Who has no marker yet is read once more: what has moved is found unchanged, and the marker comes behind it.
        unmarked = dict.fromkeys(self._between(cursor.owed, cursor.last, cursor.marked)) if cursor.owed else {}
        if cursor.path is None:
            return cursor.last, dict(unmarked)
        return cursor.last, {**unmarked, **dict.fromkeys(self._between(cursor.first, cursor.last), cursor.path)}

    def _between(self, first: str, last: str, behind: str | None = None) -> list[str]:
        """The entities from one to another, those behind a third one."""
        start, end = place(self.seed, first), place(self.seed, last)
        after = place(self.seed, behind) if behind is not None else None
        found = zip(self._all or (), self._places, strict=True)
        return [entity for entity, at in found if start <= at <= end and (after is None or at > after)]
