"""Whether a source has been moved already: asked where its target is not there, which then was deleted since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from firelift.migration.ledger.scanned import ScannedEntries
from firelift.migration.ledger.standing import standing
from firelift.migration.store import Document


@dataclass(slots=True)
class MovedBefore:
    """What a migration has written in all its runs but this one that no revert has taken back.

    One is made for each lane. A source that is younger than a run costs no look into its journal, so that late-comers
    are cheap.
    """

    entries: ScannedEntries
    migration: str
    run: str
    _runs: Sequence[str] | None = None

    async def to(self, target: str, source: Document) -> bool:
        """Whether `target` was written from this very source, which has not been made anew since.

        Raises:
            StoreError: when the ledger cannot be read.
        """
        if self._runs is None:
            # Runs are led one at a time, so that none is made while this one works.
            self._runs = [run for run in await standing(self.entries.journal, self.migration) if run != self.run]
        found = [await self.entries.of(run, source.path, since=source.create_time) for run in self._runs]
        return any(
            (image.path, image.source) == (target, source.path)
            for entries in found
            for entry in entries
            if entry.commit_time > source.create_time
            for image in entry.images or ()
        )
