"""What other runs did to a document too: asked when a revert meets it changed since, or another in its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from firelift.migration.image import Image, Operation
from firelift.migration.ledger.brought_back import BroughtBack
from firelift.migration.ledger.remade import Remade
from firelift.migration.ledger.scanned import ScannedEntries
from firelift.migration.store import Document


@dataclass(frozen=True, slots=True)
class EarlierImages:
    """The images that some runs have of a document. `runs` are the newest first; each is sealed, and so final.

    `later` are the runs that the same revert has taken back already; `brought_back` knows what other reverts have, and
    `remade` which documents any of them has made again.
    """

    entries: ScannedEntries
    runs: Sequence[str]
    later: Sequence[str] = ()
    brought_back: BroughtBack | None = None
    remade: Remade | None = None

    async def of(self, image: Image) -> list[Image]:
        """The updates of this image's document before it, the newest first.

        Raises:
            StoreError: when the ledger cannot be read.
        """
        found = [await self.entries.of(run, image.source or image.path) for run in self.runs]
        return [each for entries in found for entry in entries for each in entry.images or () if _before(each, image)]

    async def made(self, image: Image) -> bool:
        """Whether one of these runs has created the document that the image is of, and so takes it away by itself.

        Raises:
            StoreError: when the ledger cannot be read.
        """
        found = [await self.entries.of(run, image.source or image.path) for run in self.runs]
        return any(
            (each.path, each.operation) == (image.path, Operation.CREATE)
            for entries in found
            for entry in entries
            if entry.commit_time == image.create_time
            for each in entry.images or ()
        )

    async def anew(self, image: Image, document: Document) -> bool:
        """Whether a later run has met or made the document that now stands in the place of the image's own.

        Raises:
            StoreError: when the ledger cannot be read.
        """
        found = [await self.entries.of(run, image.source or image.path) for run in self.later]
        return any(
            each.path == document.path and document.create_time in (each.create_time, entry.commit_time)
            for entries in found
            for entry in entries
            for each in entry.images or ()
        )


def _before(one: Image, other: Image) -> bool:
    """Whether it is an update of the same document, not made anew in between."""
    same = (one.path, one.create_time) == (other.path, other.create_time)
    return same and one.operation is Operation.UPDATE and one.update_time < other.update_time
