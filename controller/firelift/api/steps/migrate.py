"""The verb `migrate`: move a cohort's documents."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from firelift.api.base import UNIQUE, Model, Name


class CohortSpec(Model):
    """Exactly one of the two. A percent is nested in every larger one."""

    percent: Annotated[int, Field(ge=1, le=100)] | None = None
    ids: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=512)], ...], Field(max_length=256)] | None = None


class MigrateStep(Model):
    """Run these migrations in the order of `spec.migrations`, for the cohort less what earlier phases moved."""

    migrations: Annotated[tuple[Name, ...], Field(min_length=1, max_length=20, json_schema_extra=UNIQUE)]
    cohort: CohortSpec
