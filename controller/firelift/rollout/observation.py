"""Everything that a decision may look at, read once per turn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from firelift.api.approval import ApprovalDecision
from firelift.api.gates import GateSpec
from firelift.api.measurement import Measurement, Window
from firelift.api.plan import PlanReport
from firelift.api.rollout import RolloutSpec
from firelift.api.run import RunState, Totals
from firelift.api.status import Condition
from firelift.api.tenancy import UNBOUND, Tenancy
from firelift.rollout.backups import BackupsSeen
from firelift.rollout.ground import EnvironmentSeen, RolloutKey, RolloutSeen


@dataclass(frozen=True, slots=True)
class Rollout:
    """The object as the API server holds it."""

    namespace: str
    name: str
    uid: str
    generation: int
    spec: RolloutSpec
    deleting: bool = False
    tenancy: Tenancy = UNBOUND
    """What its Namespace allows."""
    begun: bool = False
    """Whether its own status says that a phase has started or all has ended: nobody but the operator writes that."""

    @property
    def ledger_id(self) -> str:
        """The ledger that the rollout uses: its own name unless the spec says otherwise."""
        return self.spec.ledger_id or f"{self.namespace}.{self.name}"

    @property
    def key(self) -> RolloutKey:
        """Its place."""
        return RolloutKey(self.namespace, self.name)

    @property
    def seed(self) -> str:
        """The seed of the cohort hash."""
        return self.spec.seed or self.ledger_id


@dataclass(frozen=True, slots=True)
class JobSeen:
    """A run's Job. `failure` is the sentence of its Failed condition.

    `active` counts its pods that are there, `entries` those that the run's journal had when the Job was made.
    `blameless`: each of its pods that has not succeeded was killed from outside, or left because it was told to.
    `going`: it is being deleted, or is gone before its pods; `pod` is one that may still work, and its node.
    `parallelism` is how many pods it runs at once, 0 when that is not known.
    """

    active: int = 0
    succeeded: int = 0
    failed: bool = False
    failure: str = ""
    entries: int = 0
    blameless: bool = False
    uid: str = ""
    going: bool = False
    going_since: datetime | None = None
    pod: str = ""
    parallelism: int = 0


@dataclass(frozen=True, slots=True)
class RunSeen:
    """A run document, its journal's totals and its Job.

    `complete`: each lane is sealed as complete. `state` is what the document says. `estimate` is the number
    of documents in the source, `scanned` how many of them lie behind the lanes' cursors; both 0 when unknown.
    """

    id: str
    exists: bool = False
    state: RunState | None = None
    complete: bool = False
    totals: Totals = field(default_factory=Totals)
    scanned: int = 0
    estimate: int = 0
    commit_latencies_ms: tuple[int, ...] = ()
    commit_times: tuple[int, ...] = ()
    """When each of these Commits was known to have landed: microseconds since the epoch, by the database's clock."""
    failure: str = ""
    """What the worker itself wrote before it gave up; empty while it works."""
    waiting: str = ""
    """What a worker waits for that only time or a person brings, as a sentence; empty while none does."""
    waiting_since: datetime | None = None
    pressed: int = 0
    """When a worker last said that nothing lands because it is asked to slow down, as `commit_times`; 0: none does."""
    examples: tuple[str, ...] = ()
    entries: int = 0
    """The length of the run's journal, all lanes together."""
    newest: datetime | None = None
    """When its last journal entry was committed, by the database's clock."""
    report: PlanReport | None = None
    """What a plan run answered."""
    job: JobSeen | None = None


@dataclass(frozen=True, slots=True)
class ApprovalSeen:
    """An approval of this rollout, in order of creation."""

    name: str
    digest: str
    decision: ApprovalDecision
    approver: str
    created: datetime
    gate: str = ""
    expires: datetime | None = None
    restores: str = ""
    """The export that may be imported."""


@dataclass(frozen=True, slots=True)
class ConfigMapSeen:
    """A ConfigMap. `owned` are the keys that Firelift's field manager for this rollout owns."""

    exists: bool
    data: Mapping[str, str] = field(default_factory=dict)
    owned: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class PlanMapSeen:
    """The ConfigMap that shows a plan. `mine`: it belongs to this object; `digest` is that of what it holds."""

    exists: bool
    mine: bool = False
    digest: str = ""


@dataclass(frozen=True, slots=True)
class LockSeen:
    """A collection group's lock. `mine` when this rollout holds it; `since` when it has held or awaited it."""

    mine: bool
    holder: str = ""
    position: int = 0
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Owner:
    """Who a ledger belongs to."""

    cluster: str
    uid: str
    name: str


