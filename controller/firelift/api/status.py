"""`MigrationRollout.status`: observation only, derived anew each turn."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import Field, PlainSerializer

from firelift.api.base import Model
from firelift.api.conditions import ConditionStatus, ConditionType
from firelift.api.lists import BY_NAME, BY_TYPE
from firelift.api.plan import Check, PhaseEstimate


def _seconds(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


Moment = Annotated[datetime, PlainSerializer(_seconds, when_used="json")]
"""A time in whole seconds of UTC, as Kubernetes writes it."""

Short = Annotated[str, Field(max_length=128)]
Line = Annotated[str, Field(max_length=1024)]
Person = Annotated[str, Field(max_length=253)]
"""A user as an approval names one."""


class ObservedCondition(Model):
    """A metav1.Condition but for its type, of which each kind has its own."""

    status: ConditionStatus
    reason: Short
    message: Line = ""
    observed_generation: int = 0
    last_transition_time: Moment


class Condition(ObservedCondition):
    """A metav1.Condition."""

    type: ConditionType


class Verdict(Model):
    """One judged interval of a gate."""

    time: Moment
    verdict: Short
    value: Short = ""


class GateStatus(Model):
    """What a gate says now, and its last five verdicts."""

    name: Short
    verdict: Short
    value: Short = ""
    limit: Short = ""
    samples: int = 0
    time: Moment | None = None
    message: Line = ""
    last: Annotated[tuple[Verdict, ...], Field(max_length=5)] = ()


class StepStatus(Model):
    """How far a step is."""

    name: Short
    state: Short
    start_time: Moment | None = None
    finish_time: Moment | None = None
    message: Line = ""


class PhaseStatus(Model):
    """How far a phase is, and how many documents it has moved."""

    name: Short
    state: Short
    start_time: Moment | None = None
    finish_time: Moment | None = None
    documents: int = 0
    dead_letters: int = 0
    conflicts: int = 0
    rehearsal: Short = ""
    """Of a phase that is rehearsed: Forward, Back or Done."""
    steps: Annotated[tuple[StepStatus, ...], Field(max_length=16)] = ()


class ApprovalStatus(Model):
    """What a decision must be bound to, and for what it is asked, if it is."""

    digest: Short
    phase: Short = ""
    step: Short = ""
    required: bool = False
    given: Annotated[tuple[Person, ...], Field(max_length=10)] = ()
    requested_time: Moment | None = None


class WaitingFor(Model):
    """Who holds what this rollout waits for, or which environment, rollout or index is not there yet."""

    name: Annotated[str, Field(max_length=512)]
    position: int = 0
    since: Moment | None = None


class PlanStatus(Model):
    """What the phases that are still to come will move and cost, as the last plan found it."""

    digest: Short
    """Of the whole plan; an approval is bound to it."""
    config_map: Person = ""
    """Where the whole plan is."""
    time: Moment | None = None
    phases: Annotated[tuple[PhaseEstimate, ...], Field(max_length=20), BY_NAME] = ()


class PromotedPart(Model):
    """One part of a plan, such as ``migration fitness-logs``, ``phase everyone`` or ``image``."""

    name: Short
    digest: Short
    """The first digits: enough to see which part of two plans differs."""


class PromotionStatus(Model):
    """What a rollout that requires this one compares with itself; database, pace and gates are no part of it."""

    digest: Short
    """Of all parts. A rollout of another cluster can name it in `requires.rollouts[].digest`."""
    parts: Annotated[tuple[PromotedPart, ...], Field(max_length=48), BY_NAME] = ()
    completed_time: Moment | None = None
    """Since when all of it has been done and stands."""


class HistoryEntry(Model):
    """One thing that happened."""

    time: Moment
    reason: Short
    message: Line = ""


class RolloutStatus(Model):
    """Everything that on-call reads."""

    observed_generation: int = 0
    phase: Short = ""
    step: Short = ""
    progress: Short = ""
    rate: Short = ""
    pace: Short = ""
    """What the rollout may write each second, of what its database may, and why no more."""
    gates_summary: Short = ""
    reason: Short = ""
    message: Line = ""
    attempt: int = 0
    conditions: Annotated[tuple[Condition, ...], Field(max_length=8), BY_TYPE] = ()
    started_phases: Annotated[tuple[Short, ...], Field(max_length=20)] = ()
    phases: Annotated[tuple[PhaseStatus, ...], Field(max_length=20), BY_NAME] = ()
    gates: Annotated[tuple[GateStatus, ...], Field(max_length=32), BY_NAME] = ()
    preflight: Annotated[tuple[Check, ...], Field(max_length=64)] = ()
    plan: PlanStatus | None = None
    approval: ApprovalStatus | None = None
    waiting_for: WaitingFor | None = None
    history: Annotated[tuple[HistoryEntry, ...], Field(max_length=20)] = ()
    revertible_until: Moment | None = None
    migrations_digest: Short = ""
    """Of the migrations that the phases use, and the worker's image."""
    promotion: PromotionStatus | None = None
    worker_image: Annotated[str, Field(max_length=512)] = ""
