"""`cohort.where`: a few simple conditions that the database itself can answer."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from firelift.api.base import FieldPathText
from firelift.api.rules import Rule, RuledModel, Rules

Text = Annotated[str, Field(max_length=512)]


class WhereCondition(RuledModel):
    """A field that equals a value: exactly one of the four. A document without the field does not."""

    field: FieldPathText
    """The path of the field. It must not be exempt from indexing."""
    equals: Text | None = None
    """This text."""
    any_of: Annotated[tuple[Text, ...], Field(min_length=1, max_length=30)] | None = None
    """One of these texts."""
    equals_integer: Annotated[int, Field(ge=-(2**53), le=2**53)] | None = None
    """This number."""
    is_: Annotated[bool | None, Field(alias="is")] = None
    """This boolean."""

    rules: ClassVar[Rules] = (
        Rule(
            "[has(self.equals), has(self.anyOf), has(self.equalsInteger), has(self.is)].exists_one(set, set)",
            "a condition must have exactly one of `equals`, `anyOf`, `equalsInteger` and `is`",
            lambda condition: len(condition.values) > 0 and condition.alone,
        ),
    )

    @property
    def values(self) -> tuple[str | int | bool, ...]:
        """The values, one of which the field has."""
        single = (self.equals, self.equals_integer, self.is_)
        return self.any_of or tuple(value for value in single if value is not None)

    @property
    def alone(self) -> bool:
        """Whether it says one thing only."""
        said = (self.equals, self.any_of, self.equals_integer, self.is_)
        return sum(each is not None for each in said) == 1
