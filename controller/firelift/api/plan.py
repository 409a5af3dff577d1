"""The plan of a rollout: what was checked before its first write, and what each phase will cost.

A plan is made by a Job under the worker's own identity. `PlanRequest` is what it is asked, frozen in its run;
`PlanReport` is what it answers, in one document of the ledger.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from firelift.api.base import Model
from firelift.api.migration import MigrationSpec
from firelift.api.rollout import PaceSpec, PhaseSpec, Prices, RolloutMode

MOST_CHECKS = 128
SENTENCE = 512
"""The longest sentence of a check."""
LONGEST_CHECK = 128
MOST_OVERWRITTEN = 32


INDEX_CHECK = "index "
"""How checks begin that an index which is created, or ready, mends without an edit."""


class CheckVerdict(StrEnum):
    """What a check says. Only `Fail` keeps the rollout from writing."""

    PASS = "Pass"  # noqa: S105 - a verdict, not a password
    WARN = "Warn"
    FAIL = "Fail"


class Check(Model):
    """One thing that was looked at before the first write."""

    check: Annotated[str, Field(max_length=LONGEST_CHECK)]
    """What was looked at, and of which migration or gate."""
    verdict: CheckVerdict
    message: Annotated[str, Field(max_length=SENTENCE)] = ""
    """What was found, and where it is bad, what a person can do."""


class SourceCount(Model):
    """How many documents a migration's source has."""

    migration: str
    source: str
    documents: int


class SourceSample(Model):
    """What a few documents of a migration's source become."""

    migration: str
    sampled: int
    """Source documents that were read."""
    transformed: int = 0
    """Documents, or groups of an aggregate, that were tried."""
    produced: int = 0
    """Target documents that they become."""
    left_alone: int = 0
    refused: int = 0
    size_bytes: int = 0
    """Of the fields of all that were read."""
    entities: int = 0
    """Entities whose records were counted, where they may be written only so often."""
    most_of_entity: int = 0
    """Documents that the largest of these becomes."""
    overwritten: Annotated[tuple[str, ...], Field(max_length=MOST_OVERWRITTEN)] = ()
    """Paths at which a transform in place puts another value where some of these documents had one."""
    example: Annotated[str, Field(max_length=256)] = ""
    """One that cannot move, and why."""


class PhaseEstimate(Model):
    """What a phase will move and cost, if nothing is written meanwhile. Verification is part of it, a revert is not."""

    name: Annotated[str, Field(max_length=63)]
    """The phase."""
    documents: int = 0
    """Documents that it writes; of one-to-many migrations and aggregates as many as a sample lets expect."""
    reads: int = 0
    """Documents that are read, as they are billed."""
    writes: int = 0
    """Documents that are written, as they are billed, the journal included."""
    money: Annotated[str, Field(max_length=64)] = ""
    """What both cost by `spec.prices`."""
    minutes: int = 0
    """For how long workers are busy, rounded up."""
    waiting_minutes: int = 0
    """For how long its soaks and flags wait, at least; approvals come on top."""


class PlanRequest(Model):
    """What a plan run is asked: the phases that are still to come, behind those that have started."""

    mode: RolloutMode
    database_uid: str = ""
    """What the database says of itself to the operator; empty when it does not say."""
    emulator: str = ""
    """The emulator that the operator speaks to; empty for the real service."""
    migrations: tuple[MigrationSpec, ...]
    started: tuple[PhaseSpec, ...] = ()
    phases: tuple[PhaseSpec, ...]
    pace: PaceSpec = PaceSpec()
    workers: int = 1
    """Pods of a run that moves documents."""
    prices: Prices = Prices()
    retention_seconds: int = 0


class PlanReport(Model):
    """What a plan run answers."""

    checks: tuple[Check, ...]
    counts: tuple[SourceCount, ...] = ()
    samples: tuple[SourceSample, ...] = ()
    phases: tuple[PhaseEstimate, ...] = ()
    time: datetime
