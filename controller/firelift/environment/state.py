"""What the machine remembers of an environment between turns.

It is kept in the operator's own namespace and changed there only under the precondition that nobody else has changed
it: that is what makes a frozen and revived leader harmless. Lost, it is made anew by planning again.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from firelift.api.base import Model
from firelift.api.environment.indexes import CompositeIndex
from firelift.api.environment.status import Action, PlanPurpose
from firelift.environment.holders import INSTANCES, LockRecord, Worked

HISTORY = 20
SHOWN = 100


class RunKind(StrEnum):
    """What Terraform is asked to do."""

    PLAN = "Plan"
    APPLY = "Apply"
    UNLOCK = "Unlock"


class Variant(StrEnum):
    """What is rendered for a plan."""

    DECLARED = "Declared"
    """The spec."""
    LAST_APPLIED = "LastApplied"
    """What was applied last, from the bundle that was kept of it: nothing that it refers to need be there."""
    UNPROTECTED = "Unprotected"
    """What was applied last, its database without delete protection and no longer left behind by a destroy."""


class Import(Model):
    """A resource that exists and is to be taken over: Terraform's address, and Google's name."""

    address: str
    id: str


class KeptIndex(Model):
    """An old index that stays while its successor is built, under a key that no spec declares."""

    key: str
    index: CompositeIndex


class Move(Model):
    """A resource that Terraform is to have at another address; nothing else changes of it."""

    source: str
    target: str


class Run(Model):
    """A run of Terraform that was decided. Its id is never used again for the same object."""

    id: str
    kind: RunKind
    purpose: PlanPurpose
    by: str
    """The operator that starts it."""
    host: str = ""
    started: datetime
    inputs: str = ""
    """Digest of the inputs that a plan is made from."""
    generation: int = 0
    variant: Variant = Variant.DECLARED
    imports: tuple[Import, ...] = ()
    kept: tuple[KeptIndex, ...] = ()
    moves: tuple[Move, ...] = ()
    """What is declared at an address that is moved from is left out of this plan: Terraform wants it so."""
    targets: tuple[str, ...] = ()
    """The only resources that a plan looks at, with what they need; none means all."""
    plan: str = ""
    """Of an apply: the run that made the saved plan."""
    digest: str = ""
    """Of an apply: what was approved."""
    lock: str = ""
    """Of an unlock: the id of the lock."""


class ChangeRecord(Model):
    """What a plan does with one resource. `loses` is what it means for the data, empty when nothing is lost."""

    address: str
    action: Action
    sentence: str = ""
    loses: bool = False


class NewTtl(Model):
    """A TTL that the plan switches on."""

    address: str
    collection: str
    path: str


class GoneIndex(Model):
    """An index that the plan takes away."""

    address: str
    full_address: str
    key: str
    index: CompositeIndex | None = None
    """What it was; None when a spec has no words for it."""
    composite: bool = False
    """Whether it is a composite index; else it is one of single fields."""
    replaced: bool = False
    """Another one takes its place, under the same address."""


class FieldVerdict(Model):
    """What the documents say of a new TTL, and when they were looked at."""

    address: str
    time: datetime
    unsafe: str = ""
    """Why it can never work, with the remedy; empty when it can."""
    loses: str = ""
    """What it would delete at once; empty when nothing."""


class PlanRecord(Model):
    """A saved plan."""

    run: str
    purpose: PlanPurpose
    digest: str
    inputs: str
    generation: int
    attempt: int
    lineage: str
    serial: int
    created: datetime
    variant: Variant = Variant.DECLARED
    add: int = 0
    change: int = 0
    destroy: int = 0
    outputs: int = 0
    """Outputs that change."""
    others: int = 0
    """Changes that `changes` has no place for; none of them loses anything."""
    changes: tuple[ChangeRecord, ...] = ()
    new_ttls: tuple[NewTtl, ...] = ()
    gone_indexes: tuple[GoneIndex, ...] = ()
    new_indexes: tuple[str, ...] = ()
    """Keys of composite indexes that it builds."""
    verdicts: tuple[FieldVerdict, ...] = ()
    moved: int = 0
    """Resources that only get another address."""
    kept: tuple[KeptIndex, ...] = ()
    moves: tuple[Move, ...] = ()
    imports: tuple[Import, ...] = ()
    requested: datetime | None = None
    """Since when people have been asked about it."""

    @property
    def empty(self) -> bool:
        """Whether applying it would change nothing."""
        return not (self.changes or self.others or self.outputs or self.moved)

    @property
    def bookkeeping(self) -> bool:
        """Whether it only gives resources other addresses: nothing outside of the state changes."""
        return bool(self.moved) and not (self.changes or self.others)


class AppliedRecord(Model):
    """What was applied last."""

    digest: str
    inputs: str
    generation: int
    attempt: int
    lineage: str
    serial: int
    time: datetime
    kept: tuple[KeptIndex, ...] = ()
    """Old indexes that still wait for their successors."""
    partial: bool = False
    """Whether something declared was left out, because its address was moved from: the next plan makes it."""


class Accepted(Model):
    """What `apply: Auto` approves in advance: a spec by its digest, and the digests of what ConfigMaps said with it."""

    spec: str
    said: dict[str, str]


class PlanEnd(Model):
    """What became of the plan whose apply ended last: all of it was done, or nobody knows how much."""

    digest: str
    whole: bool
    time: datetime


class DriftRecord(Model):
    """What differs from what was applied. `since` is when it was first seen."""

    address: str
    action: Action
    since: datetime
    sentence: str = ""


class Failure(Model):
    """Runs that failed in a row."""

    kind: RunKind
    purpose: PlanPurpose
    count: int
    time: datetime
    message: str


class ResourceSince(Model):
    """Since when an index or a TTL is in its state."""

    state: str
    since: datetime


class Event(Model):
    """One line of the history."""

    time: datetime
    reason: str
    message: str = ""


class EnvironmentState(Model):
    """The whole memory. `version` rises with each change, `runs` with each run."""

    # What an earlier operator wrote may have more; forgotten for that, a ground would be planned as if it were new.
    model_config = ConfigDict(extra="ignore")

    version: int = 0
    attempt: int = 1
    runs: int = 0
    run: Run | None = None
    plan: PlanRecord | None = None
    applied: AppliedRecord | None = None
    accepted: Accepted | None = None
    ended: PlanEnd | None = None
    failure: Failure | None = None
    unsaved: str = ""
    """Where a state is that was never written: what is there is not what Terraform knows of."""
    heeded: str = ""
    """That of an earlier attempt: a person has pushed it, or does without."""
    lock: LockRecord | None = None
    rejected: str = ""
    """Digest of a plan that a person has turned down."""
    rejected_by: str = ""
    imports: tuple[Import, ...] = ()
    """What the next plan takes over, because it was there already."""
    stuck: tuple[str, ...] = ()
    """Addresses whose import has failed: it is not tried again before another attempt or another spec."""
    kept: tuple[KeptIndex, ...] = ()
    """Old indexes that the next plan leaves where they are."""
    moves: tuple[Move, ...] = ()
    """What the next plan has at another address."""
    staged: str = ""
    """Digest of the inputs that `kept` and `moves` are for; of other inputs they say nothing."""
    drift: tuple[DriftRecord, ...] = ()
    looked: datetime | None = None
    """When the last plan of what was applied was made."""
    touched: bool = False
    """Whether an apply was ever begun: there may be something to destroy."""
    unprotected: bool = False
    """On the way to a destroy: whether the database's protection is off."""
    destroyed: bool = False
    outputs: bool = False
    """Whether outputs were published."""
    since: dict[str, ResourceSince] = {}
    worked: Annotated[tuple[Worked, ...], Field(max_length=INSTANCES)] = ()
    history: Annotated[tuple[Event, ...], Field(max_length=HISTORY)] = ()
