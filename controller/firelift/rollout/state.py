"""What the rollout machine remembers between turns.

It is kept in the ledger's root document and changed there only under the precondition that nobody else has changed it:
that is what makes a frozen and revived leader harmless. The status of the object is derived from it.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from firelift.api.base import Model
from firelift.api.conditions import Reason
from firelift.api.gates import GateSpec
from firelift.api.migration import MigrationSpec
from firelift.api.rollout import PaceSpec, PhaseSpec, RevertTo
from firelift.api.run import Totals
from firelift.rollout.plan_state import PlanRecord, Trial
from firelift.rollout.transfer_state import StoodOn, TransferRecord

HISTORY = 20
VERDICTS = 20


class Mode(StrEnum):
    """Where a rollout is. `Paused` is "failed" in the words of the design: it waits for a person."""

    FORWARD = "Forward"
    PAUSED = "Paused"
    REVERTING = "Reverting"
    REVERT_FAILED = "RevertFailed"
    REVERTED = "Reverted"
    ABORTED = "Aborted"
    SUCCEEDED = "Succeeded"


class StepState(StrEnum):
    """Where a step is."""

    PENDING = "Pending"
    RUNNING = "Running"
    DONE = "Done"
    SKIPPED = "Skipped"
    FAILED = "Failed"
    UNDOING = "Undoing"
    UNDONE = "Undone"
    KEPT = "Kept"


class Rehearsal(StrEnum):
    """Where the rehearsal of a phase is."""

    FORWARD = "Forward"
    BACK = "Back"
    DONE = "Done"


class GateVerdict(StrEnum):
    """What one interval of a gate says."""

    PASS = "Pass"  # noqa: S105 - a verdict, not a password
    FAIL = "Fail"
    NO_DATA = "NoData"
    ERROR = "Error"
    STALE = "Stale"


class Judged(Model):
    """A verdict on one interval, with all that it rests on."""

    window_end: datetime
    verdict: GateVerdict
    value: str = ""
    limit: str = ""
    samples: int = 0
    query: str = ""
    message: str = ""


class GateRecord(Model):
    """A gate's memory for the step that it watches: a cursor over aligned intervals, tallies, the last verdicts."""

    name: str
    since: datetime
    """Only windows that begin at or after this time count: the step's start, or the end of its last standstill."""
    cursor: datetime
    """End of the last interval that was judged, or `since`."""
    judged: int = 0
    """Intervals with Pass or Fail."""
    recent: Annotated[tuple[bool, ...], Field(max_length=VERDICTS)] = ()
    """The last Pass (True) and Fail (False), oldest first: what `failAfter` counts."""
    last: Annotated[tuple[Judged, ...], Field(max_length=VERDICTS)] = ()
    absent_since: datetime | None = None
    """Since when there has been neither Pass nor Fail."""


class StepRecord(Model):
    """A step's memory. Times are the operator's clock; `before` and `written` belong to the verb `flags`."""

    state: StepState = StepState.PENDING
    started: datetime | None = None
    finished: datetime | None = None
    requested: datetime | None = None
    """Since when people have been asked to approve it."""
    held_seconds: float = 0.0
    """For how long its clock stood still: suspended, paused or aborted."""
    undo_started: datetime | None = None
    undo_pass: int = 0
    restored_time: datetime | None = None
    """When the flags were seen to have their values of before again."""
    runs: tuple[str, ...] = ()
    """Forward runs whose documents were seen, in order, over all attempts; a sweep stands with its owner's."""
    left: tuple[str, ...] = ()
    """Runs of an earlier attempt that its revert left standing: a revert walks them too, no run goes on from them."""
    undo_runs: tuple[str, ...] = ()
    """Runs of the inverse whose documents were seen."""
    totals: Totals = Totals()
    """Of the runs that are behind it: those of earlier passes and attempts, and, once it is done, all of them."""
    conflicts_kept: int = 0
    before: dict[str, str | None] = {}
    written: dict[str, str] = {}
    round: int = 0
    """How often it was rehearsed before; its runs are numbered apart."""
    passes: int = 0
    """Of a sweep: the passes that have ended."""
    passed_time: datetime | None = None
    """When the last of them did."""
    stood: bool = False
    """Whether the flags were ever seen to have the values of `written`: `before` stays as it is from then on."""
    written_time: datetime | None = None
    """When the flags were seen to have the values of `written`."""
    taken_back: bool = False
    """Whether `maxSeconds` has run out and the values of before were restored."""
    transfer: TransferRecord | None = None
    """The export or import of its last attempt."""
    message: str = ""

    @property
    def journals(self) -> tuple[str, ...]:
        """The runs that have to be walked to take the step back, oldest first."""
        return (*self.left, *self.runs)


