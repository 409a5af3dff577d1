"""The verb `migrate`: move a cohort's documents."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from firelift.api.base import Model, Name
from firelift.api.lists import AS_SET
from firelift.api.rules import Rule, RuledModel, Rules


class CohortSpec(RuledModel):
    """Who moves: exactly one of the two."""

    percent: Annotated[int, Field(ge=1, le=100)] | None = None
    """The entities whose bucket lies below it; a percent is nested in every larger one."""
    ids: (
        Annotated[
            tuple[Annotated[str, Field(min_length=1, max_length=512)], ...],
            Field(min_length=1, max_length=256),
            AS_SET,
        ]
        | None
    ) = None
    """These entities."""

    rules: ClassVar[Rules] = (
        Rule(
            "has(self.percent) != has(self.ids)",
            "a cohort must have exactly one of `percent` and `ids`",
            lambda cohort: (cohort.percent is None) != (cohort.ids is None),
        ),
    )


class MigrateStep(Model):
    """Run these migrations in the order of `spec.migrations`, for the cohort less what earlier phases moved."""

    migrations: Annotated[tuple[Name, ...], Field(min_length=1, max_length=12), AS_SET]
    """Their names."""
    cohort: CohortSpec
