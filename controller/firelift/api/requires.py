"""`spec.requires`: what must stand before a rollout goes forward. A revert waits for none of it."""

from __future__ import annotations

from firelift.api.base import Model, ObjectName


class RequiredEnvironment(Model):
    """A `FirestoreEnvironment` in the rollout's namespace that declares the rollout's database."""

    name: ObjectName
    """It must be Ready, for the generation of its spec that stands now."""


class RequiresSpec(Model):
    """Asked before each phase, and before each of its steps that changes anything."""

    environment: RequiredEnvironment | None = None
