"""The verification of a revert: every image of the reverted run's journal is looked at once more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from firelift.migration.bounded import Fitting
from firelift.migration.ledger.earlier import EarlierImages
from firelift.migration.merge import Conflict, Merge, Nothing
from firelift.migration.processors import tallies
from firelift.migration.processors.revert import current, decided, known
from firelift.migration.readers import JournalRecord
from firelift.migration.store import Document, Missing
from firelift.migration.work import Change, Record


@dataclass(frozen=True, slots=True)
class RevertVerify:
    """The processor. What was taken back is unchanged, a conflict that stays is kept, what is still ours differs."""

    documents: Fitting
    merge: Merge
    earlier: EarlierImages

    async def prepare(self, records: Sequence[Record], *, again: bool) -> list[Change]:  # noqa: ARG002 - a journal is never stale
        """One change per record, of large documents just for the first few; nothing is ever written."""
        wanted: list[JournalRecord] = [record.payload for record in records]
        now = await current(self.documents, wanted)
        return [await self._change(record, now[record.image.path]) for record in known(wanted, now)]

    async def _change(self, record: JournalRecord, document: Document | Missing) -> Change:
        match await decided(self.merge, self.earlier, record, document):
            case Nothing():
                return Change(tallies.UNCHANGED)
            case Conflict(reason):
                return Change(tallies.KEPT, example=f"{document.path}: {reason}; it stays as it is")
        return Change(tallies.DIFFERENT, example=f"{document.path} has not been taken back")