@dataclass(frozen=True, slots=True)
class LedgerSeen:
    """The ledger's root. `owner` None: free. `error`: it could not be read, and why."""

    error: str = ""
    owner: Owner | None = None
    mine: bool = False
    expiring: bool = False
    """Something of it is to be deleted when its retention ends, or may be."""
    database_uid: str = ""
    """What the ledger was made in."""
    actual_database_uid: str = ""
    """What the database says of itself now."""

    @property
    def of_another(self) -> bool:
        """Whether it belongs to another object."""
        return self.owner is not None and not self.mine

    @property
    def from_elsewhere(self) -> bool:
        """Whether it was made in another database."""
        known = self.database_uid and self.actual_database_uid
        return bool(known) and self.database_uid != self.actual_database_uid

    @property
    def foreign(self) -> bool:
        """Whether it is not this object's to change, though a person may let it be adopted."""
        return self.of_another or self.from_elsewhere


@dataclass(frozen=True, slots=True)
class MeasurementSeen:
    """A gate's measurement of one interval."""

    gate: str
    window: Window
    measurement: Measurement


@dataclass(frozen=True, slots=True)
class HolderSeen:
    """Another rollout that may write to the database: `rate` documents a second, and when the last of that ends."""

    name: str
    rate: float
    until: datetime


@dataclass(frozen=True, slots=True)
class PaceSeen:
    """What the rollout's run may write each second, and what all rollouts on its database may together.

    `cap` is its own `maxWritesPerSecond`, `sharers` are the other rollouts that have a share, `holder` is the one with
    most of it, `cause` is why the budget was cut, until it grows again. `unbound`: the run does not keep the pace that
    the rollout has for its entities.
    """

    share: float
    budget: float
    cap: float
    sharers: tuple[str, ...] = ()
    cause: str = ""
    holder: HolderSeen | None = None
    unbound: bool = False

    @property
    def waits(self) -> bool:
        """Whether it may write nothing for now, because others have all of it."""
        return self.share <= 0


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an export or import was not begun. `final`: it never will be, as it is."""

    sentence: str
    final: bool


@dataclass(frozen=True, slots=True)
class Observation:
    """One read of everything."""

    now: datetime
    ledger: LedgerSeen
    runs: Mapping[str, RunSeen] = field(default_factory=dict)
    measurements: tuple[MeasurementSeen, ...] = ()
    answers: Mapping[str, Measurement] = field(default_factory=dict)
    """What the gates' queries answered that a plan asks, by the names of `gate_queries`."""
    plan_map: PlanMapSeen | None = None
    """The ConfigMap of the plan; None when it was not looked at."""
    emulator: str = ""
    """The Firestore emulator that the operator and its workers speak to; empty for the real service."""
    approvals: tuple[ApprovalSeen, ...] = ()
    config_maps: Mapping[str, ConfigMapSeen] = field(default_factory=dict)
    locks: Mapping[str, LockSeen] = field(default_factory=dict)
    environments: Mapping[str, EnvironmentSeen] = field(default_factory=dict)
    """By name; only while the rollout goes forward."""
    backups: BackupsSeen | None = None
    """None when nobody looked."""
    refusals: Mapping[str, Refusal] = field(default_factory=dict)
    """Of exports and imports that were asked for, by the export's place."""
    rollouts: Mapping[RolloutKey, RolloutSeen] = field(default_factory=dict)
    """Those that it requires, and those that these wait for; only while it goes forward."""
    pace: PaceSeen | None = None
    """As the last turn found it; None when no run was at work."""
    worker_image: str = ""
    """What the operator would pin now: the image of the spec, else its default, by the name that it was given."""
    conditions: tuple[Condition, ...] = ()
    """Those of the status that was written last, so that their transition times are kept."""
    unusable: str = ""
    """Why a migration of the spec could never run, as a sentence with the field's path; empty when all could."""
    problems: tuple[str, ...] = ()
    """What the operator could not do or read since the last turn, as sentences."""


@dataclass(frozen=True, slots=True)
class MeasurementWanted:
    """A measurement that is due: the operator asks for it and hands it in with the next observation."""

    gate: str
    window: Window


@dataclass(frozen=True, slots=True)
class QueryWanted:
    """One question of a gate, asked to see whether it is answered."""

    gate: GateSpec
    window: Window


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the next decision needs to see."""

    runs: tuple[str, ...] = ()
    config_maps: tuple[str, ...] = ()
    locks: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    backups: bool = False
    rollouts: tuple[RolloutKey, ...] = ()
    measurements: tuple[MeasurementWanted, ...] = ()
    queries: Mapping[str, QueryWanted] = field(default_factory=dict)
    """Gates' queries that a plan asks once, by name."""
    plan_map: str = ""
    """The ConfigMap of the plan, when it is to be looked at."""
