"""What other reverts have brought back already: asked where a document that we had deleted is not there.

It may have been there in between, and then it is the app that has deleted it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from firelift.api.run import RunKind
from firelift.migration.image import Operation
from firelift.migration.ledger.runs import RunStore
from firelift.migration.ledger.scanned import ScannedEntries
from firelift.migration.work import Lane


@dataclass(slots=True)
class BroughtBack:
    """What reverts other than `run` have made of the images of one lane. One is made for each lane."""

    entries: ScannedEntries
    run: str
    lane: Lane
    _reverts: Sequence[str] | None = None

    async def holds(self, path: str, entry: int) -> bool:
        """Whether one has made the document at a path again, whose deletion this entry of the lane's subject has.

        Raises:
            StoreError: when the ledger cannot be read.
        """
        if self._reverts is None:
            # Runs are led one at a time, so that none is made while this one works.
            journal = self.entries.journal
            listed = await RunStore(journal.store, journal.ledger).listed()
            reverts = (plan for plan, _ in listed if plan.kind is RunKind.REVERT and plan.id != self.run)
            self._reverts = [plan.id for plan in reverts if self.lane.subject in plan.subjects]
        found = [await self.entries.walked(run, self.lane, entry) for run in self._reverts]
        return any(
            (image.path, image.operation) == (path, Operation.CREATE)
            for entries in found
            for each in entries
            for image in each.images or ()
        )
