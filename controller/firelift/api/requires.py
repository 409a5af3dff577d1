"""`spec.requires`: what must stand before a rollout goes forward. A revert waits for none of it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from firelift.api.base import DigestText, Model, Name, ObjectName, Seconds
from firelift.api.rules import Rule, RuledModel, Rules
from firelift.api.steps.backup import MaxAge, MinBytes


class RequiredEnvironment(Model):
    """A `FirestoreEnvironment` in the rollout's namespace that declares the rollout's database."""

    name: ObjectName
    """It must be Ready, for the generation of its spec that stands now."""


class RequiredBackup(Model):
    """A backup of the rollout's database, or an export of all that the rollout touches."""

    max_age_seconds: MaxAge
    """Its age at the first write. The one that was found then is what the rollout stands on: it may grow older while
    it exists, and when it is gone another one must be young enough."""
    min_bytes: MinBytes = 1
    """The least size, as Firestore tells it."""


class Same(StrEnum):
    """What two rollouts must have in common for one to be proof of the other."""

    PLAN = "Plan"
    """Migrations, the worker's image, and the steps of each phase that touch data or flags."""
    MIGRATIONS = "Migrations"
    """Migrations and the worker's image, in whatever phases and cohorts."""


class RequiredRollout(RuledModel):
    """A `MigrationRollout` that has completed the same before, as staging does before production."""

    name: ObjectName | None = None
    """It must be Completed: one that was reverted, or is going back, or is being deleted, is none."""
    namespace: Name | None = None
    """Where it is. Absent: here. One of another namespace must name this one in its `promotesTo`."""
    digest: DigestText | None = None
    """In place of a name, for one of another cluster: what its `status.promotion.digest` says, or with
    `same: Migrations` its `status.migrationsDigest`, put here by whoever has seen it complete."""
    same: Same = Same.PLAN
    """What they must have in common."""
    soaked_seconds: Seconds = 0
    """For how long it must have been Completed."""

    rules: ClassVar[Rules] = (
        Rule(
            "has(self.name) != has(self.digest)",
            "a required rollout must have exactly one of `name` and `digest`",
            lambda required: (required.name is None) != (required.digest is None),
        ),
        Rule(
            "has(self.name) || (!has(self.namespace) && self.soakedSeconds == 0)",
            "`namespace` and `soakedSeconds` must come with `name`: of a digest nobody knows where and since when",
            lambda required: required.name is not None or (required.namespace is None and required.soaked_seconds == 0),
        ),
    )


class RequiresSpec(Model):
    """Asked before each phase, and before each of its steps that changes anything."""

    environment: RequiredEnvironment | None = None
    backup: RequiredBackup | None = None
    rollouts: Annotated[tuple[RequiredRollout, ...], Field(max_length=8)] = ()
    """Each must have completed the same as this rollout is to do."""
