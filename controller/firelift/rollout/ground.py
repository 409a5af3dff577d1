"""The ground that a rollout stands on, as it is seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from firelift.api.conditions import ConditionStatus, Reason
from firelift.api.status import PromotionStatus


@dataclass(frozen=True, slots=True)
class ConditionSeen:
    """A condition of an environment, and the generation that it speaks of."""

    status: ConditionStatus
    reason: str = ""
    message: str = ""
    generation: int = 0
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class IndexSeen:
    """A declared composite index, since when it is in its state, and how far it is. Without a state: not declared."""

    name: str
    collection: str = ""
    state: str = ""
    since: datetime | None = None
    progress: str = ""


@dataclass(frozen=True, slots=True)
class EnvironmentSeen:
    """A `FirestoreEnvironment` of the rollout's namespace. `error`: it could not be read, and why."""

    exists: bool = False
    project: str = ""
    database: str = ""
    generation: int = 0
    observed_generation: int = 0
    deleting: bool = False
    conditions: Mapping[str, ConditionSeen] = field(default_factory=dict)
    indexes: tuple[IndexSeen, ...] = ()
    error: str = ""


class RolloutKey(NamedTuple):
    """A rollout's place."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class RolloutSeen:
    """Another `MigrationRollout`; one that this namespace may not see does not exist.

    `error`: it could not be read, and why. `invalid`: its spec could not, and why. `requires` are those that it waits
    for itself.
    """

    exists: bool = False
    generation: int = 0
    observed_generation: int = 0
    deleting: bool = False
    reason: str = ""
    phase: str = ""
    migrations_digest: str = ""
    worker_image: str = ""
    promotion: PromotionStatus | None = None
    requires: tuple[RolloutKey, ...] = ()
    invalid: str = ""
    error: str = ""

    @property
    def completed(self) -> datetime | None:
        """Since when everything that is asked of it now has been done and stands; None when it is not so."""
        fresh = self.exists and not self.deleting and not self.invalid and self.observed_generation == self.generation
        stands = fresh and self.reason == Reason.COMPLETED and self.promotion is not None
        return self.promotion.completed_time if stands and self.promotion is not None else None
