"""`spec.indexes`: composite indexes, and fields that are indexed otherwise than Firestore would."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from firelift.api.base import Model
from firelift.api.environment.vocabulary import CollectionId, IndexedPath, IndexesFile, Key
from firelift.api.lists import Unique
from firelift.api.rules import Rule, RuledModel, Rules

DOCUMENT_NAME = "__name__"


class Scope(StrEnum):
    """Which collections one query over the index can span."""

    COLLECTION = "COLLECTION"
    COLLECTION_GROUP = "COLLECTION_GROUP"


class Order(StrEnum):
    """The direction of a field in an index."""

    ASCENDING = "ASCENDING"
    DESCENDING = "DESCENDING"


class ArrayConfig(StrEnum):
    """How the elements of an array are indexed."""

    CONTAINS = "CONTAINS"


class VectorConfig(Model):
    """A flat index for nearest neighbours."""

    dimension: Annotated[int, Field(ge=1, le=2048)]
    """How many numbers each vector has."""


class IndexField(RuledModel):
    """A field of a composite index: exactly one of `order`, `array_config` and `vector`."""

    path: IndexedPath
    """Its path in a document."""
    order: Order | None = None
    array_config: ArrayConfig | None = None
    vector: VectorConfig | None = None

    rules: ClassVar[Rules] = (
        Rule(
            "[has(self.order), has(self.arrayConfig), has(self.vector)].exists_one(set, set)",
            "a field of an index must have exactly one of `order`, `arrayConfig` and `vector`",
            lambda each: [each.order, each.array_config, each.vector].count(None) == 2,  # noqa: PLR2004 - all but one
        ),
    )


class CompositeIndex(RuledModel):
    """An index over several fields of a collection, or over a vector."""

    collection: CollectionId
    """The collection's id, without the documents that it is under."""
    scope: Scope = Scope.COLLECTION
    fields: Annotated[tuple[IndexField, ...], Field(min_length=1, max_length=32), Unique("path")]
    """In the index's order. Firestore itself appends `__name__` in the direction of the last one."""

    rules: ClassVar[Rules] = (
        Rule(
            "self.fields.filter(f, has(f.arrayConfig)).size() <= 1",
            "an index must have at most one field with `arrayConfig`",
            lambda index: sum(field.array_config is not None for field in index.fields) <= 1,
            field=".fields",
        ),
        Rule(
            "self.fields.all(i, f, !has(f.vector) || i == self.fields.size() - 1)",
            "the field with `vector` must be the last one of its index",
            lambda index: all(field.vector is None for field in index.fields[:-1]),
            field=".fields",
        ),
        Rule(
            "self.fields.all(i, f, f.path != '__name__' || (i == self.fields.size() - 1 && has(f.order)))",
            "`__name__` must only be the last field of an index, with the `order` to force: Firestore appends it",
            lambda index: all(
                field.path != DOCUMENT_NAME or (place == len(index.fields) - 1 and field.order is not None)
                for place, field in enumerate(index.fields)
            ),
            field=".fields",
        ),
    )


class SingleFieldIndex(RuledModel):
    """One index of one field: exactly one of `order` and `array_config`."""

    order: Order | None = None
    array_config: ArrayConfig | None = None
    scope: Scope = Scope.COLLECTION

    rules: ClassVar[Rules] = (
        Rule(
            "has(self.order) != has(self.arrayConfig)",
            "an index of one field must have exactly one of `order` and `arrayConfig`",
            lambda index: (index.order is None) != (index.array_config is None),
        ),
    )


class FieldOverride(RuledModel):
    """What is indexed of one field of a collection group, in place of Firestore's own three indexes."""

    collection: CollectionId
    """The collection group's id."""
    path: IndexedPath
    """Its path in a document; `*` is every field without an override of its own."""
    indexed: bool = True
    """False: no index of this field at all, which hot ranges and long texts want."""
    indexes: Annotated[tuple[SingleFieldIndex, ...], Field(max_length=8)] = ()
    """These, and no others."""

    rules: ClassVar[Rules] = (
        Rule(
            "self.indexed == (self.indexes.size() > 0)",
            "an override must have either `indexed: false` or `indexes`: without one, Firestore's own indexes stand",
            lambda field: field.indexed == bool(field.indexes),
        ),
    )


class IndexesSpec(RuledModel):
    """The indexes of a file and of this object together; a key of this object wins over the same key of the file."""

    from_config_map: IndexesFile | None = None
    composite: Annotated[dict[Key, CompositeIndex], Field(max_length=200)] = {}
    """Over several fields, or over a vector."""
    fields: Annotated[dict[Key, FieldOverride], Field(max_length=100)] = {}
    """Of single fields, where Firestore's own are not what is wanted."""
    ledger: bool = False
    """Firelift's own documents are looked after: no index on any of their fields, and a TTL, so that what a rollout has
    left behind goes by itself when its retention is over."""

    rules: ClassVar[Rules] = (
        Rule(
            "self.fields.all(k, self.fields.exists_one(l, self.fields[l].path == self.fields[k].path"
            " && self.fields[l].collection == self.fields[k].collection))",
            "a field of a collection must have one override only: the last one applied would win",
            lambda spec: len({(each.collection, each.path) for each in spec.fields.values()}) == len(spec.fields),
            field=".fields",
        ),
    )


class TtlSpec(Model):
    """Documents of a collection group go when the time in one of their fields has passed."""

    collection: CollectionId
    """The collection group's id."""
    path: Annotated[str, Field(min_length=1, max_length=512, pattern=r"^[^*]+$")]
    """A field that holds timestamps. Of anything else Firestore deletes nothing, so that is refused."""
    keep_indexed: bool = False
    """A TTL's timestamp is a hot range, so that its single-field indexes go unless they are kept."""
