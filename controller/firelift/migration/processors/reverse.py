"""The end of a revert: documents that the app wrote in the new shape alone go back, each in one commit.

A copy moves: it is made in the old shape, and goes from the new one. In place it is changed like any other. Where the
old shape has a document of that name already, it must hold what would be made, or the two are a conflict.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from firelift.api.cohort import Selection
from firelift.api.migration import OnRevertConflict
from firelift.api.run import Totals
from firelift.migration import fields as paths
from firelift.migration.fields import overlap, written
from firelift.migration.ignored import respecting
from firelift.migration.imaged import Imager
from firelift.migration.ledger.born import Born
from firelift.migration.processors import tallies
from firelift.migration.refusal import Refused
from firelift.migration.store import Document, FieldPath, Missing, Store, Verify
from firelift.migration.transform.reverse import Reverse
from firelift.migration.transform.transform import Result
from firelift.migration.work import Change, DeadLetter, Record

CREATED = Totals(read=2, created=1, deleted=1)
REPLACED = Totals(read=2, updated=1, deleted=1)
"""Two documents are written, and each counts."""


@dataclass(frozen=True, slots=True)
class Returning:
    """A document of the app's with what it was in the old shape, or why that cannot be told, and what is there."""

    document: Document
    was: Result | Refused
    there: Document | Missing

    @property
    def in_place(self) -> bool:
        """Whether it stays where it is."""
        return isinstance(self.was, Result) and self.was.target == self.document.path


@dataclass(frozen=True, slots=True)
class Returns:
    """Finds the documents that have to go back, and says what keeps one from it."""

    store: Store
    reverse: Reverse
    born: Born
    selection: Selection
    seed: str

    async def among(self, documents: Sequence[Document | Missing]) -> list[Returning | None]:
        """Those of the cohort that the app has made; None for every other."""
        found = [await self._outcome(document) for document in documents]
        wanted = [each.target for each in found if isinstance(each, Result)]
        there = {each.path: each for each in (await self.store.get(list(dict.fromkeys(wanted))) if wanted else [])}
        return [
            _returning(document, was, there) if isinstance(document, Document) and was is not None else None
            for document, was in zip(documents, found, strict=True)
        ]

    async def _outcome(self, document: Document | Missing) -> Result | Refused | None:
        if isinstance(document, Missing):
            return None
        was = self.reverse.back(document)
        if not isinstance(was, Result | Refused) or not self._covers(document, was):
            return None
        return was if await self.born.of_the_app(document) else None

    def _covers(self, document: Document, was: Result | Refused) -> bool:
        """Whether its entity is in the cohort; where that cannot be told, at 100 %."""
        forward = self.reverse.forward
        if isinstance(was, Refused):
            return self.selection.covers(self.seed, None)
        return forward.selects(self.selection, self.seed, replace(document, path=was.target, fields=was.fields))

    def missed(self, returning: Returning) -> list[FieldPath]:
        """Where the old shape's document does not hold what would be made; what is derived forward does not count."""
        if not isinstance(returning.was, Result) or isinstance(returning.there, Missing):
            return []
        kit, there = self.reverse.forward.kit, returning.there.fields
        wanted = respecting(kit, returning.was.fields, there, self.reverse.forward.ignored)
        missed = paths.missed_paths(kit, there, wanted)
        return [path for path in missed if not any(overlap(path, derived) for derived in self.reverse.derived)]


