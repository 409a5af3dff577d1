"""Whose record a document is, asked where only its path is known."""

from __future__ import annotations

from dataclasses import dataclass

from firelift.api.cohort import entity_text
from firelift.migration import fields
from firelift.migration.entities.order import Place, place
from firelift.migration.store import Document, FieldPath, Store


@dataclass(frozen=True, slots=True)
class Whose:
    """Tells where the entity of a record stands. `key` is the field that says whose it is, None for the record's id."""

    store: Store
    seed: str
    key: FieldPath | None

    def entity(self, document: Document) -> str | None:
        """The entity of a record, None where it has none that a cohort could have."""
        if self.key is None:
            return document.id
        stored = fields.get(self.store.values, document.fields, self.key)
        try:
            return None if stored is None else entity_text(self.store.values.decode(stored))
        except TypeError:
            return None

    async def place(self, path: str) -> Place | None:
        """Where the entity of the record at a path stands, None where that cannot be told any more.

        Raises:
            StoreError: when it cannot be read.
        """
        if self.key is None:
            return place(self.seed, path.rpartition("/")[2])
        (document,) = await self.store.get([path], mask=[self.key])
        entity = self.entity(document) if isinstance(document, Document) else None
        return None if entity is None else place(self.seed, entity)
