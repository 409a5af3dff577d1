"""Rehearsals: what a migration would do with each document, decided as it would be and written only as a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from firelift.api.run import RunPlan, Totals
from firelift.migration.aggregate.groups import Group
from firelift.migration.entities.reader import EntityDone
from firelift.migration.fields import written
from firelift.migration.image import Image, Operation
from firelift.migration.ledger import paths
from firelift.migration.parts import Part
from firelift.migration.processors import tallies
from firelift.migration.processors.migrate import without_result
from firelift.migration.store import Create, Document, Fields, Put, Update, Value, ValueKit, Write
from firelift.migration.transform.one_to_many import Elements, OneToMany
from firelift.migration.transform.transform import LeftAlone, Result, Transform
from firelift.migration.work import Change, Processor, Record

EXAMPLES = 5
"""Documents before and after that one lane keeps, of those that it would create and of those that it would update."""

EXAMPLE_BYTES = 64 * 1024
"""A larger one is passed over, so that a report never becomes a second copy of the data."""


@dataclass(slots=True)
class DryRun:
    """What `migrate` decides, without its writes; a few of them are kept with their values, in the ledger only."""

    migrate: Processor
    kit: ValueKit
    plan: RunPlan
    _kept: dict[Operation, int] = field(default_factory=dict, init=False)

    async def prepare(self, records: Sequence[Record], *, again: bool) -> list[Change]:
        """One change per record, none of which touches a document of the app."""
        changes = await self.migrate.prepare(records, again=again)
        return [self._told(record, change) for record, change in zip(records, changes, strict=True)]

    def _told(self, record: Record, change: Change) -> Change:
        if not change.writes:
            return change
        examples = tuple(self._examples(_source(record.payload), change))
        return replace(change, writes=examples, guards=(), images=(), closes=(), provisional=False, blind=False)

    def _examples(self, source: Document, change: Change) -> list[Put]:
        found = []
        for image, write in zip(change.images, change.writes, strict=False):
            fields = self._example(source, image, write)
            small = self.kit.sizes(fields.values()) <= EXAMPLE_BYTES
            if small and self._kept.get(image.operation, 0) < EXAMPLES:
                self._kept[image.operation] = self._kept.get(image.operation, 0) + 1
                found.append(Put(paths.example(self.plan.ledger, self.plan.id, image.path), fields))
        return found

    def _example(self, source: Document, image: Image, write: Write) -> dict[str, Value]:
        encode = self.kit.encode
        return {
            "source": encode(source.path),
            "target": encode(image.path),
            "operation": encode(image.operation.value),
            "before": self.kit.new_map(self._before(source, image)),
            "after": self.kit.new_map(write.fields if isinstance(write, Create | Update | Put) else {}),
        }

    def _before(self, source: Document, image: Image) -> Mapping[str, Value]:
        """Of a document that would be created its source; of one that would be changed the values that would go."""
        if image.operation is Operation.CREATE:
            return source.fields
        known: Fields = {written(path): value for path, value in image.before.items() if value is not None}
        return known


def _source(payload: Document | Part | Group | EntityDone) -> Document:
    """What an example shows as its source; a group has many, which are counted, and a marker has none."""
    if isinstance(payload, EntityDone):
        return Document(f"all documents of entity {payload.entity}", {}, 0, 0, 0)
    if isinstance(payload, Group):
        return Document(f"{payload.count:,} documents of entity {payload.entity}", {}, 0, 0, 0)
    return payload.source if isinstance(payload, Part) else payload


@dataclass(frozen=True, slots=True)
class Validate:
    """Transforms each document and looks at no target: what cannot move is kept as a dead letter."""

    transform: Transform

    async def prepare(self, records: Sequence[Record], *, again: bool) -> list[Change]:  # noqa: ARG002 - nothing is written that could conflict
        """One change per record."""
        return [self._judged(record.payload) for record in records]

    def _judged(self, document: Document) -> Change:
        outcome = self.transform.attempt(document)
        if isinstance(outcome, Result):
            return Change(tallies.UNCHANGED)
        return without_result(document.path, outcome)


@dataclass(frozen=True, slots=True)
class ValidateMany:
    """The same for a source that becomes many documents, each of which is counted."""

    splitting: OneToMany

    async def prepare(self, records: Sequence[Record], *, again: bool) -> list[Change]:  # noqa: ARG002 - nothing is written that could conflict
        """One change per record."""
        return [self._judged(record.payload) for record in records]

    def _judged(self, document: Document) -> Change:
        outcome = self.splitting.attempt(document)
        if isinstance(outcome, Elements) and outcome.results:
            count = len(outcome.results)
            return Change(Totals(read=count, unchanged=count))
        return without_result(document.path, None if isinstance(outcome, Elements | LeftAlone) else outcome)
