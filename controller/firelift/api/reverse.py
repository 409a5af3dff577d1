"""`spec.migrations[].reverse`: the way back for documents that only the app ever wrote in the new shape."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar

from pydantic import Field

from firelift.api.paths import RESERVED, RESERVED_WORDS, matches
from firelift.api.rules import Rule, RuledModel, Rules
from firelift.api.transform import TransformSpec

_DOCUMENT = r"^[^/{}]+/[^/]+(/[^/{}]+/[^/]+)*$"
_PLACEHOLDERS = r"^([^{}]|\{(id|entity|doc\.[^{}]+)\})*\{(id|entity|doc\.[^{}]+)\}([^{}]|\{(id|entity|doc\.[^{}]+)\})*$"


class ReverseSpec(RuledModel):
    """A migration the other way. What it leaves out is the forward one inverted, as far as that can be."""

    document: Annotated[str, Field(min_length=3, max_length=1024)] | None = None
    """Where a document of the new shape goes, of a migration that copies: a path template over that document. Absent:
    into `source.collection` under its own id, where the target's last segment is ``{id}``."""
    transform: TransformSpec = TransformSpec()
    """The way from the new shape to the old one. Without `rename` and `python` the forward renames are inverted."""

    rules: ClassVar[Rules] = (
        Rule(
            f"!has(self.document) || (self.document.matches(r'{_DOCUMENT}')"
            f" && self.document.matches(r'{_PLACEHOLDERS}'))",
            "`document` must be collection ids and document ids in turn, with {id}, {entity} or {doc.<field path>} "
            "where document ids stand",
            lambda reverse: matches(_DOCUMENT, reverse.document) and matches(_PLACEHOLDERS, reverse.document),
            field=".document",
        ),
        Rule(
            f"!has(self.document) || !self.document.matches(r'{RESERVED}')",
            f"`document` {RESERVED_WORDS}",
            lambda reverse: reverse.document is None or re.search(RESERVED, reverse.document) is None,
            field=".document",
        ),
        Rule(
            "!has(self.transform.python) || !self.transform.python.many",
            "`reverse` must not have `python.many`: one document of the new shape is one of the old",
            lambda reverse: reverse.transform.python is None or not reverse.transform.python.many,
            field=".transform",
        ),
    )


def _reversible(migration: Any) -> bool:
    return migration.reverse is None or not (migration.transform.python and migration.reverse.transform.empty)


REVERSE_RULES = (
    Rule(
        "!has(self.reverse) || !has(self.target.forEach)"
        " && (!has(self.transform.python) || !self.transform.python.many)",
        "`reverse` must not come with one-to-many: several documents of the new shape are one of the old",
        lambda migration: migration.reverse is None or not migration.one_to_many,
        field=".reverse",
    ),
    Rule(
        "!has(self.reverse) || !has(self.target.inPlace) || (has(self.appliesWhen) && !has(self.reverse.document))",
        "`reverse` in place must come with `appliesWhen`, which tells the two shapes apart, and without `document`",
        lambda migration: (
            migration.reverse is None
            or not migration.in_place
            or (migration.applies_when is not None and migration.reverse.document is None)
        ),
        field=".reverse",
    ),
    Rule(
        "!has(self.reverse) || !has(self.target.document) || has(self.reverse.document)"
        " || (has(self.source.collection) && self.target.document.endsWith('/{id}'))",
        "`reverse` must have `document`, unless the source is one collection and the target ends in /{id}",
        lambda migration: (
            migration.reverse is None
            or migration.in_place
            or migration.reverse.document is not None
            or (migration.source.collection is not None and (migration.target.document or "").endswith("/{id}"))
        ),
        field=".reverse",
    ),
    Rule(
        "!has(self.reverse) || !has(self.transform.python) || has(self.reverse.transform.python)"
        " || self.reverse.transform.rename.size() > 0 || self.reverse.transform.set.size() > 0"
        " || self.reverse.transform.remove.size() > 0",
        "`reverse` of a Python transform must have a `transform` of its own: code cannot be inverted",
        _reversible,
        field=".reverse",
    ),
)
