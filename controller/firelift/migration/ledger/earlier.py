"""What earlier runs did to a document that a later one changed again: asked when a revert meets it changed since.

Nothing is kept for this. A run scans its source in the order of paths, so the entry that has a document is found by
bisection over the cursors of the lane whose range holds its source.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from firelift.migration.image import Image, Operation
from firelift.migration.ledger.journal import Journal
from firelift.migration.ledger.lane_map import read_lane_map
from firelift.migration.path_order import order
from firelift.migration.work import Lane, LaneMap

KEPT_ENTRIES = 16
"""Entries whose images are remembered: documents are met about in the order in which they were changed."""


@dataclass(slots=True)
class EarlierImages:
    """The images that some runs have of a document. `runs` are the newest first; each is sealed, and so final."""

    journal: Journal
    runs: Sequence[str]
    _lanes: dict[str, LaneMap] = field(default_factory=dict)
    _last: dict[tuple[str, int], int] = field(default_factory=dict)
    _ends: dict[tuple[str, int, int], str | None] = field(default_factory=dict)
    _images: dict[tuple[str, int, int], Sequence[Image]] = field(default_factory=dict)

    async def of(self, image: Image) -> list[Image]:
        """The updates of this image's document before it, the newest first.

        Raises:
            StoreError: when the ledger cannot be read.
        """
        found = [each for run in self.runs for each in await self._in(run, image.source or image.path)]
        return [each for each in found if _before(each, image)]

    async def _in(self, run: str, source: str) -> Sequence[Image]:
        """The images of the entry in which a run has what it made of a source."""
        if run not in self._lanes:
            self._lanes[run] = await read_lane_map(self.journal.store, self.journal.ledger, run) or LaneMap()
        lane = next((lane for lane in self._lanes[run].lanes if _holds(lane, source)), None)
        number = await self._number(run, lane.number, source) if lane else None
        return await self._read(run, lane.number, number) if lane and number else ()

    async def _number(self, run: str, lane: int, source: str) -> int | None:
        """The first entry whose end is not before the source."""
        if (run, lane) not in self._last:
            self._last[run, lane] = await self.journal.end(run, lane)
        low, high = 0, self._last[run, lane] + 1
        while high - low > 1:
            middle = (low + high) // 2
            end = await self._end(run, lane, middle)
            if end and order(end) < order(source):
                low = middle
            else:
                high = middle
        return high if high <= self._last[run, lane] else None

    async def _end(self, run: str, lane: int, number: int) -> str | None:
        if (run, lane, number) not in self._ends:
            entry = await self.journal.entry(run, lane, number)
            self._ends[run, lane, number] = entry.end if entry else None
        return self._ends[run, lane, number]

    async def _read(self, run: str, lane: int, number: int) -> Sequence[Image]:
        key = (run, lane, number)
        if key not in self._images:
            entry = await self.journal.entry(*key, images=True)
            self._images[key] = (entry.images if entry else None) or ()
            if len(self._images) > KEPT_ENTRIES:
                self._images.pop(next(iter(self._images)))
        return self._images[key]


def _holds(lane: Lane, source: str) -> bool:
    place = order(source)
    after_start = lane.start is None or order(lane.start) < place
    return lane.subject is None and after_start and (lane.end is None or place <= order(lane.end))


def _before(one: Image, other: Image) -> bool:
    """Whether it is an update of the same document, not made anew in between."""
    same = (one.path, one.create_time) == (other.path, other.create_time)
    return same and one.operation is Operation.UPDATE and one.update_time < other.update_time
