"""The run: one piece of work of one migration, as the operator writes it and workers read it.

A run is a document in the ledger. `RunPlan` is frozen when it is made, and holds all that the work, its verification
and its revert need; `RunControl` is what the operator changes while it runs.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from firelift.api.base import Model
from firelift.api.cohort import Selection
from firelift.api.migration import MigrationSpec
from firelift.api.plan import PlanRequest
from firelift.api.rollout import DatabaseRef, PaceSpec
from firelift.api.steps.verify import Authority

FORMAT = 2
"""Of all documents of a ledger, before-images included; raised by whatever would make older code misread them.

1: an entry's images were packed each with its own paths. 2: paths that images share are packed once.
"""


class RunKind(StrEnum):
    """What a run does."""

    MIGRATE = "migrate"
    SWEEP = "sweep"
    """Late-comers of a cohort that an earlier phase has moved."""
    VERIFY = "verify"
    DELETE = "delete"
    """Sources of copies that are verified in the same Commit."""
    REVERT = "revert"
    REVERT_VERIFY = "revert-verify"
    PLAN = "plan"
    """Checks and estimates before the first write; it walks no lanes and writes one report."""
    DRY_RUN = "dry-run"
    """Decides all that a migrate run would write, and writes it only as a report."""
    VALIDATE = "validate"
    """Transforms source documents and keeps what cannot move."""


WAY_BACK = frozenset({RunKind.REVERT, RunKind.REVERT_VERIFY})
"""Runs that take back what earlier ones did."""
REHEARSALS = frozenset({RunKind.DRY_RUN, RunKind.VALIDATE})
"""Kinds that change the ledger and nothing else."""


class RunState(StrEnum):
    """What the operator wants a run to do."""

    RUN = "Run"
    HOLD = "Hold"
    STOP = "Stop"


class VerifyPlan(Model):
    """How a verify run compares. `sample_buckets` of 10,000 are looked at, by a hash of the path."""

    sample_buckets: int = 10_000
    authority: Authority = Authority.SOURCE
    recheck_seconds: int = 2


class RunPlan(Model):
    """The frozen part of a run.

    `subjects` are the runs whose journals are walked (verify and revert), oldest first. `follows` is a run of an
    earlier attempt that this one continues from its seals. At most `workers` of its `indexes` are worked off at once
    (0: there are as many). `letters` are earlier runs of the same cohort: the records
    of their dead letters are taken up again. `now` is the rollout's start, one and the same for all its
    runs: what a transform says must not depend on which of them asks. `closing`: where records are read entity by
    entity, the source is scanned behind that for records whose entity is not listed. `overlaps`: steps in front of
    it may have moved records of its cohort. `request` is what a plan run is asked.
    """

    format: int = FORMAT
    id: str
    ledger: str
    database: DatabaseRef
    seed: str
    attempt: int
    phase: str
    step: str
    kind: RunKind
    pass_number: int = 0
    migration: MigrationSpec
    selection: Selection
    closing: bool = False
    overlaps: bool = False
    now: datetime
    pace: PaceSpec
    workers: int
    indexes: int = 0
    verify: VerifyPlan | None = None
    follows: str | None = None
    subjects: tuple[str, ...] = ()
    letters: tuple[str, ...] = ()
    image: str = ""
    request: PlanRequest | None = None

    @property
    def shares(self) -> int:
        """The indexes of its Job: as many as `workers` where the plan does not say."""
        return self.indexes or self.workers


class RunControl(Model):
    """What the operator changes. The lease is fresh for `lease_seconds` after the document's last update."""

    state: RunState
    epoch: int
    lease_seconds: int = 30
    writes_per_second: float | None = None
    """The run's share of the database's write budget; None leaves the rate to the plan's pace."""
    share_until: int = 0
    """When the share runs out: microseconds since the epoch, by the database's clock."""
    processes: int = 0
    """How many processes share it, at most so many at once; 0 when that is not known."""


class Totals(Model):
    """Counts of a lane or a run.

    ``read = skipped + unchanged + created + updated + deleted + dead_letters + kept + missing + extra + different``.
    """

    read: int = 0
    """Documents of the cohort that were looked at."""
    skipped: int = 0
    """Left alone by `appliesWhen`, the transform or `onExisting`."""
    unchanged: int = 0
    """Already as they should be."""
    created: int = 0
    updated: int = 0
    deleted: int = 0
    dead_letters: int = 0
    kept: int = 0
    """Revert only: conflicts that stay as the app left them."""
    conflicts: int = 0
    """Live writes met between reading and committing; each was resolved by reading again.

    A target that was simply there, and was met because a copy is first tried without looking for it, is none.
    """
    missing: int = 0
    extra: int = 0
    different: int = 0
    retries: int = 0
    pressured: int = 0
    """Commits that were answered with ABORTED or RESOURCE_EXHAUSTED; each was tried again."""
    closed_letters: int = 0
    """Dead letters of earlier runs whose records were taken up again; what could not move then has a new one."""

    def plus(self, other: Totals) -> Totals:
        """The sum, field by field."""
        return Totals(**{name: getattr(self, name) + getattr(other, name) for name in type(self).model_fields})

    @property
    def written(self) -> int:
        """Documents that were changed."""
        return self.created + self.updated + self.deleted

    @property
    def open_letters(self) -> int:
        """Dead letters that no run has taken up again."""
        return max(0, self.dead_letters - self.closed_letters)

    @property
    def mismatches(self) -> int:
        """Documents that a verify found wrong."""
        return self.missing + self.extra + self.different


def run_id(attempt: int, phase: str, step: str, migration: str, kind: RunKind, pass_number: int = 0) -> str:
    """The name of a run: by attempt, phase, step, migration, kind and pass."""
    return f"a{attempt}.{phase}.{step}.{migration}.{kind}.{pass_number}"


def kind_of(run: str) -> RunKind:
    """What a run does, by its name."""
    return RunKind(run.split(".")[4])


def migration_of(run: str) -> str:
    """The migration that a run's name speaks of."""
    return run.split(".")[3]
