"""The verification of a revert: every image of the reverted run's journal is looked at once more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from firelift.migration.ledger.earlier import EarlierImages
from firelift.migration.merge import Conflict, Merge, Nothing
from firelift.migration.processors import tallies
from firelift.migration.processors.revert import current, decided
from firelift.migration.readers import JournalRecord
from firelift.migration.store import Document, Missing, Store
from firelift.migration.work import Change, Record


@dataclass(frozen=True, slots=True)
class RevertVerify:
    """The processor. What was taken back is unchanged, a conflict that stays is kept, what is still ours differs."""

    store: Store
    merge: Merge
    earlier: EarlierImages

    async def prepare(self, records: Sequence[Record], *, again: bool) -> list[Change]:  # noqa: ARG002 - a journal is never stale
        """One change per record; nothing is ever written."""
        wanted: list[JournalRecord] = [record.payload for record in records]
        now = await current(self.store, wanted)
        return [await self._change(record, now[record.image.path]) for record in wanted]

    async def _change(self, record: JournalRecord, document: Document | Missing) -> Change:
        match await decided(self.merge, self.earlier, record, document):
            case Nothing():
                return Change(tallies.UNCHANGED)
            case Conflict(reason):
                return Change(tallies.KEPT, example=f"{document.path}: {reason}; it stays as it is")
        return Change(tallies.DIFFERENT, example=f"{document.path} has not been taken back")
