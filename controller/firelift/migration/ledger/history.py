"""What a migration has made of one source so far: asked by a sweep, so that what has gone from a source goes too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from firelift.migration.image import Image, Operation
from firelift.migration.ledger.scanned import ScannedEntries
from firelift.migration.ledger.standing import standing
from firelift.migration.store import Document, Micros


@dataclass(frozen=True, slots=True)
class Written:
    """What was last done to one target, and when; `made` is when it was created, 0 when it was there before."""

    image: Image
    time: Micros
    made: Micros

    @property
    def gone(self) -> bool:
        """Whether it was we who deleted it."""
        return self.image.operation is Operation.DELETE

    def is_ours(self, document: Document) -> bool:
        """Whether the document is the very one that we have created."""
        return bool(self.made) and document.create_time == self.made

    def is_untouched(self, document: Document) -> bool:
        """Whether nobody has written the document since."""
        return document.update_time == self.time


@dataclass(slots=True)
class SourceHistory:
    """What all runs of a migration but this one have written of a source, less what a revert has taken back.

    One is made for each lane.
    """

    entries: ScannedEntries
    migration: str
    run: str
    _runs: Sequence[str] | None = None

    async def of(self, source: str) -> Mapping[str, Written]:
        """The targets that were written from a source, by their paths.

        Raises:
            StoreError: when the ledger cannot be read.
        """
        if self._runs is None:
            # Runs are led one at a time, so that none is made while this one works.
            self._runs = [run for run in await standing(self.entries.journal, self.migration) if run != self.run]
        entries = [entry for run in self._runs for entry in await self.entries.of(run, source)]
        found: dict[str, Written] = {}
        for entry in sorted(entries, key=lambda entry: entry.commit_time):
            for image in entry.images or ():
                if image.source == source:
                    found[image.path] = _after(found.get(image.path), image, entry.commit_time)
        return found


def _after(before: Written | None, image: Image, time: Micros) -> Written:
    created = image.operation is Operation.CREATE
    return Written(image, time, time if created else before.made if before else 0)
