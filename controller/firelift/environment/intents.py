"""What a decision wants done. Each intent is idempotent by its name: doing it twice is doing it once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from firelift.api.environment.status import EnvironmentStatus
from firelift.environment.state import EnvironmentState, Run


@dataclass(frozen=True, slots=True)
class StartRun:
    """Terraform does this, unless this process has begun it already or its outcome is known.

    A plan is kept under the run's id before its outcome is told, with its text for people. An apply first keeps the
    bundle that the plan was made from as the one that was applied last, then applies exactly the saved plan of
    `run.plan`, and publishes the outputs before its outcome is told.
    """

    run: Run
    timeout_seconds: int


@dataclass(frozen=True, slots=True)
class KeepPlans:
    """The saved plans of these runs are kept; those of any other run of the object are gone."""

    runs: frozenset[str]


@dataclass(frozen=True, slots=True)
class DropMemory:
    """Nothing is kept of the object any more but, if it was retained, its state and the bundle of its last apply."""

    state_too: bool


@dataclass(frozen=True, slots=True)
class EmitEvent:
    """A Kubernetes Event on the object."""

    reason: str
    message: str
    warning: bool = False


Intent: TypeAlias = StartRun | KeepPlans | DropMemory | EmitEvent


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome of a turn.

    The operator records `state`, then writes `status`, then does the intents in order; when one of the first two is
    refused because somebody else was faster, nothing after it happens and the turn begins anew. `due` is when the next
    turn is needed at the latest. `finalizer`: whether the object needs Firelift at its deletion.
    """

    state: EnvironmentState
    status: EnvironmentStatus
    intents: tuple[Intent, ...]
    due: datetime
    finalizer: bool
