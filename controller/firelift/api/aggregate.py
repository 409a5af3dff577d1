"""`target.aggregate`: many documents of an entity become one."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from firelift.api.base import Expression, FieldPathText, Model
from firelift.api.paths import RESERVED, RESERVED_WORDS, is_unreserved, matches
from firelift.api.rules import Rule, RuledModel, Rules

_TEMPLATE = r"^[^/{}]+/([^/{}]|\{[a-z][A-Za-z0-9]*\})+(/[^/{}]+/([^/{}]|\{[a-z][A-Za-z0-9]*\})+)*$"

KeyName = Annotated[str, Field(min_length=1, max_length=32, pattern=r"^[a-z][A-Za-z0-9]*$")]


class AggregateField(RuledModel):
    """What one field of the target has of all documents of a group: exactly one of these, each CEL over `doc`."""

    count: Expression | None = None
    """How many documents this is true for."""
    sum: Expression | None = None
    """The sum; of integers an integer."""
    min: Expression | None = None
    """The least: of numbers, of texts or of times."""
    max: Expression | None = None
    """The greatest."""
    avg: Expression | None = None
    """The average, always a double."""
    first: Expression | None = None
    """Of the first document in the order of `orderBy`."""
    last: Expression | None = None
    """Of the last one; for both, documents for which it is null are passed over."""

    rules: ClassVar[Rules] = (
        Rule(
            "[has(self.count), has(self.sum), has(self.min), has(self.max), has(self.avg), has(self.first),"
            " has(self.last)].exists_one(set, set)",
            "a field of an aggregate must have exactly one of `count`, `sum`, `min`, `max`, `avg`, `first` and `last`",
            lambda each: len(each.said) == 1,
        ),
    )

    @property
    def said(self) -> dict[str, str]:
        """The operations that are set, with their expressions."""
        names = ("count", "sum", "min", "max", "avg", "first", "last")
        return {name: text for name in names if (text := getattr(self, name)) is not None}


class Reducer(Model):
    """A function ``(documents: list[dict], context) -> dict | None`` named as ``module:attribute``."""

    entrypoint: Annotated[str, Field(max_length=253, pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")]
    """Such as ``shop.statistics:streaks``; it must be importable in the worker's image."""


class AggregateSpec(RuledModel):
    """One document for all documents of an entity that have the same keys."""

    document: Annotated[str, Field(min_length=3, max_length=1024)]
    """Its path, such as ``users/{entity}/daily_stats/{day}``: `{entity}` is a segment, the others are of `keys`."""
    keys: Annotated[dict[KeyName, Expression], Field(max_length=4)] = {}
    """CEL over `doc`, each a text or an integer: documents with the same keys are a group."""
    order_by: Expression | None = None
    """CEL over `doc`: the order in a group, for `first`, `last` and `python`. Absent or equal: the order of paths."""
    set: Annotated[dict[FieldPathText, AggregateField], Field(max_length=32)] = {}
    """From field path of the target to what it has of the group."""
    python: Reducer | None = None
    """A function that makes the target's fields instead."""
    fingerprint_field: FieldPathText | None = None
    """A field of the target that tells from which versions of which documents it was made."""

    rules: ClassVar[Rules] = (
        Rule(
            f"self.document.matches(r'{_TEMPLATE}') && ('/' + self.document + '/').contains('/{{entity}}/')",
            "`document` of an aggregate must be collection ids and document ids in turn, one of these `{entity}`",
            lambda spec: matches(_TEMPLATE, spec.document) and "{entity}" in spec.document.split("/"),
            field=".document",
        ),
        Rule(
            f"!self.document.matches(r'{RESERVED}')",
            f"`document` {RESERVED_WORDS}",
            lambda spec: is_unreserved(spec.document),
            field=".document",
        ),
        Rule(
            "self.keys.all(key, self.document.contains('{' + key + '}'))",
            "`document` of an aggregate must have all `keys`, or groups would share a document",
            lambda spec: all("{" + key + "}" in spec.document for key in spec.keys),
            field=".keys",
        ),
        Rule(
            "has(self.python) != (self.set.size() > 0)",
            "an aggregate must have either `set` or `python`",
            lambda spec: (spec.python is not None) != bool(spec.set),
        ),
    )


AGGREGATE_RULES = (
    Rule(
        "!has(self.target.aggregate) || has(self.entityKey)",
        "`target.aggregate` must come with `entityKey`: a group is of one entity",
        lambda migration: migration.target.aggregate is None or migration.entity_key is not None,
        field=".entityKey",
    ),
    Rule(
        "!has(self.target.aggregate) || (!has(self.transform.python) && self.transform.rename.size() == 0"
        " && self.transform.set.size() == 0 && self.transform.remove.size() == 0 && self.validate.size() == 0"
        " && !has(self.entityMarker) && !has(self.reverse))",
        "`target.aggregate` must come without `transform`, `validate`, `entityMarker` and `reverse`",
        lambda migration: (
            migration.target.aggregate is None
            or not (
                not migration.transform.empty or migration.validate_ or migration.entity_marker or migration.reverse
            )
        ),
        field=".target",
    ),
)