class Left(Model):
    """What a step did in an earlier attempt, and what the revert of that attempt left standing."""

    phase: str
    step: str
    runs: tuple[str, ...] = ()
    before: dict[str, str | None] = {}
    written: dict[str, str] = {}


class PhaseRecord(Model):
    """A phase's memory. The spec, the gates and the migrations that it uses are those that it started with."""

    name: str
    started: datetime
    finished: datetime | None = None
    spec: PhaseSpec
    migrations: tuple[MigrationSpec, ...] = ()
    gates: tuple[GateSpec, ...] = ()
    pace: PaceSpec = PaceSpec()
    workers: int = 1
    rehearsal: Rehearsal | None = None
    steps: dict[str, StepRecord] = {}


class Failure(Model):
    """Why the rollout stopped, and what was decided about it."""

    reason: Reason
    message: str
    phase: str = ""
    step: str = ""
    gate: str = ""
    time: datetime


class RevertRecord(Model):
    """A revert under way: how far back, why, and what it met."""

    to: RevertTo
    cause: Reason
    message: str
    started: datetime
    first_phase: str = ""
    """The earliest phase that it walks back through."""
    first_index: int = 0

    conflicts: int = 0


class Measured(Model):
    """How long so many documents took."""

    documents: int = 0
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Documents per second, 0 before anything was measured."""
        return self.documents / self.seconds if self.seconds else 0.0


class Override(Model):
    """A gate silenced by an approval."""

    gate: str
    expires: datetime | None = None


class Event(Model):
    """One line of the history."""

    time: datetime
    reason: str
    message: str = ""


class RolloutState(Model):
    """The whole memory. `version` rises with each change."""

    version: int = 0
    attempt: int = 1
    mode: Mode = Mode.FORWARD
    phase_index: int = 0
    step_index: int = 0
    phases: tuple[PhaseRecord, ...] = ()
    gates: tuple[GateRecord, ...] = ()
    failure: Failure | None = None
    revert: RevertRecord | None = None
    overrides: tuple[Override, ...] = ()
    plan: PlanRecord | None = None
    trial: Trial | None = None
    backup: StoodOn | None = None
    """What `requires.backup` was met with."""
    locks: tuple[str, ...] = ()
    """Collection groups whose locks this rollout asked for and has not given back."""
    left: tuple[Left, ...] = ()
    """What reverts have left standing in steps that no attempt has come to again."""
    superseded: tuple[str, ...] = ()
    """Runs of an earlier attempt whose workers must be gone before the next attempt begins."""
    refused_attempt: int = 0
    """An attempt that was asked for when none was due; only a higher one counts."""
    adopting: str = ""
    """The uid of the object that a person lets take the ledger over, until it has."""
    adoptions: int = 0
    """How often that was decided: an approval to adopt holds for one time."""
    held_since: datetime | None = None
    """Since when the clock has stood still: suspended, paused or ended."""
    progress_time: datetime | None = None
    """When documents, steps or flags last moved; the progress deadline counts from it."""
    progress_mark: int = 0
    seen_time: datetime | None = None
    """The last time at which somebody watched the progress: time in which nobody did is not held against it."""
    moving: Measured = Measured()
    """The largest migrate or sweep step so far."""
    reverting: Measured = Measured()
    """The largest step that was taken back, its check included."""
    sources: dict[str, int] = {}
    """Documents in the source of each migration, as its plan or its last run has found them."""
    worker_image: str = ""
    barred: Reason | None = None
    """Why nothing goes forward, as it was said when the namespace's permission ended; None once it may go on."""
    started: datetime | None = None
    """Never changes, over all attempts: it is the `now` of every transform, so that what one run writes another finds
    right."""
    finished: datetime | None = None
    retention_until: datetime | None = None
    history: Annotated[tuple[Event, ...], Field(max_length=HISTORY)] = ()

    @property
    def trying(self) -> tuple[str, ...]:
        """Runs of a plan or a trial that have not answered yet: they may have workers."""
        planning = (self.plan.run,) if self.plan is not None and not self.plan.digest else ()
        trial = self.trial.runs if self.trial is not None and not self.trial.ended else ()
        return (*planning, *trial)
