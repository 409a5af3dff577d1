"""Whether a source is gone because a delete step has cleaned it up: asked where a copy has outlived its source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from firelift.api.run import RunKind
from firelift.migration.image import Operation
from firelift.migration.ledger.scanned import ScannedEntries
from firelift.migration.ledger.standing import standing


@dataclass(slots=True)
class Cleaned:
    """The sources that a migration's delete runs have deleted, less what a revert has brought back."""

    entries: ScannedEntries
    migration: str
    _runs: Sequence[str] | None = None

    async def holds(self, source: str) -> bool:
        """Whether we have deleted it.

        Raises:
            StoreError: when the ledger cannot be read.
        """
        if self._runs is None:
            # Runs are led one at a time, so that none is made while this one works.
            deletes = frozenset({RunKind.DELETE})
            self._runs = list(await standing(self.entries.journal, self.migration, deletes))
        found = [await self.entries.of(run, source) for run in self._runs]
        return any(
            (image.path, image.operation) == (source, Operation.DELETE)
            for entries in found
            for entry in entries
            for image in entry.images or ()
        )