@dataclass(frozen=True, slots=True)
class ReverseDocuments:
    """The processor of a revert's last lanes. What it writes is imaged, so that a revert can be reverted."""

    returns: Returns
    imager: Imager
    on_conflict: OnRevertConflict

    async def prepare(self, records: Sequence[Record], *, again: bool) -> list[Change]:
        """One change per record; a document that has nothing to do with it leaves no count."""
        read: Sequence[Document | Missing] = [record.payload for record in records]
        documents = await self.returns.store.get([each.path for each in read]) if again else read
        return [self._change(each) for each in await self.returns.among(documents)]

    def _change(self, returning: Returning | None) -> Change:
        if returning is None:
            return Change(tallies.NOTHING)
        if isinstance(returning.was, Refused):
            return _kept(returning.document, returning.was)
        if returning.in_place:
            return self._changed(returning.document, returning.was)
        return self._moved(returning.document, returning.was, returning)

    def _changed(self, document: Document, was: Result) -> Change:
        imaged = self.imager.change(document, was.fields)
        if imaged is None:
            return Change(tallies.NOTHING)
        return Change(tallies.UPDATED, (imaged.write,), images=(imaged.image,))

    def _moved(self, document: Document, was: Result, returning: Returning) -> Change:
        there, gone = returning.there, self.imager.delete(document)
        if isinstance(there, Missing):
            made = self.imager.create(there.path, was.fields, document.path)
            return Change(CREATED, (made.write, gone.write), images=(made.image, gone.image))
        missed = self.returns.missed(returning)
        if missed and self.on_conflict is OnRevertConflict.KEEP:
            return _kept(document, Refused("reverse", _clash(there, missed)))
        replaced = self.imager.change(there, was.fields) if missed else None
        if replaced is None:
            guard = Verify(there.path, there.update_time)
            return Change(tallies.DELETED, (gone.write,), (guard,), (gone.image,))
        change = Change(REPLACED, (replaced.write, gone.write), images=(replaced.image, gone.image))
        return self._quarantined(change, document, there, missed)

    def _quarantined(self, change: Change, document: Document, there: Document, missed: Sequence[FieldPath]) -> Change:
        example = f"{document.path}: {_clash(there, missed)}; it was taken back all the same"
        if self.on_conflict is not OnRevertConflict.QUARANTINE:
            return replace(change, example=example)
        payload = self.imager.kit.dumps(self.imager.kit.new_map(there.fields))
        letter = DeadLetter(there.path, _clash(there, missed), rule="quarantine", payload=payload)
        return replace(change, dead_letter=letter, example=example)


@dataclass(frozen=True, slots=True)
class ReverseVerify:
    """The processor of a revert verification's last lanes: none that the revert has met is still there alone."""

    returns: Returns

    async def prepare(self, records: Sequence[Record], *, again: bool) -> list[Change]:
        """One change per record; nothing is ever written."""
        read: Sequence[Document | Missing] = [record.payload for record in records]
        documents = await self.returns.store.get([each.path for each in read]) if again else read
        reverting = await self.returns.born.reverting()
        return [self._change(each, reverting) for each in await self.returns.among(documents)]

    def _change(self, returning: Returning | None, reverting: int) -> Change:
        # What the app has made since is for the pass that follows once its flags are as before.
        if returning is None or returning.document.create_time >= reverting:
            return Change(tallies.NOTHING)
        document, was, there = returning.document, returning.was, returning.there
        if isinstance(was, Refused):
            return Change(tallies.KEPT, example=f"{document.path}: {was.reason}; it stays as it is")
        if not returning.in_place and isinstance(there, Document):
            missed = self.returns.missed(returning)
            example = f"{document.path}: {_clash(there, missed)}; it stays as it is" if missed else ""
            return Change(tallies.KEPT if missed else tallies.UNCHANGED, example=example)
        left = not returning.in_place or any(
            paths.changed_paths(self.returns.reverse.forward.kit, document.fields, was.fields)
        )
        return (
            Change(tallies.DIFFERENT, example=f"{document.path} has not gone back") if left else Change(tallies.NOTHING)
        )


def _returning(document: Document, was: Result | Refused, there: Mapping[str, Document | Missing]) -> Returning:
    target = there[was.target] if isinstance(was, Result) else Missing("", document.read_time)
    return Returning(document, was, target)


def _clash(there: Document, missed: Sequence[FieldPath]) -> str:
    return (
        f"{there.path} is there in the old shape, and says something else at {', '.join(map(written, sorted(missed)))}"
    )


def _kept(document: Document, refused: Refused) -> Change:
    kept = refused.within("it was written in the new shape alone and cannot go back", rule="reverse")
    letter = kept.dead_letter(document.path)
    return Change(tallies.KEPT, dead_letter=letter, example=f"{document.path}: {kept.reason}")
