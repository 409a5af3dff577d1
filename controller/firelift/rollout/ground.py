"""The ground that a rollout stands on, as it is seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from firelift.api.conditions import ConditionStatus


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
