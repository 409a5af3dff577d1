"""The entries in which a run has what it made of a source.

Nothing is kept for this. A run reads its source in the order of paths, or of entities and then paths, so the entry that
has a document is found by bisection over the cursors of the lane whose range holds its source, and of the lane that has
taken the dead letters up.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Protocol

from firelift.migration.bounded import READ_BYTES
from firelift.migration.entities.open_cursor import parse
from firelift.migration.entities.order import Place
from firelift.migration.ledger.entries import Entry
from firelift.migration.ledger.journal import Journal
from firelift.migration.ledger.lane_map import read_lane_map
from firelift.migration.part_cursor import continues, whole
from firelift.migration.path_order import order
from firelift.migration.readers import entry_of
from firelift.migration.store import Micros
from firelift.migration.work import Lane, LaneMap

Before = Callable[[str], bool]
"""Whether a cursor of a lane lies before a record."""

KEPT_ENTRIES = 16
"""Entries whose images are remembered, fewer when these are large: documents are met about in the order in which they
were changed."""


class Places(Protocol):
    """Tells where the entity of a record stands in the order of a seed."""

    @property
    def seed(self) -> str:
        """Of the cohort hash."""

    async def place(self, path: str) -> Place | None:
        """Of the record at a path, None where that cannot be told."""


@dataclass(slots=True)
class ScannedEntries:
    """The entries of runs that write no more, by the sources that they read."""

    journal: Journal
    whose: Places
    _lanes: dict[str, LaneMap] = field(default_factory=dict)
    _last: dict[tuple[str, int], int] = field(default_factory=dict)
    _ends: dict[tuple[str, int, int], tuple[str | None, Micros]] = field(default_factory=dict)
    """The cursor and the commit time of each entry that was asked for."""
    _whole: dict[tuple[str, int, int], Entry | None] = field(default_factory=dict)
    _held: int = 0
    """Bytes of the images that are remembered."""

    async def of(self, run: str, source: str, *, since: Micros = 0) -> list[Entry]:
        """The entries with their images that can have it: mostly one.

        There may be none, more where a run has a closing scan too, and one for each part of a source that no single
        commit could take.

        A lane that has ended before the time `since` has none.

        Raises:
            StoreError: when the ledger cannot be read.
        """
        if run not in self._lanes:
            self._lanes[run] = await read_lane_map(self.journal.store, self.journal.ledger, run) or LaneMap()
        found: list[Entry] = []
        for lane, before in await self._holding(self._lanes[run], source):
            number = await self._number(run, lane.number, before, since)
            while number and (entry := await self._read(run, lane.number, number)):
                found.append(entry)
                number = number + 1 if entry.end and continues(entry.end, source) else None
        return found

    async def first_behind(self, run: str, lane: int, source: str) -> int | None:
        """The first entry of a lane in the order of paths that can have what lies behind a source.

        Raises:
            StoreError: when the ledger cannot be read.
        """
        return await self._number(run, lane, lambda end: order(end) <= order(source), 0)

    async def walked(self, run: str, walking: Lane, number: int) -> list[Entry]:
        """The entries of a run that has walked the same lane as `walking`, newest first: those that have its `number`.

        Raises:
            StoreError: when the ledger cannot be read.
        """
        if run not in self._lanes:
            self._lanes[run] = await read_lane_map(self.journal.store, self.journal.ledger, run) or LaneMap()
        found: list[Entry] = []
        for lane in self._lanes[run].lanes:
            if not _walk_alike(lane, walking):
                continue
            at = await self._number(run, lane.number, lambda end: entry_of(end) > number, 0)
            while at and (entry := await self._read(run, lane.number, at)):
                found.append(entry)
                at = at + 1 if entry.end and entry_of(entry.end) == number else None
        return found

    async def of_entity(self, run: str, at: Place) -> AsyncIterator[Entry]:
        """The entries with their images that can have records of the entity that stands there, in their order.

        Of entities that were written side by side these are many, so that nobody should hold them all.

        Raises:
            StoreError: when the ledger cannot be read.
        """
        if run not in self._lanes:
            self._lanes[run] = await read_lane_map(self.journal.store, self.journal.ledger, run) or LaneMap()
        for lane in self._lanes[run].lanes:
            if lane.buckets is None or not lane.buckets[0] <= at[0] < lane.buckets[1]:
                continue
            number = await self._number(run, lane.number, lambda end: parse(end).before(self.whose.seed, at, ""), 0)
            while number and (entry := await self._read(run, lane.number, number)):
                yield entry
                goes_on = entry.end and not entry.sealed and parse(entry.end).within(self.whose.seed, at)
                number = number + 1 if goes_on else None

    async def _holding(self, lanes: LaneMap, source: str) -> list[tuple[Lane, Before]]:
        """The lanes whose ranges hold a source."""
        scans = (lane for lane in lanes.lanes if lane.buckets is None and _holds(lane, source))
        holding: list[tuple[Lane, Before]] = [(lane, lambda end: order(end) < order(source)) for lane in scans]
        of_entities = [lane for lane in lanes.lanes if lane.buckets is not None]
        at = await self.whose.place(source) if of_entities else None
        if at is None:
            return holding
        seed = self.whose.seed
        mine = (lane for lane in of_entities if lane.buckets and lane.buckets[0] <= at[0] < lane.buckets[1])
        return [(lane, lambda end: parse(end).before(seed, at, source)) for lane in mine] + holding

    async def _number(self, run: str, lane: int, before: Before, since: Micros) -> int | None:
        """The first entry whose end is not before the source."""
        if (run, lane) not in self._last:
            self._last[run, lane] = await self.journal.end(run, lane)
        last = self._last[run, lane]
        if not last or (since and (await self._end(run, lane, last))[1] <= since):
            return None
        low, high = 0, last + 1
        while high - low > 1:
            middle = (low + high) // 2
            end, _ = await self._end(run, lane, middle)
            if end and before(whole(end)):
                low = middle
            else:
                high = middle
        return high if high <= last else None

    async def _end(self, run: str, lane: int, number: int) -> tuple[str | None, Micros]:
        key = (run, lane, number)
        if key not in self._ends:
            entry = await self.journal.entry(*key)
            self._ends[key] = (entry.end, entry.commit_time) if entry else (None, 0)
        return self._ends[key]

    async def _read(self, run: str, lane: int, number: int) -> Entry | None:
        key = (run, lane, number)
        if key not in self._whole:
            entry = self._whole[key] = await self.journal.entry(*key, images=True)
            self._held += self._weight(entry)
            while len(self._whole) > 1 and (len(self._whole) > KEPT_ENTRIES or self._held > READ_BYTES):
                self._held -= self._weight(self._whole.pop(next(iter(self._whole))))
        return self._whole[key]

    def _weight(self, entry: Entry | None) -> int:
        return entry.weight(self.journal.store.values) if entry else 0


def _walk_alike(one: Lane, other: Lane) -> bool:
    same = (one.subject, one.subject_lane) == (other.subject, other.subject_lane)
    return same and (one.whole or other.whole or one.marks == other.marks)


def _holds(lane: Lane, source: str) -> bool:
    place = order(source)
    after_start = lane.start is None or order(lane.start) < place
    return lane.subject is None and after_start and (lane.end is None or place <= order(lane.end))
