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
    """One word; in Ready it is `status.reason`."""
    message: Line = ""
    """The same as a sentence."""
    observed_generation: int = 0
    """Of the spec that it was judged by."""
    last_transition_time: Moment
    """Since when `status` has been so."""


class Condition(ObservedCondition):
    """A metav1.Condition."""

    type: ConditionType


class Verdict(Model):
    """One judged interval of a gate."""

    time: Moment
    """The end of the interval."""
    verdict: Short
    """Pass, Fail, NoData, Error or Stale."""
    value: Short = ""
    """What was measured; empty without a value."""


class GateStatus(Model):
    """What a gate says now, and its last five verdicts."""

    name: Short
    """The gate's."""
    verdict: Short
    """Pass, Fail, NoData, Error, Stale, or Pending before the first one."""
    value: Short = ""
    """What was measured last, with its unit."""
    limit: Short = ""
    """What that is compared with, such as ``≤ 1%``."""
    samples: int = 0
    """How many points or events the value rests on."""
    time: Moment | None = None
    """The end of the last interval that was judged."""
    message: Line = ""
    """Why there is no verdict, or what failed, with both numbers and the query."""
    last: Annotated[tuple[Verdict, ...], Field(max_length=5)] = ()
    """The last five verdicts, the newest last."""


class StepStatus(Model):
    """How far a step is."""

    name: Short
    """The step's, which is its verb unless it was given one."""
    state: Short
    """Pending, Running, Done, Skipped, Failed, Undoing, Undone, or Kept by a revert."""
    start_time: Moment | None = None
    """When it began."""
    finish_time: Moment | None = None
    """When it ended."""
    message: Line = ""
    """What it does, or what came of it, with numbers."""


class PhaseStatus(Model):
    """How far a phase is, and how many documents it has moved."""

    name: Short
    """The phase's."""
    state: Short
    """Pending, Running, Done, Failed, Undoing or Undone."""
    start_time: Moment | None = None
    """When it began."""
    finish_time: Moment | None = None
    """When it ended."""
    documents: int = 0
    """Documents that it has moved."""
    dead_letters: int = 0
    """Records that could not move and are still open."""
    conflicts: int = 0
    """Documents that a revert has left to the app, which has changed them."""
    rehearsal: Short = ""
    """Of a phase that is rehearsed: Forward, Back or Done."""
    steps: Annotated[tuple[StepStatus, ...], Field(max_length=16)] = ()
    """Its steps in order."""


class ApprovalStatus(Model):
    """What a decision must be bound to, and for what it is asked, if it is."""

    digest: Short
    """What a `MigrationApproval` names; it changes with everything that is still to come."""
    phase: Short = ""
    """Where it is asked for."""
    step: Short = ""
    """Where it is asked for."""
    required: bool = False
    """Whether the rollout waits for it. A digest is there all the time, for decisions that nobody asks for."""
    given: Annotated[tuple[Person, ...], Field(max_length=10)] = ()
    """Who has approved this digest so far, by their user names."""
    requested_time: Moment | None = None
    """Since when it is asked for."""


class WaitingFor(Model):
    """Who holds what this rollout waits for, or which environment, rollout or index is not there yet."""

    name: Annotated[str, Field(max_length=512)]
    """The kind and name of it, such as ``MigrationRollout shop/logs``."""
    position: int = 0
    """The place in its queue, from 1; 0 where there is none."""
    since: Moment | None = None
    """Since when it is waited for."""


class PlanStatus(Model):
    """What the phases that are still to come will move and cost, as the last plan found it."""

    digest: Short
    """Of the whole plan; an approval is bound to it."""
    config_map: Person = ""
    """Where the whole plan is."""
    time: Moment | None = None
    """When it was made."""
    phases: Annotated[tuple[PhaseEstimate, ...], Field(max_length=20), BY_NAME] = ()
    """One entry for each phase."""


class PromotedPart(Model):
    """One part of a plan, such as ``migration fitness-logs``, ``phase everyone`` or ``image``."""

    name: Short
    """Its kind and name."""
    digest: Short
    """The first digits: enough to see which part of two plans differs."""


class PromotionStatus(Model):
    """What a rollout that requires this one compares with itself; database, pace and gates are no part of it."""

    digest: Short
    """Of all parts. A rollout of another cluster can name it in `requires.rollouts[].digest`."""
    parts: Annotated[tuple[PromotedPart, ...], Field(max_length=48), BY_NAME] = ()
    """One entry for each migration and phase, and one for the image."""
    completed_time: Moment | None = None
    """Since when all of it has been done and stands."""


class HistoryEntry(Model):
    """One thing that happened."""

    time: Moment
    """When."""
    reason: Short
    """The reason of that moment."""
    message: Line = ""
    """Its sentence."""


class RolloutStatus(Model):
    """Everything that on-call reads."""

    observed_generation: int = 0
    """Of the spec that everything below is about."""
    phase: Short = ""
    """Where it is."""
    step: Short = ""
    """Where it is in the phase."""
    progress: Short = ""
    """Of the step at hand, for people: ``41% 1.2M/3.0M 1,125/s ETA 25m``."""
    rate: Short = ""
    """Documents per second of the step at hand."""
    pace: Short = ""
    """What the rollout may write each second, of what its database may, and why no more."""
    gates_summary: Short = ""
    """How many gates pass, of how many, and the first that does not: ``0/1 error-rate Fail``."""
    reason: Short = ""
    """Why it is as it is, in one word: what a person must fix comes before what time will."""
    message: Line = ""
    """The same as one sentence, with numbers and what can be done."""
    attempt: int = 0
    """The `spec.attempt` that it works on."""
    conditions: Annotated[tuple[Condition, ...], Field(max_length=8), BY_TYPE] = ()
    """Ready, Reconciling, Stalled and Succeeded, as kstatus reads them."""
    started_phases: Annotated[tuple[Short, ...], Field(max_length=20)] = ()
    """Phases that have begun; the API server refuses edits of these."""
    phases: Annotated[tuple[PhaseStatus, ...], Field(max_length=20), BY_NAME] = ()
    """How far each phase is."""
    gates: Annotated[tuple[GateStatus, ...], Field(max_length=32), BY_NAME] = ()
    """The gates of the phase at hand."""
    preflight: Annotated[tuple[Check, ...], Field(max_length=64)] = ()
    """What was looked at before the first write."""
    plan: PlanStatus | None = None
    approval: ApprovalStatus | None = None
    waiting_for: WaitingFor | None = None
    history: Annotated[tuple[HistoryEntry, ...], Field(max_length=20)] = ()
    """The last twenty things that happened, the newest last."""
    revertible_until: Moment | None = None
    """Until when a success can be taken back."""
    migrations_digest: Short = ""
    """Of the migrations that the phases use, and the worker's image."""
    promotion: PromotionStatus | None = None
    worker_image: Annotated[str, Field(max_length=512)] = ""
    """The image that runs are made with, pinned."""
