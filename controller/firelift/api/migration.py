"""`spec.migrations[]`: what becomes of a document."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from firelift.api.aggregate import AGGREGATE_RULES, AggregateSpec
from firelift.api.base import Expression, FieldPathText, Model, Name, Sentence
from firelift.api.entities import ENTITY_RULES, MARKER_RULES
from firelift.api.lists import AS_SET
from firelift.api.paths import ELEMENT_RULES, NOT_INTO_ITS_SOURCE, SOURCE_RULES, TARGET_RULES
from firelift.api.reverse import REVERSE_RULES, ReverseSpec
from firelift.api.rules import Rule, RuledModel, Rules
from firelift.api.transform import TransformSpec

CollectionPath = Annotated[str, Field(min_length=1, max_length=1024)]


class OnInvalid(StrEnum):
    """What a record that breaks a `validate` rule leads to."""

    DEAD_LETTER = "DeadLetter"
    FAIL = "Fail"


class OnExisting(StrEnum):
    """What to do where the target document exists."""

    FILL_MISSING = "FillMissing"
    SKIP = "Skip"
    OVERWRITE = "Overwrite"
    KEEP_NEWER = "KeepNewer"


class OnRevertConflict(StrEnum):
    """What a revert does with a document that the app has changed since."""

    KEEP = "Keep"
    RESTORE = "Restore"
    QUARANTINE = "Quarantine"


class SourceSpec(RuledModel):
    """Where documents are read: exactly one of the two."""

    collection: CollectionPath | None = None
    """The path of one collection, such as ``fitness_logs`` or ``users/ada/logs``."""
    collection_group: Annotated[str, Field(min_length=1, max_length=512)] | None = None
    """The id of all collections of that name, wherever they are."""

    rules: ClassVar[Rules] = SOURCE_RULES


class InPlace(Model):
    """The target is the source document itself."""


class TargetSpec(RuledModel):
    """Where documents are written: exactly one of `document`, `in_place` and `aggregate`."""

    document: Annotated[str, Field(min_length=3, max_length=1024)] | None = None
    """A path template such as ``users/{doc.userId}/logs/{id}``; placeholders are ``{id}``, ``{entity}`` and
    ``{doc.<field path>}``, in one-to-many also ``{item.<field path>}``, ``{item}`` and ``{index}``; each must be a
    string or an integer that makes one valid path segment."""
    for_each: Expression | None = None
    """One-to-many: CEL over the source that answers a list, each item of which becomes a document of its own."""
    in_place: InPlace | None = None
    """The source document itself; `applies_when` or `marker` then says which documents are still to do."""
    aggregate: AggregateSpec | None = None
    """Many-to-one: a document for each group of an entity's documents."""

    rules: ClassVar[Rules] = TARGET_RULES


class MarkerSpec(Model):
    """A field and value that an in-place migration writes, and that says "already done"."""

    field: FieldPathText
    """The path of the field that is written."""
    value: Annotated[str, Field(max_length=253)]
    """The string that the field then has."""


class EntityMarkerSpec(RuledModel):
    """A document that tells the app that all records of an entity have moved."""

    document: Annotated[str, Field(min_length=3, max_length=1024)]
    """Its path, such as ``users/{entity}/meta/migration``; the only placeholder is ``{entity}``."""
    set: Annotated[dict[FieldPathText, Expression], Field(min_length=1, max_length=16)]
    """From field path to a CEL expression over `entity`, `id`, `path` and `now`."""

    rules: ClassVar[Rules] = MARKER_RULES


class ValidateRule(Model):
    """A CEL rule over `doc` (the source) and `out` (the result) that must be true."""

    rule: Expression
    """CEL that must be true."""
    message: Sentence = ""
    """What a dead letter says when it is not."""


class MigrationSpec(RuledModel):
    """One source, one target and the way from one to the other."""

    name: Name
    """What steps, runs and the ledger call it."""
    source: SourceSpec
    target: TargetSpec
    entity_key: FieldPathText | None = None
    """The field that says whose record it is: a cohort moves all records of an entity together. Absent: the id."""
    entity_collection: CollectionPath | None = None
    """Where the entities are listed: documents whose ids are the values of `entity_key`. A phase then reads just the
    records of its own entities; 100 % also scans the source, for records whose entity has no document."""
    entity_marker: EntityMarkerSpec | None = None
    """Written after the last record of an entity, and taken away first when a revert begins."""
    transform: TransformSpec = TransformSpec()
    reverse: ReverseSpec | None = None
    """How a revert takes documents back that the app wrote in the new shape alone. Absent: they stay as they are."""
    applies_when: Expression | None = None
    """CEL over `doc`, `id`, `path` and `entity`: false leaves the document alone."""
    marker: MarkerSpec | None = None
    validate_: Annotated[tuple[ValidateRule, ...], Field(max_length=32, alias="validate")] = ()
    """Rules that a result must keep."""
    on_invalid: OnInvalid = OnInvalid.DEAD_LETTER
    on_existing: OnExisting = OnExisting.FILL_MISSING
    on_revert_conflict: OnRevertConflict = OnRevertConflict.KEEP
    ignore_fields: Annotated[tuple[FieldPathText, ...], Field(max_length=32), AS_SET] = ()
    """Field paths that the app may change without making a conflict of it."""

    rules: ClassVar[Rules] = (
        Rule(
            "!has(self.target.inPlace) || has(self.appliesWhen) || has(self.marker)",
            "a migration in place must have `appliesWhen` or `marker`, or a second run would change documents twice",
            lambda migration: not migration.in_place or migration.applies_when or migration.marker,
        ),
        Rule(
            "!has(self.marker) || has(self.target.inPlace)",
            "`marker` must be used with `target.inPlace`",
            lambda migration: migration.marker is None or migration.in_place,
        ),
        Rule(
            "!has(self.target.inPlace) || has(self.transform.python) || self.transform.rename.size() > 0"
            " || self.transform.set.size() > 0 || self.transform.remove.size() > 0",
            "a migration in place must have a transform that does something",
            lambda migration: not migration.in_place or not migration.transform.empty,
        ),
        NOT_INTO_ITS_SOURCE,
        *ENTITY_RULES,
        *ELEMENT_RULES,
        *REVERSE_RULES,
        *AGGREGATE_RULES,
    )

    @property
    def in_place(self) -> bool:
        """Whether the target is the source document."""
        return self.target.in_place is not None

    @property
    def one_to_many(self) -> bool:
        """Whether a source becomes several documents."""
        return self.target.for_each is not None or (self.transform.python is not None and self.transform.python.many)

    @property
    def template(self) -> str | None:
        """The path template of its targets, None in place."""
        return self.target.aggregate.document if self.target.aggregate else self.target.document

    @property
    def lock_group(self) -> str:
        """The collection group of this migration's targets; one rollout at a time may hold it."""
        return self.source_group if self.template is None else self.template.split("/")[-2]

    @property
    def lock_groups(self) -> frozenset[str]:
        """All collection groups that it writes: that of its targets, and that of the entity markers."""
        marker = {self.entity_marker.document.split("/")[-2]} if self.entity_marker else frozenset[str]()
        return frozenset({self.lock_group, *marker})

    @property
    def source_group(self) -> str:
        """The collection group that it reads; whoever deletes sources holds this one."""
        return self.source.collection_group or (self.source.collection or "").split("/")[-1]
