"""Everything that a decision about an environment may look at, read once per turn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from firelift.api.approval import ApprovalDecision
from firelift.api.environment.conditions import EnvironmentConditionType
from firelift.api.environment.indexes import CompositeIndex, TtlSpec
from firelift.api.environment.spec import EnvironmentSpec
from firelift.api.environment.status import EnvironmentCondition, ResourceState
from firelift.api.tenancy import UNBOUND, Tenancy
from firelift.environment.holders import Pod
from firelift.environment.neighbours import Neighbour


@dataclass(frozen=True, slots=True)
class Environment:
    """The object as the API server holds it."""

    namespace: str
    name: str
    uid: str
    generation: int
    spec: EnvironmentSpec
    deleting: bool = False
    tenancy: Tenancy = UNBOUND
    """What its Namespace allows."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the spec and all that it refers to come to. `digest` is over everything that a plan is made from.

    `missing` names what is referred to and not there, `invalid` is what no plan can be made of; both as sentences.
    `unidentified` says why the credentials that are named cannot be had: nothing may be run, not even a destroy.
    `composite` and `ttls` are what is declared by its keys, with what only the file declares. `said` has the digest of
    what each ConfigMap says that the spec names.
    """

    digest: str
    missing: str = ""
    invalid: str = ""
    unidentified: str = ""
    composite: Mapping[str, CompositeIndex] = field(default_factory=dict)
    ttls: Mapping[str, TtlSpec] = field(default_factory=dict)
    said: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ApprovalSeen:
    """A decision about this environment, in order of creation."""

    name: str
    digest: str
    decision: ApprovalDecision
    approver: str
    created: datetime
    loses: frozenset[str] = frozenset()
    during_rollouts: bool = False
    expires: datetime | None = None


@dataclass(frozen=True, slots=True)
class LockSeen:
    """The lock that a run met, as Terraform wrote it down. `host` is that of its holder."""

    id: str
    who: str = ""
    host: str = ""
    operation: str = ""
    created: datetime | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan was made and is kept. `document` is `terraform show -json` of it; sensitive values are in clear.

    `lock_file` is the providers' lock file, `modules` the digest of the modules.
    """

    document: Mapping[str, Any] = field(repr=False)
    lineage: str
    serial: int
    lock_file: str = ""
    modules: str = ""


@dataclass(frozen=True, slots=True)
class Applied:
    """The saved plan was applied, its outputs are published, and the state has this serial since."""

    lineage: str
    serial: int


@dataclass(frozen=True, slots=True)
class Unlocked:
    """The lock was released."""


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The run was not begun: when its turn came it would not have been decided on any more. `message` says why."""

    message: str


@dataclass(frozen=True, slots=True)
class Existing:
    """A resource that could not be created because it is there already: Terraform's address of it."""

    address: str


@dataclass(frozen=True, slots=True)
class RunFailed:
    """A run did not do what it was asked. `message` is a sentence without secrets.

    `lock`: it met the state's lock. `released`: whatever lock it had, it has provably given it back. `stale`: the state
    has moved on since the plan. `interrupted`: it was stopped because the operator ends; that is nobody's fault.
    `existing`: what answered 409. `unsaved`: where the state is that the run could not write, although it has changed
    things; empty when it could.
    """

    message: str
    lock: LockSeen | None = None
    released: bool = False
    stale: bool = False
    interrupted: bool = False
    existing: tuple[Existing, ...] = ()
    unsaved: str = ""


Outcome: TypeAlias = Planned | Applied | Unlocked | Withdrawn | RunFailed


@dataclass(frozen=True, slots=True)
class RunSeen:
    """The run that the memory names. Neither `running` nor an outcome: this operator knows nothing of it."""

    id: str
    running: bool = False
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Operator:
    """Who decides: `id` is new with each process, `host` is what Terraform writes into a lock.

    `alive` are the ids of operators that may still have a run at work, `unseen` those of them of which nobody here can
    tell; `hosts` are the hosts of those that live. `place` and `pod` are what others will know this one by.
    """

    id: str
    host: str
    alive: frozenset[str] = frozenset()
    hosts: frozenset[str] = frozenset()
    unseen: frozenset[str] = frozenset()
    place: str = ""
    pod: Pod | None = None


@dataclass(frozen=True, slots=True)
class IndexSeen:
    """A composite index that the Firestore Admin API has. `id` is its full name."""

    id: str
    index: CompositeIndex
    state: ResourceState
    since: datetime | None = None
    progress: str = ""


@dataclass(frozen=True, slots=True)
class TtlSeen:
    """A TTL that the Firestore Admin API has."""

    collection: str
    path: str
    state: ResourceState
    since: datetime | None = None
    progress: str = ""


@dataclass(frozen=True, slots=True)
class GroundSeen:
    """What the Firestore Admin API says. `error`: it could not be asked, and why; `absent`: there is no database."""

    error: str = ""
    absent: bool = False
    indexes: tuple[IndexSeen, ...] = ()
    ttls: tuple[TtlSeen, ...] = ()


@dataclass(frozen=True, slots=True)
class FieldWanted:
    """A field of a collection group that a new TTL would watch."""

    collection: str
    path: str


@dataclass(frozen=True, slots=True)
class FieldSeen:
    """What a field holds: documents by the type of its value, such as ``{"timestamp": 12}``.

    `expired` are those with a time that has passed. `sampled`: only some documents were looked at. `error`: none was.
    """

    types: Mapping[str, int] = field(default_factory=dict)
    expired: int = 0
    sampled: bool = False
    error: str = ""
    examples: tuple[str, ...] = ()
    """Paths of documents whose value is no timestamp."""


@dataclass(frozen=True, slots=True)
class RolloutSeen:
    """A rollout that stands on this environment. `working`: it is mid-phase, and waits for neither this nor a backup.

    `begun`: a phase of it stands and it is not over, whether it works, waits or is paused. `indexes` are the keys of
    those that it waits for; none means that nobody knows which it needs.
    """

    name: str
    working: bool
    begun: bool = False
    indexes: frozenset[str] = frozenset()

    def needs(self, key: str) -> bool:
        """Whether it may fail without the index."""
        return (self.begun or self.working) and (not self.indexes or key in self.indexes)


@dataclass(frozen=True, slots=True)
class Observation:
    """One read of everything."""

    now: datetime
    operator: Operator
    inputs: Inputs
    run: RunSeen | None = None
    ground: GroundSeen | None = None
    """None when it was not asked."""
    fields: Mapping[FieldWanted, FieldSeen] = field(default_factory=dict)
    rollouts: tuple[RolloutSeen, ...] = ()
    approvals: tuple[ApprovalSeen, ...] = ()
    made: bool = False
    """Whether a state or a bundle of an earlier apply is kept, whatever the memory says."""
    unwritten: str = ""
    """Where a state of this environment was found that an earlier run could not write."""
    elder: Neighbour | None = None
    """The environment whose state this one would share."""
    conditions: tuple[EnvironmentCondition, ...] = ()
    """Those of the status that was written last, so that their transition times are kept."""
    problems: tuple[str, ...] = ()
    """What the operator could not do or read since the last turn, as sentences."""

    def condition(self, kind: EnvironmentConditionType) -> EnvironmentCondition | None:
        """The condition as it was written last."""
        return next((seen for seen in self.conditions if seen.type is kind), None)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the next decision needs to see, beside the object, its inputs, the approvals, rollouts and the time."""

    run: str = ""
    fields: tuple[FieldWanted, ...] = ()
