"""What becomes of one document's fields."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from firelift.api.base import Expression, FieldPathText, Model
from firelift.api.lists import AS_SET
from firelift.api.rules import Rule, RuledModel, Rules


class PythonTransform(Model):
    """A function ``(doc: Document, context: Context) -> Document | None`` named as ``module:attribute``."""

    entrypoint: Annotated[str, Field(max_length=253, pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")]
    """Such as ``shop.migrations:convert``; it must be importable in the worker's image."""
    many: bool = False
    """One-to-many: it answers a list of documents, or of `Element`s."""


class TransformSpec(RuledModel):
    """Rename, then set, then remove; or a Python function instead of all three."""

    rename: Annotated[dict[FieldPathText, FieldPathText], Field(max_length=64)] = {}
    """From field path to field path; the value is copied as it is stored, whatever its type."""
    set: Annotated[dict[FieldPathText, Expression], Field(max_length=64)] = {}
    """From field path to a CEL expression over `doc`, `id`, `path`, `entity` and `now`."""
    remove: Annotated[tuple[FieldPathText, ...], Field(max_length=64), AS_SET] = ()
    """Field paths that the result does not have."""
    python: PythonTransform | None = None
    """A Python function that makes the result instead."""

    rules: ClassVar[Rules] = (
        Rule(
            "!has(self.python) || (self.rename.size() == 0 && self.set.size() == 0 && self.remove.size() == 0)",
            "a transform must have either `python` or `rename`, `set` and `remove`, not both",
            lambda transform: transform.python is None or not (transform.rename or transform.set or transform.remove),
        ),
    )

    @property
    def empty(self) -> bool:
        """Whether documents are left as they are."""
        return not (self.rename or self.set or self.remove or self.python)
