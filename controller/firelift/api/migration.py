"""`spec.migrations[]`: what becomes of a document."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from firelift.api.base import Expression, FieldPathText, Model, Name, Sentence

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


class SourceSpec(Model):
    """Where documents are read: exactly one of the two."""

    collection: CollectionPath | None = None
    collection_group: Annotated[str, Field(min_length=1, max_length=512)] | None = None


class InPlace(Model):
    """The target is the source document itself."""


class TargetSpec(Model):
    """Where documents are written: exactly one of the two.

    `document` is a path template such as ``users/{doc.userId}/logs/{id}``; placeholders are ``{id}``, ``{entity}``
    and ``{doc.<field path>}``, each of which must be a string or an integer that makes one valid path segment.
    """

    document: Annotated[str, Field(min_length=3, max_length=1024)] | None = None
    in_place: InPlace | None = None


class PythonTransform(Model):
    """A function ``(doc: dict, context: Context) -> dict | None`` named as ``module:attribute``."""

    entrypoint: Annotated[str, Field(max_length=253, pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")]


class TransformSpec(Model):
    """Rename, then set, then remove; or a Python function instead of all three."""

    rename: Annotated[dict[FieldPathText, FieldPathText], Field(max_length=64)] = {}
    set: Annotated[dict[FieldPathText, Expression], Field(max_length=64)] = {}
    remove: Annotated[tuple[FieldPathText, ...], Field(max_length=64)] = ()
    python: PythonTransform | None = None


class MarkerSpec(Model):
    """A field and value that an in-place migration writes, and that says "already done"."""

    field: FieldPathText
    value: Annotated[str, Field(max_length=253)]


class ValidateRule(Model):
    """A CEL rule over `doc` (the source) and `out` (the result) that must be true."""

    rule: Expression
    message: Sentence = ""


class MigrationSpec(Model):
    """One source, one target and the way from one to the other."""

    name: Name
    source: SourceSpec
    target: TargetSpec
    entity_key: FieldPathText | None = None
    transform: TransformSpec = TransformSpec()
    applies_when: Expression | None = None
    marker: MarkerSpec | None = None
    validate_: Annotated[tuple[ValidateRule, ...], Field(max_length=32, alias="validate")] = ()
    on_invalid: OnInvalid = OnInvalid.DEAD_LETTER
    on_existing: OnExisting = OnExisting.FILL_MISSING
    on_revert_conflict: OnRevertConflict = OnRevertConflict.KEEP
    ignore_fields: Annotated[tuple[FieldPathText, ...], Field(max_length=32)] = ()

    @property
    def in_place(self) -> bool:
        """Whether the target is the source document."""
        return self.target.in_place is not None

    @property
    def lock_group(self) -> str:
        """The collection group that this migration writes; one rollout at a time may hold it."""
        if self.target.document is not None:
            return self.target.document.split("/")[-2]
        return self.source.collection_group or (self.source.collection or "").split("/")[-1]
