"""Revert: the images of an earlier run's journal, newest first, are taken back without losing a live write."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from firelift.api.migration import OnRevertConflict
from firelift.migration.bounded import Fitting
from firelift.migration.image import Operation
from firelift.migration.imaged import Imaged, Imager
from firelift.migration.ledger.earlier import EarlierImages
from firelift.migration.merge import Conflict, Merge, Nothing, Recreate, Remove, Restore, Verdict
from firelift.migration.processors import tallies
from firelift.migration.readers import JournalRecord
from firelift.migration.store import Document, Micros, Missing
from firelift.migration.work import Change, DeadLetter, Record

TALLY = {
    Operation.CREATE: tallies.CREATED,
    Operation.UPDATE: tallies.UPDATED,
    Operation.DELETE: tallies.DELETED,
}


SAME = Change(tallies.UNCHANGED)

Kept = Callable[[str], Awaitable[bool]]
"""Whether this run has a letter already that says of a document that it stays."""


@dataclass(frozen=True, slots=True)
class Revert:
    """The processor. What it changes is imaged like everything else, so that a revert can be reverted."""

    documents: Fitting
    merge: Merge
    earlier: EarlierImages
    imager: Imager
    on_conflict: OnRevertConflict
    kept: Kept

    async def prepare(self, records: Sequence[Record], *, again: bool) -> list[Change]:  # noqa: ARG002 - a journal is never stale
        """One change per record, of large documents just for the first few; they are always read now.

        Where a document has several images, the older one is decided on what the newer one leaves, and keeps the
        version that was read: it can only be committed after it was decided once more.
        """
        wanted: list[JournalRecord] = [record.payload for record in records]
        now = await current(self.documents, wanted)
        changes = [await self._change(record, now) for record in known(wanted, now)]
        return [await self._once(change, changes[:place]) for place, change in enumerate(changes)]

    async def _once(self, change: Change, before: Sequence[Change]) -> Change:
        """A document that stays is counted and told with the first of its images, the newest."""
        if change.tally is not tallies.KEPT or change.dead_letter is None:
            return change
        path = change.dead_letter.path
        again = any(each.tally is tallies.KEPT and each.dead_letter.path == path for each in before if each.dead_letter)
        return replace(SAME, marks=change.marks) if again or await self.kept(path) else change

    async def _change(self, record: JournalRecord, now: dict[str, Document | Missing]) -> Change:
        return replace(await self._decided(record, now), marks=record.marks)

    async def _decided(self, record: JournalRecord, now: dict[str, Document | Missing]) -> Change:
        document = now[record.image.path]
        verdict = await decided(self.merge, self.earlier, record, document)
        if isinstance(verdict, Conflict):
            return self._conflict(verdict, record.commit_time, document, now)
        return self._written(verdict, document, now)

    def _conflict(
        self, conflict: Conflict, image: Micros, document: Document | Missing, now: dict[str, Document | Missing]
    ) -> Change:
        sentence = f"{document.path}: {conflict.reason}"
        if self.on_conflict is OnRevertConflict.KEEP:
            letter = DeadLetter(document.path, conflict.reason, rule="conflict")
            return Change(tallies.KEPT, dead_letter=letter, example=f"{sentence}; it stays as it is")
        change = self._written(conflict.forced, document, now)
        if self.on_conflict is OnRevertConflict.RESTORE or isinstance(document, Missing):
            return replace(change, example=f"{sentence}; it was taken back all the same")
        payload = self.imager.kit.dumps(self.imager.kit.new_map(document.fields))
        letter = DeadLetter(document.path, conflict.reason, rule="quarantine", payload=payload, apart=image)
        return replace(change, dead_letter=letter, example=f"{sentence}; it was put into quarantine and taken back")

    def _written(self, verdict: Verdict, document: Document | Missing, now: dict[str, Document | Missing]) -> Change:
        imaged, left = self._imaged(verdict, document)
        if imaged is None:
            return Change(tallies.UNCHANGED)
        now[document.path] = left
        return Change(TALLY[imaged.image.operation], (imaged.write,), images=(imaged.image,))

    def _imaged(self, verdict: Verdict, document: Document | Missing) -> tuple[Imaged | None, Document | Missing]:
        """The write, and the document that it will leave."""
        match verdict, document:
            case Remove(), Document():
                return self.imager.delete(document), Missing(document.path, document.read_time)
            case Restore(fields), Document():
                return self.imager.change(document, fields), replace(document, fields=fields)
            case Recreate(fields, created), Missing(path, read_time):
                left = Document(path, fields, created, 0, read_time)
                return self.imager.create(path, fields, None, again=created), left
        return None, document


async def decided(merge: Merge, earlier: EarlierImages, record: JournalRecord, found: Document | Missing) -> Verdict:
    """What becomes of a document of an image, images of it in other runs asked for where they can matter."""
    if _gone_for_good(record, found) and await earlier.made(record.image):
        return Nothing()
    document = None if await _deleted_again(earlier, record, found) else await _as_made(earlier, record, found)
    if document is None:
        return Nothing()
    verdict = merge.decide(record.image, record.commit_time, document)
    untouched = isinstance(document, Missing) or document.update_time == record.commit_time
    if isinstance(verdict, Nothing) or untouched or record.image.operation is not Operation.UPDATE:
        return verdict
    return merge.decide(record.image, record.commit_time, document, await earlier.of(record.image))


async def _as_made(
    earlier: EarlierImages, record: JournalRecord, document: Document | Missing
) -> Document | Missing | None:
    """The document as the image knows it, also where a revert had to make it again; None for another in its place.

    That is what the app made anew and we changed then, of which a later image is, or what a revert has put back of the
    time before it.
    """
    if isinstance(document, Missing):
        return document
    if await _made_again(earlier, record, document):
        return None if record.image.operation is Operation.DELETE else replace(document, create_time=_made(record))
    if not _replaced(record, document):
        return document
    put_back = earlier.remade is not None and await earlier.remade.made(document)
    return None if put_back or await earlier.anew(record.image, document) else document


def _gone_for_good(record: JournalRecord, document: Document | Missing) -> bool:
    """Whether it was deleted, such as by a sweep whose source or group was gone, and has not been made anew."""
    return record.image.operation is Operation.DELETE and isinstance(document, Missing)


async def _deleted_again(earlier: EarlierImages, record: JournalRecord, document: Document | Missing) -> bool:
    """Whether another pass has brought a document back that we had deleted, and the app has deleted it since."""
    if record.image.operation is not Operation.DELETE or isinstance(document, Document):
        return False
    return earlier.brought_back is not None and await earlier.brought_back.holds(document.path, record.entry)


async def _made_again(earlier: EarlierImages, record: JournalRecord, document: Document) -> bool:
    """Whether the document that an image is of was deleted by us since, and made again by a revert."""
    if document.create_time == _made(record) or earlier.remade is None:
        return False
    return await earlier.remade.stands_for(document, _made(record))


def _replaced(record: JournalRecord, document: Document) -> bool:
    """Whether the document that an image is of has gone since, and another has its name."""
    return record.image.operation is not Operation.DELETE and document.create_time != _made(record)


def _made(record: JournalRecord) -> Micros:
    """When the document that an image is of was created."""
    return record.commit_time if record.image.operation is Operation.CREATE else record.image.create_time


async def current(documents: Fitting, records: Sequence[JournalRecord]) -> dict[str, Document | Missing]:
    """The documents of the first of these images as they are now, each read once: as many as there is room for."""
    paths = list(dict.fromkeys(record.image.path for record in records))
    return {document.path: document for document in await documents.get(paths)}


def known(records: Sequence[JournalRecord], now: Mapping[str, Document | Missing]) -> list[JournalRecord]:
    """The records up to the first whose document was not read."""
    return list(takewhile(lambda record: record.image.path in now, records))
