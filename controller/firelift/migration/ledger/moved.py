"""What became of a source before: asked by a sweep where its target is gone, or is not what the source becomes now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from firelift.migration.image import Image, Operation
from firelift.migration.ledger.scanned import ScannedEntries
from firelift.migration.ledger.standing import standing
from firelift.migration.store import Document, FieldPath, Micros


@dataclass(frozen=True, slots=True)
class Ours:
    """What of a document is the migration's: the `whole` of it, or what lies at these paths."""

    whole: bool
    paths: frozenset[FieldPath]

    def holds(self, path: FieldPath) -> bool:
        """Whether a path is the migration's to change."""
        return self.whole or any(path[: len(mine)] == mine for mine in self.paths)


@dataclass(slots=True)
class MovedBefore:
    """What a migration has written in all its runs but this one that no revert has taken back.

    One is made for each lane. A source that is younger than a run costs no look into its journal, so that late-comers
    are cheap.
    """

    entries: ScannedEntries
    migration: str
    run: str
    _runs: Sequence[str] | None = None

    async def to(self, target: str, source: Document) -> bool:
        """Whether `target` was left written from this very source, which has not been made anew since.

        Raises:
            StoreError: when the ledger cannot be read.
        """
        images = await self._images(target, source.path, since=source.create_time)
        return bool(images) and images[max(images)].operation is not Operation.DELETE

    async def ours(self, target: Document, source: Document) -> Ours | None:
        """What of a target is ours to change: it was written from this source, and nobody has touched it since.

        Each of our commits to it must have met what the one before had left; that the source was made anew since makes
        it no less ours. None when it is the app's.

        Raises:
            StoreError: when the ledger cannot be read.
        """
        images = await self._images(target.path, source.path)
        time, paths = target.update_time, frozenset[FieldPath]()
        while (image := images.get(time)) is not None:
            if image.operation is Operation.CREATE:
                return Ours(whole=time == target.create_time, paths=paths)
            paths |= image.after.keys()
            time = image.update_time
        return Ours(whole=False, paths=paths) if paths else None

    async def _images(self, target: str, source: str, *, since: Micros = 0) -> dict[Micros, Image]:
        """What was written from a source after the time `since`, by the times of the commits."""
        if self._runs is None:
            # Runs are led one at a time, so that none is made while this one works.
            self._runs = [run for run in await standing(self.entries.journal, self.migration) if run != self.run]
        found = [await self.entries.of(run, source, since=since) for run in self._runs]
        return {
            entry.commit_time: image
            for entries in found
            for entry in entries
            if entry.commit_time > since
            for image in entry.images or ()
            if (image.path, image.source) == (target, source)
        }
