"""`MigrationRollout.spec`."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from firelift.api.base import Model, Name, Seconds
from firelift.api.cross_field import ROLLOUT_RULES
from firelift.api.gates import GateSpec
from firelift.api.lists import AS_SET, BY_NAME
from firelift.api.migration import MigrationSpec
from firelift.api.references import DATABASE_UID, DatabaseId, DatabaseUid, KeyRef, ProjectId
from firelift.api.requires import RequiresSpec
from firelift.api.rules import Rule, RuledModel, Rules
from firelift.api.steps import FailureAction, StepSpec
from firelift.api.steps.cross_field import PHASE_RULES

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
    """What on-call asks for, with a field manager of their own. Both latch; only a higher `attempt` leaves them."""

    REVERT = "Revert"
    ABORT = "Abort"


class RolloutMode(StrEnum):
    """What a rollout does with what it is asked for."""

    MIGRATE = "Migrate"
    """Move the data, phase by phase."""
    DRY_RUN = "DryRun"
    """Transform every source document, and write nothing but a report into the ledger."""
    VALIDATE = "Validate"
    """Look at source documents only: rules, entity keys and target paths."""


Price = Annotated[str, Field(max_length=16, pattern=r"^[0-9]{1,7}(\.[0-9]{1,6})?$")]


class Prices(Model):
    """What the plan's estimate of money rests on. The defaults are the list prices of the location nam5."""

    reads_per_100k: Annotated[Price, Field(alias="readsPer100k")] = "0.06"
    """Of 100,000 documents read."""
    writes_per_100k: Annotated[Price, Field(alias="writesPer100k")] = "0.18"
    """Of 100,000 documents written."""
    currency: Annotated[str, Field(max_length=3, pattern=r"^[A-Z]{3}$")] = "USD"
    """What the estimate is printed in."""


class DatabaseRef(RuledModel):
    """The database that is changed and that holds the ledger."""

    project: ProjectId
    """The id of the Google Cloud project."""
    name: DatabaseId = "(default)"
    """The id of the database in it."""
    uid: DatabaseUid | None = None
    """What `gcloud firestore databases describe` calls `uid`: the rollout begins nothing where Firestore does not
    answer this very one, and writes nothing where it answers another: another project, a database made anew under the
    name, or an emulator."""

    rules: ClassVar[Rules] = (
        Rule(
            f"!has(self.uid) || self.uid.matches('{DATABASE_UID}')",
            "`uid` must be as `gcloud firestore databases describe` says it: a UUID in lower case",
            lambda database: database.uid is None or re.fullmatch(DATABASE_UID, database.uid) is not None,
        ),
    )

    @model_serializer(mode="wrap")
    def _without_nothing(self, handler: SerializerFunctionWrapHandler) -> dict[str, str]:
        # Digests of what people approved, and workers of older images, know nothing of a uid.
        return {name: value for name, value in handler(self).items() if value is not None}

    def mistaken(self, uid: str) -> str:
        """Why a database that says this uid, empty for none, is not the declared one; empty when it may be."""
        if self.uid is None or uid == self.uid:
            return ""
        declared = f"spec.database.uid declares the database with uid {self.uid}, and {self.project}/{self.name}"
        if uid:
            return f"{declared} has uid {uid}: it is another one, or was made anew under its name"
        remedy = "grant the operator's service account roles/datastore.viewer"
        return f"{declared} does not say its uid (an emulator has none): {remedy}"


class EnvSource(RuledModel):
    """Exactly one of the two."""

    config_map_key_ref: KeyRef | None = None
    secret_key_ref: KeyRef | None = None

    rules: ClassVar[Rules] = (
        Rule(
            "has(self.configMapKeyRef) != has(self.secretKeyRef)",
            "`valueFrom` must have exactly one of `configMapKeyRef` and `secretKeyRef`",
            lambda source: (source.config_map_key_ref is None) != (source.secret_key_ref is None),
        ),
    )


