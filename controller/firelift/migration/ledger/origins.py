"""From which source a document was written: asked when another source is about to lead to the same document.

Nothing is kept for this. A document that a migration made has the create time of exactly one journal entry, one that
it filled has its update time until somebody else writes, and the entry's images name the source.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from firelift.migration.ledger.journal import Journal
from firelift.migration.ledger.standing import standing
from firelift.migration.ledger.timeline import Timeline, timelines
from firelift.migration.store import Document, Micros

KEPT_ENTRIES = 64
"""Entries whose sources are remembered. Sources are met in the order in which they were moved, so few are enough."""


@dataclass(slots=True)
class Origins:
    """The sources of what a migration has written in all its runs that no revert has taken back.

    One is made for each lane. It reads when it is first asked, and remembers: a document that is older than the first
    run costs no read, and the others together no more than one small read for each entry of the journal.
    """

    journal: Journal
    migration: str
    undone: bool = False
    """Whether those that a revert has taken back are asked too."""
    _runs: Mapping[str, Micros] | None = None
    """When each run was made, the newest first."""
    _lanes: dict[str, list[Timeline]] = field(default_factory=dict)
    _sources: dict[tuple[str, int, int], Mapping[str, str]] = field(default_factory=dict)

    async def of(self, document: Document) -> str | None:
        """The path of the source, None for a document that is the app's own, as far as its times tell.

        Raises:
            StoreError: when the ledger cannot be read.
        """
        for time in dict.fromkeys((document.create_time, document.update_time)):
            source = await self._written(document.path, time)
            if source is not None:
                return source
        return None

    async def _written(self, path: str, time: Micros) -> str | None:
        if self._runs is None:
            # Runs are led one at a time, so that none is made while this one works.
            self._runs = await standing(self.journal, self.migration, undone=self.undone)
        for run in (run for run, made in self._runs.items() if made < time):
            source = await self._written_by(run, path, time)
            if source is not None:
                return source
        return None

    async def _written_by(self, run: str, path: str, time: Micros) -> str | None:
        lanes = self._lanes.get(run) or await timelines(self.journal, run)
        self._lanes[run] = lanes
        numbers = await asyncio.gather(*(lane.number(time) for lane in lanes))
        for lane, number in zip(lanes, numbers, strict=True):
            source = (await self._sources_of(run, lane.lane, number)).get(path) if number else None
            if source is not None:
                return source
        return None

    async def _sources_of(self, run: str, lane: int, number: int) -> Mapping[str, str]:
        key = (run, lane, number)
        if key not in self._sources:
            entry = await self.journal.entry(run, lane, number, images=True)
            images = (entry.images if entry else None) or ()
            self._sources[key] = {image.path: image.source for image in images if image.source is not None}
            if len(self._sources) > KEPT_ENTRIES:
                self._sources.pop(next(iter(self._sources)))
        return self._sources[key]
