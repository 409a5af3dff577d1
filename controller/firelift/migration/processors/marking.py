"""Entity markers: a document that tells the app that an entity has moved, written after the last of its records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from firelift.api.migration import EntityMarkerSpec
from firelift.migration import fields as paths
from firelift.migration.entities.reader import EntityDone
from firelift.migration.errors import TransformUnusable
from firelift.migration.fields import written
from firelift.migration.imaged import Imaged, Imager
from firelift.migration.processors import tallies
from firelift.migration.processors.migrate import without_result
from firelift.migration.refusal import Refused
from firelift.migration.store import Document, FieldPath, Fields, Missing, Store, ValueKit
from firelift.migration.transform import cel
from firelift.migration.transform.cel import Expression, compile_expression
from firelift.migration.transform.names import BESIDE
from firelift.migration.transform.reshape import field_path
from firelift.migration.transform.template import segment_fault
from firelift.migration.work import Change, Processor, Record


@dataclass(frozen=True, slots=True)
class Marker:
    """A compiled marker. It sets its own fields of its document, and leaves all others."""

    template: str
    sets: tuple[tuple[FieldPath, Expression], ...]
    now: datetime

    def path(self, entity: str) -> str:
        """The document that marks an entity.

        Raises:
            Refused: when the entity cannot be part of a path.
        """
        path = self.template.replace("{entity}", entity)
        fault = "has a slash in it" if "/" in entity else next(filter(None, map(segment_fault, path.split("/"))), None)
        if fault:
            raise Refused("entityMarker.document", f"{path} has a segment that {fault}")
        return path

    def onto(self, kit: ValueKit, path: str, entity: str, there: Fields) -> Fields:
        """What the document should hold.

        Raises:
            Refused: when an expression fails, or a value is in the way.
        """
        known = cel.scope(cel.variables(BESIDE, path=path, entity=entity, now=self.now), doc={})
        for at, expression in self.sets:
            try:
                value = kit.encode(expression.evaluate(known))
                there = paths.put(kit, there, at, value)
            except (TypeError, ValueError) as error:
                raise Refused(f"entityMarker.set.{written(at)}", str(error)) from error
        return there


def compile_marker(spec: EntityMarkerSpec, now: datetime) -> Marker:
    """The marker of a migration.

    Raises:
        TransformUnusable: naming the field of the API.
    """
    sets = []
    for path, text in spec.set.items():
        where = f"entityMarker.set.{path}"
        expression = compile_expression(text, where)
        if expression.doc.used:
            raise TransformUnusable(f"{where}: {text!r} names `doc`, and a marker speaks of no one document")
        sets.append((field_path(path, "entityMarker.set"), expression))
    return Marker(spec.document, tuple(sets), now)


@dataclass(frozen=True, slots=True)
class Marking:
    """The processor of a lane of entities: `inner` decides about records, markers are decided here."""

    store: Store
    marker: Marker
    imager: Imager
    inner: Processor

    async def prepare(self, records: Sequence[Record], *, again: bool) -> list[Change]:
        """One change per record."""
        done = [record for record in records if isinstance(record.payload, EntityDone)]
        others = [record for record in records if not isinstance(record.payload, EntityDone)]
        moved = iter(await self.inner.prepare(others, again=again) if others else [])
        marked = iter(await self._marked([record.payload.entity for record in done]))
        return [next(marked if isinstance(record.payload, EntityDone) else moved) for record in records]

    async def _marked(self, entities: Sequence[str]) -> list[Change]:
        at = {entity: self._path(entity) for entity in entities}
        wanted = [path for path in at.values() if isinstance(path, str)]
        found = {each.path: each for each in (await self.store.get(wanted) if wanted else [])}
        return [replace(self._change(entity, at[entity], found), marks=True) for entity in entities]

    def _path(self, entity: str) -> str | Refused:
        try:
            return self.marker.path(entity)
        except Refused as refused:
            return refused

    def _change(self, entity: str, at: str | Refused, found: dict[str, Document | Missing]) -> Change:
        if isinstance(at, Refused):
            return without_result(self.marker.template.replace("{entity}", entity), at)
        try:
            imaged = self._imaged(entity, found[at])
        except Refused as refused:
            return without_result(at, refused)
        if imaged is None:
            return Change(tallies.UNCHANGED)
        created = isinstance(found[at], Missing)
        return Change(tallies.CREATED if created else tallies.UPDATED, (imaged.write,), images=(imaged.image,))

    def _imaged(self, entity: str, there: Document | Missing) -> Imaged | None:
        kit = self.imager.kit
        if isinstance(there, Missing):
            return self.imager.create(there.path, self.marker.onto(kit, there.path, entity, {}), None)
        return self.imager.change(there, self.marker.onto(kit, there.path, entity, there.fields))
