"""`spec.requires`: what must stand before a rollout goes forward. A revert waits for none of it."""

from __future__ import annotations

from firelift.api.base import Model, ObjectName
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


class RequiresSpec(Model):
    """Asked before each phase, and before each of its steps that changes anything."""

    environment: RequiredEnvironment | None = None
    backup: RequiredBackup | None = None
