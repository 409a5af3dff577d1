"""Which document a revert has made again: asked where another stands in the place of the one that an image is of.

Nothing is kept for this but the image: a document that a revert has made has the create time of exactly one journal
entry, whose image says when the document was created that had been there before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from firelift.api.run import RunKind
from firelift.migration.image import Operation
from firelift.migration.ledger.journal import Journal
from firelift.migration.ledger.runs import RunStore
from firelift.migration.ledger.timeline import Timeline, timelines
from firelift.migration.store import Document, Micros

KEPT_ENTRIES = 64
"""Entries whose documents are remembered: these are met in the order in which they were made, or its reverse."""


@dataclass(slots=True)
class Remade:
    """Asks the reverts of a ledger, the one that works included. One is made for each lane."""

    journal: Journal
    _reverts: Mapping[str, Micros] | None = None
    _lanes: dict[str, list[Timeline]] = field(default_factory=dict)
    _made: dict[tuple[str, int, int], Mapping[str, Micros]] = field(default_factory=dict)

    async def stands_for(self, document: Document, created: Micros) -> bool:
        """Whether a document is one that was created at an earlier time, deleted by us, and made again by reverts.

        Raises:
            StoreError: when the ledger cannot be read.
        """
        time = document.create_time
        while created < time:
            time = await self._before(document.path, time)
        return time == created

    async def made(self, document: Document) -> bool:
        """Whether a revert has made the document that stands there.

        Raises:
            StoreError: when the ledger cannot be read.
        """
        return await self._before(document.path, document.create_time) > 0

    async def _before(self, path: str, time: Micros) -> Micros:
        """When the document had been created that a revert made again at a time, 0 when none has."""
        if self._reverts is None:
            # Runs are led one at a time, so that none is made while this one works.
            listed = await RunStore(self.journal.store, self.journal.ledger).listed()
            self._reverts = {plan.id: made for plan, made in listed if plan.kind is RunKind.REVERT}
        for run in (run for run, made in self._reverts.items() if made < time):
            if before := await self._made_by(run, path, time):
                return before
        return 0

    async def _made_by(self, run: str, path: str, time: Micros) -> Micros:
        lanes = self._lanes.get(run) or await timelines(self.journal, run)
        self._lanes[run] = lanes
        numbers = await asyncio.gather(*(lane.number(time) for lane in lanes))
        entries = [(lane.lane, number) for lane, number in zip(lanes, numbers, strict=True) if number]
        return max([(await self._of_entry(run, lane, number)).get(path, 0) for lane, number in entries], default=0)

    async def _of_entry(self, run: str, lane: int, number: int) -> Mapping[str, Micros]:
        key = (run, lane, number)
        if key not in self._made:
            entry = await self.journal.entry(run, lane, number, images=True)
            made = (image for image in (entry.images if entry else None) or () if image.operation is Operation.CREATE)
            self._made[key] = {image.path: image.create_time for image in made}
            if len(self._made) > KEPT_ENTRIES:
                self._made.pop(next(iter(self._made)))
        return self._made[key]
