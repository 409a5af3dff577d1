"""The commit times of one lane: the entry of a moment is found by point reads, and none is read twice."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field

from firelift.migration.ledger import paths
from firelift.migration.ledger.entries import EntryKind
from firelift.migration.ledger.journal import Journal
from firelift.migration.ledger.lane_map import read_lane_map
from firelift.migration.store import Document, Micros, Missing, Store

PROBES = 8
"""Point reads of one call: 8 gallop to entry 128, or narrow a range to a ninth."""


@dataclass(slots=True)
class Timeline:
    """What is known of a lane's entries. Each is committed after the one before, so their times rise with them."""

    store: Store
    ledger: str
    run: str
    lane: int
    _numbers: list[int] = field(default_factory=list)
    _times: list[Micros] = field(default_factory=list)
    _sealed: bool = False
    _absent: int = 1
    """The first number that had no entry at `_asked`."""
    _asked: Micros = 0

    async def number(self, time: Micros) -> int | None:
        """The entry that was committed at a time that has been seen on a document, None when there is none."""
        while True:
            place = bisect_left(self._times, time)
            if self._times[place : place + 1] == [time]:
                return self._numbers[place]
            low = self._numbers[place - 1] if place else 0
            high = self._numbers[place] if place < len(self._numbers) else self._beyond(low, time)
            if high == low + 1:
                return None
            await self._look(_between(low, high), time)

    def _beyond(self, low: int, time: Micros) -> int | None:
        """A number behind the last known one that cannot have this time or an earlier one, None when unknown."""
        if self._sealed:
            return low + 1
        return self._absent if time <= self._asked else None

    async def _look(self, numbers: Sequence[int], time: Micros) -> None:
        names = [paths.entry(self.ledger, self.run, self.lane, number) for number in numbers]
        for number, document in zip(numbers, await self.store.get(names, mask=[("kind",)]), strict=True):
            if isinstance(document, Missing):
                # The document that has `time` was read before, so what is absent now was committed later.
                self._absent, self._asked = number, max(time, document.read_time)
                return
            self._learn(number, document)

    def _learn(self, number: int, document: Document) -> None:
        place = bisect_left(self._numbers, number)
        self._numbers.insert(place, number)
        self._times.insert(place, document.create_time)
        self._sealed = self._sealed or self.store.values.decode(document.fields["kind"]) == EntryKind.SEAL


async def timelines(journal: Journal, run: str) -> list[Timeline]:
    """Those of a run's lanes, none while it has no lanes.

    Raises:
        StoreError: when the ledger cannot be read.
    """
    lanes = await read_lane_map(journal.store, journal.ledger, run)
    return [Timeline(journal.store, journal.ledger, run, lane.number) for lane in lanes.lanes] if lanes else []


def _between(low: int, high: int | None) -> Sequence[int]:
    if high is None:
        return [low + 2**power for power in range(PROBES)]
    step = max(1, (high - low) // (PROBES + 1))
    return range(low + step, high, step)[:PROBES]