class EnvVar(RuledModel):
    """An environment variable of the worker: `value`, or `value_from`."""

    name: Annotated[str, Field(max_length=128, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
    """Its name."""
    value: Annotated[str, Field(max_length=4096)] | None = None
    """Its value as it is; never a secret."""
    value_from: EnvSource | None = None

    rules: ClassVar[Rules] = (
        Rule(
            "has(self.value) != has(self.valueFrom)",
            "a variable must have exactly one of `value` and `valueFrom`",
            lambda variable: (variable.value is None) != (variable.value_from is None),
        ),
        Rule(
            "!self.name.startsWith('FIRELIFT_')",
            "names of variables that start with FIRELIFT_ are the operator's",
            lambda variable: not variable.name.startswith("FIRELIFT_"),
            field=".name",
        ),
    )


Quantity = Annotated[str, Field(max_length=32, pattern=r"^[0-9]+(\.[0-9]+)?(m|Ki|Mi|Gi|k|M|G)?$")]


class Resources(Model):
    """As in a pod: cpu, memory and ephemeral-storage."""

    requests: Annotated[dict[Annotated[str, Field(max_length=63)], Quantity], Field(max_length=8)] = {}
    """What a pod is sure to get."""
    limits: Annotated[dict[Annotated[str, Field(max_length=63)], Quantity], Field(max_length=8)] = {}
    """What it cannot pass."""


class WorkerSpec(Model):
    """The pods that move the data. Empty fields mean the operator's defaults."""

    image: Annotated[str, Field(max_length=512)] = ""
    """With your own transforms in it, if they are Python. Pinned as it is written at the first approval or run of an
    attempt: a name with a digest pins the content too."""
    service_account_name: Annotated[str, Field(max_length=253)] = ""
    """In the rollout's namespace; it needs no right in Kubernetes."""
    parallelism: Annotated[int, Field(ge=1, le=32)] = 2
    """How many pods work at once."""
    resources: Resources = Resources()
    env: Annotated[tuple[EnvVar, ...], Field(max_length=32), BY_NAME] = ()
    """What the transforms' own code is told."""


class PaceSpec(Model):
    """How fast documents are written, all workers of a run together."""

    max_writes_per_second: Annotated[int, Field(ge=1, le=100_000)] = 500
    """The rollout's part of its database's write budget is never more. It may change while a phase runs."""
    batch_size: Annotated[int, Field(ge=1, le=400)] = 200
    """Documents per Commit, at most."""
    pause_between_batches_seconds: Annotated[int, Field(ge=0, le=3600)] = 0
    """How long the whole run rests between two Commits: with a pause, one pod works on one range at a time."""
    max_retries: Annotated[int, Field(ge=0, le=20)] = 3
    """How often a Commit without an answer is tried again in a row, and a pod that gave up is started again. Being
    asked to slow down does not count: that is waited out, for ten minutes in a row."""
    per_entity_writes_per_minute: Annotated[int, Field(ge=1, le=60_000)] | None = None
    """Documents of one entity in any sixty seconds; its next ones wait while those of others go on. A revert is not
    bound by it."""


class FailurePolicy(Model):
    """What a failed step or gate leads to, and how far back a revert goes."""

    action: FailureAction = FailureAction.REVERT
    to: RevertTo = RevertTo.PHASE_START
    """How far a revert goes back, whoever asked for it, unless `revert_to` says otherwise."""


LimitSeconds = Annotated[int, Field(ge=1, le=31_536_000)]


class PhaseSpec(RuledModel):
    """Steps in order, under gates. Once it has started, it cannot be changed."""

    name: Name
    """What status, runs and the ledger call it."""
    steps: Annotated[tuple[StepSpec, ...], Field(min_length=1, max_length=12)]
    """One after the other; a revert walks back through them."""
    rehearse: bool = False
    """The first phase only: up to its first verify behind a migrate step it is done, taken back and done again."""
    gates: Annotated[tuple[GateSpec, ...], Field(max_length=16), BY_NAME] = ()
    """Watched in this phase only; each replaces the rollout's of the same name."""
    max_revert_seconds: LimitSeconds | None = None
    """How long it may last to take the phase back; in place of the rollout's."""

    rules: ClassVar[Rules] = PHASE_RULES


class RolloutSpec(RuledModel):
    """What a team wants to happen to its data."""

    database: DatabaseRef
    ledger_id: Annotated[
        str, Field(max_length=253, pattern=r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$", alias="ledgerID")
    ] = ""
    """Immutable. The document under `_firelift` that remembers everything. Empty: `<namespace>.<name>`."""
    seed: Annotated[str, Field(max_length=253)] = ""
    """Immutable. Of the cohort hash. Empty: the ledger's id."""
    requires: RequiresSpec = RequiresSpec()
    promotes_to: Annotated[tuple[Name, ...], Field(max_length=16), AS_SET] = ()
    """Other namespaces whose rollouts may require this one; they learn its state and which parts of its plan differ
    from theirs. Its own always may."""
    mode: RolloutMode = RolloutMode.MIGRATE
    attempt: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    """May only rise, and is the only way out of a rollout that failed, was reverted or was aborted."""
    suspend: bool = False
    """Hold everything, a revert included, until it is false again."""
    intent: Intent | None = None
    revert_to: RevertTo | None = None
    worker: WorkerSpec = WorkerSpec()
    ledger_retention_seconds: Seconds = 2_592_000
    """How long the way back stays open after the end."""
    pace: PaceSpec = PaceSpec()
    prices: Prices = Prices()
    on_failure: FailurePolicy = FailurePolicy()
    deletion_policy: DeletionPolicy = DeletionPolicy.RETAIN
    progress_deadline_seconds: Annotated[int, Field(ge=1, le=31_536_000)] = 3600
    """Without progress for so long the rollout pauses."""
    max_revert_seconds: LimitSeconds | None = None
    """A phase does not start when a revert would last longer, at the rate that has been measured. Absent: no limit."""
    migrations: Annotated[tuple[MigrationSpec, ...], Field(min_length=1, max_length=20), BY_NAME]
    """What becomes of documents; in one step they run in this order."""
    gates: Annotated[tuple[GateSpec, ...], Field(max_length=16), BY_NAME] = ()
    """Watched in every phase."""
    phases: Annotated[tuple[PhaseSpec, ...], Field(min_length=1, max_length=16), BY_NAME]
    """One after the other."""

    rules: ClassVar[Rules] = ROLLOUT_RULES

    def migration(self, name: str) -> MigrationSpec:
        """The migration of that name."""
        return next(migration for migration in self.migrations if migration.name == name)

    def gates_of(self, phase: PhaseSpec) -> tuple[GateSpec, ...]:
        """The gates that watch a phase: the rollout's, each replaced by the phase's own of the same name."""
        merged = {gate.name: gate for gate in (*self.gates, *phase.gates)}
        return tuple(merged.values())
