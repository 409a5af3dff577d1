"""Which documents of the new shape only the app has made: born after the first run began, and by no commit of ours."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from firelift.api.run import RunKind
from firelift.migration.ledger.journal import Journal
from firelift.migration.ledger.origins import Origins
from firelift.migration.ledger.runs import RunStore
from firelift.migration.ledger.standing import standing
from firelift.migration.readers import ScanReader
from firelift.migration.store import Document, Micros
from firelift.migration.work import Batch


@dataclass(slots=True)
class Born:
    """Asks the ledger of one migration; one is made for each lane."""

    journal: Journal
    migration: str
    origins: Origins
    """Of all its runs, those that were taken back too."""
    _began: Micros | None = None

    async def began(self) -> Micros | None:
        """When the first run of the migration was made, None when there was none.

        Raises:
            StoreError: when the ledger cannot be read.
        """
        if self._began is None:
            runs = await standing(self.journal, self.migration, undone=True)
            self._began = min(runs.values(), default=None)
        return self._began

    async def reverting(self) -> Micros:
        """When the newest revert of the migration was made.

        Raises:
            StoreError: when the ledger cannot be read.
        """
        listed = await RunStore(self.journal.store, self.journal.ledger).listed()
        reverts = (
            made for plan, made in listed if plan.kind is RunKind.REVERT and plan.migration.name == self.migration
        )
        return max(reverts, default=0)

    async def of_the_app(self, document: Document) -> bool:
        """Whether no commit of ours has made it, or filled it last.

        Raises:
            StoreError: when the ledger cannot be read.
        """
        return await self.origins.of(document) is None


@dataclass(slots=True)
class BornReader:
    """A scan that leaves out what is older than the migration's first run."""

    scan: ScanReader
    born: Born
    _ready: ScanReader | None = field(default=None, init=False)

    async def read(self, after: str | None) -> Batch:
        """As `ScanReader.read`."""
        if self._ready is None:
            began, kept = await self.born.began(), self.scan.keep
            self._ready = replace(
                self.scan, keep=lambda document: began is not None and document.create_time > began and kept(document)
            )
        return await self._ready.read(after)
