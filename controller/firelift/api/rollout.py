"""`MigrationRollout.spec`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from firelift.api.base import KEYED_BY_NAME, Model, Name, ObjectName, Seconds
from firelift.api.gates import GateSpec
from firelift.api.migration import MigrationSpec
from firelift.api.steps import FailureAction, StepSpec

KIND = "MigrationRollout"
PLURAL = "migrationrollouts"


class RevertTo(StrEnum):
    """How far a revert goes back."""

    PHASE_START = "PhaseStart"
    ROLLOUT_START = "RolloutStart"


class DeletionPolicy(StrEnum):
    """What deleting the object does with the data that it has moved."""

    RETAIN = "Retain"
    REVERT = "Revert"


class Intent(StrEnum):
    """What on-call asks for. Both latch; only a higher `attempt` leaves them."""

    REVERT = "Revert"
    ABORT = "Abort"


class DatabaseRef(Model):
    """The database that is changed and that holds the ledger."""

    project: Annotated[str, Field(min_length=4, max_length=63, pattern=r"^[a-z][-a-z0-9:.]*[a-z0-9]$")]
    name: Annotated[str, Field(max_length=63, pattern=r"^(\(default\)|[a-z][-a-z0-9]{2,61}[a-z0-9])$")] = "(default)"


class KeyRef(Model):
    """A key of a ConfigMap or a Secret in the rollout's namespace."""

    name: ObjectName
    key: Annotated[str, Field(min_length=1, max_length=253)]


class EnvSource(Model):
    """Exactly one of the two."""

    config_map_key_ref: KeyRef | None = None
    secret_key_ref: KeyRef | None = None


class EnvVar(Model):
    """An environment variable of the worker: `value`, or `value_from`."""

    name: Annotated[str, Field(max_length=128, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
    value: Annotated[str, Field(max_length=4096)] | None = None
    value_from: EnvSource | None = None


Quantity = Annotated[str, Field(max_length=32, pattern=r"^[0-9]+(\.[0-9]+)?(m|Ki|Mi|Gi|k|M|G)?$")]


class Resources(Model):
    """As in a pod: cpu, memory and ephemeral-storage."""

    requests: Annotated[dict[Annotated[str, Field(max_length=63)], Quantity], Field(max_length=8)] = {}
    limits: Annotated[dict[Annotated[str, Field(max_length=63)], Quantity], Field(max_length=8)] = {}


class WorkerSpec(Model):
    """The pods that move the data. Empty means the operator's default; the image is pinned at the first run."""

    image: Annotated[str, Field(max_length=512)] = ""
    service_account_name: Annotated[str, Field(max_length=253)] = ""
    parallelism: Annotated[int, Field(ge=1, le=32)] = 2
    resources: Resources = Resources()
    env: Annotated[tuple[EnvVar, ...], Field(max_length=32, json_schema_extra=KEYED_BY_NAME)] = ()


class PaceSpec(Model):
    """How fast documents are written, over all workers of a run."""

    max_writes_per_second: Annotated[int, Field(ge=1, le=100_000)] = 500
    batch_size: Annotated[int, Field(ge=1, le=400)] = 200
    pause_between_batches_seconds: Annotated[int, Field(ge=0, le=3600)] = 0
    max_retries: Annotated[int, Field(ge=0, le=20)] = 3


class FailurePolicy(Model):
    """What a failed step or gate leads to, and how far back a revert goes."""

    action: FailureAction = FailureAction.REVERT
    to: RevertTo = RevertTo.PHASE_START


class PhaseSpec(Model):
    """Steps in order, under the rollout's gates and its own; one of its own replaces the one of the same name."""

    name: Name
    steps: Annotated[tuple[StepSpec, ...], Field(min_length=1, max_length=16)]
    gates: Annotated[tuple[GateSpec, ...], Field(max_length=16, json_schema_extra=KEYED_BY_NAME)] = ()


class RolloutSpec(Model):
    """What a team wants to happen to its data."""

    database: DatabaseRef
    ledger_id: Annotated[
        str, Field(max_length=253, pattern=r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$", alias="ledgerID")
    ] = ""
    seed: Annotated[str, Field(max_length=253)] = ""
    attempt: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    suspend: bool = False
    intent: Intent | None = None
    revert_to: RevertTo | None = None
    worker: WorkerSpec = WorkerSpec()
    ledger_retention_seconds: Seconds = 2_592_000
    pace: PaceSpec = PaceSpec()
    on_failure: FailurePolicy = FailurePolicy()
    deletion_policy: DeletionPolicy = DeletionPolicy.RETAIN
    progress_deadline_seconds: Annotated[int, Field(ge=1, le=31_536_000)] = 3600
    migrations: Annotated[
        tuple[MigrationSpec, ...], Field(min_length=1, max_length=20, json_schema_extra=KEYED_BY_NAME)
    ]
    gates: Annotated[tuple[GateSpec, ...], Field(max_length=16, json_schema_extra=KEYED_BY_NAME)] = ()
    phases: Annotated[tuple[PhaseSpec, ...], Field(min_length=1, max_length=20, json_schema_extra=KEYED_BY_NAME)]

    def migration(self, name: str) -> MigrationSpec:
        """The migration of that name."""
        return next(migration for migration in self.migrations if migration.name == name)

    def gates_of(self, phase: PhaseSpec) -> tuple[GateSpec, ...]:
        """The gates that watch a phase: the rollout's, each replaced by the phase's own of the same name."""
        merged = {gate.name: gate for gate in (*self.gates, *phase.gates)}
        return tuple(merged.values())
