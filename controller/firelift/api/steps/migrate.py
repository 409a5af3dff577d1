"""The verb `migrate`: move a cohort's documents."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from firelift.api.base import Model, Name
from firelift.api.lists import AS_SET
from firelift.api.rules import Rule, RuledModel, Rules
from firelift.api.where import WhereCondition


class CohortSpec(RuledModel):
    """Who moves: exactly one of the three."""

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
    where: Annotated[tuple[WhereCondition, ...], Field(min_length=1, max_length=4)] | None = None
    """The entities whose document in `entityCollection` keeps all of these; without one the source documents that
    do."""

    rules: ClassVar[Rules] = (
        Rule(
            "[has(self.percent), has(self.ids), has(self.where)].exists_one(set, set)",
            "a cohort must have exactly one of `percent`, `ids` and `where`",
            lambda cohort: [cohort.percent, cohort.ids, cohort.where].count(None) == 2,  # noqa: PLR2004 - all but one
        ),
        Rule(
            "!has(self.where) || self.where.filter(each, has(each.anyOf)).size() <= 1",
            "a cohort must have `anyOf` in one condition at most: the database would have to try every combination",
            lambda cohort: sum(each.any_of is not None for each in cohort.where or ()) <= 1,
            field=".where",
        ),
    )


class MigrateStep(Model):
    """Run these migrations in the order of `spec.migrations`, for the cohort less what earlier phases moved."""

    migrations: Annotated[tuple[Name, ...], Field(min_length=1, max_length=12), AS_SET]
    """Their names."""
    cohort: CohortSpec
