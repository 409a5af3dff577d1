"""What a migration has made of an entity so far: whether a target is ours, and which groups have been there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from firelift.migration import fields
from firelift.migration.entities.order import Place, place
from firelift.migration.fields import overlap
from firelift.migration.image import Image, Operation, value_hash
from firelift.migration.ledger.remade import Remade
from firelift.migration.ledger.scanned import ScannedEntries
from firelift.migration.ledger.standing import standing
from firelift.migration.store import Document, FieldPath, Micros, ValueKit

REMEMBERED = 64
"""Entities. They are met one after the other."""


@dataclass(frozen=True, slots=True)
class Targets:
    """Tells whose target a path is: an aggregate has its entity as a segment. A `scanned.Places`."""

    seed: str
    segment: int

    async def place(self, path: str) -> Place | None:
        """Where the entity of a target stands."""
        segments = path.split("/")
        return place(self.seed, segments[self.segment]) if self.segment < len(segments) else None


@dataclass(frozen=True, slots=True)
class Ours:
    """What we have written of a target: a hash of each path, None where we removed it; `made` when, 0 if it was there.

    `time` is when we wrote it last, `gone` whether that was its deletion.
    """

    after: Mapping[FieldPath, bytes | None]
    made: Micros
    time: Micros
    gone: bool

    def stands(self, kit: ValueKit, document: Document) -> bool:
        """Whether all that we wrote is as we wrote it."""
        if self.gone or (self.made and document.create_time != self.made):
            return False
        if document.update_time == self.time:
            return True
        return all(_hash(kit, document, path) == digest for path, digest in self.after.items())

    def untouched(self, document: Document) -> bool:
        """Whether it is the very document that we have made, and nobody has written it since."""
        return not self.gone and (document.create_time, document.update_time) == (self.made, self.time)


def _hash(kit: ValueKit, document: Document, path: FieldPath) -> bytes | None:
    value = fields.get(kit, document.fields, path)
    return None if value is None else value_hash(kit, value)


@dataclass(slots=True)
class EntityHistory:
    """The targets of an entity that all runs of a migration but this one have written, less what was taken back."""

    entries: ScannedEntries
    targets: Targets
    migration: str
    run: str
    remade: Remade
    _runs: Sequence[str] | None = None
    _known: dict[str, Mapping[str, Ours]] = field(default_factory=dict)

    async def of(self, entity: str) -> Mapping[str, Ours]:
        """What was written, by the paths of targets.

        Raises:
            StoreError: when the ledger cannot be read.
        """
        if entity not in self._known:
            self._known[entity] = await self._of(entity)
            if len(self._known) > REMEMBERED:
                self._known.pop(next(iter(self._known)))
        return self._known[entity]

    async def stands(self, ours: Ours, document: Document) -> bool:
        """Whether all that we wrote is as we wrote it, also where a revert had to make the document again.

        Raises:
            StoreError: when the ledger cannot be read.
        """
        kit = self.entries.journal.store.values
        if ours.stands(kit, document):
            return True
        if ours.gone or not ours.made or ours.made == document.create_time:
            return False
        again = await self.remade.stands_for(document, ours.made)
        return again and ours.stands(kit, replace(document, create_time=ours.made))

    async def _of(self, entity: str) -> Mapping[str, Ours]:
        if self._runs is None:
            # Runs are led one at a time, so that none is made while this one works.
            self._runs = [run for run in await standing(self.entries.journal, self.migration) if run != self.run]
        at = place(self.targets.seed, entity)
        written: list[tuple[Micros, Image]] = []
        for run in self._runs:
            async for entry in self.entries.of_entity(run, at):
                mine = [image for image in entry.images or () if await self.targets.place(image.path) == at]
                written += ((entry.commit_time, image) for image in mine)
        found: dict[str, Ours] = {}
        for time, image in sorted(written, key=lambda each: each[0]):
            found[image.path] = _after(found.get(image.path), image, time)
        return found


def _after(before: Ours | None, image: Image, time: Micros) -> Ours:
    if image.operation is Operation.DELETE:
        return Ours({}, 0, time, gone=True)
    created = image.operation is Operation.CREATE
    kept = {} if created or before is None else before.after
    left = {path: digest for path, digest in kept.items() if not any(overlap(path, new) for new in image.after)}
    made = time if created else before.made if before else 0
    return Ours({**left, **image.after}, made, time, gone=False)
