"""Records that no group can have, because they have no entity: named as dead letters where all others have moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from firelift.migration.entities.whose import Whose
from firelift.migration.processors import tallies
from firelift.migration.processors.migrate import without_result
from firelift.migration.refusal import Refused
from firelift.migration.store import Document, Store
from firelift.migration.transform.transform import Transform
from firelift.migration.work import Change, Record

WITHOUT_ENTITY = Refused("entityKey", "the record has no entity that is a text or an integer, so no group can have it")


@dataclass(frozen=True, slots=True)
class Strays:
    """The processor of a closing scan that leaves out the records with an entity. It writes nothing but letters."""

    store: Store
    transform: Transform
    whose: Whose
    fails: bool

    async def prepare(self, records: Sequence[Record], *, again: bool) -> list[Change]:
        """One change per record."""
        read: list[Document] = [record.payload for record in records]
        found = await self.store.get([document.path for document in read]) if again else read
        return [self._change(each) if isinstance(each, Document) else Change(tallies.SKIPPED) for each in found]

    def _change(self, document: Document) -> Change:
        if self.whose.entity(document) is not None:
            return Change(tallies.SKIPPED)
        refused = self.transform.refused(document.path, WITHOUT_ENTITY) if self.fails else WITHOUT_ENTITY
        return without_result(document.path, refused)
