"""`FirestoreEnvironment.status`: observation only, derived anew each turn."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from firelift.api.base import Model
from firelift.api.environment.conditions import EnvironmentConditionType
from firelift.api.lists import BY_NAME, BY_TYPE
from firelift.api.status import Line, Moment, ObservedCondition, Person, Short

Address = Annotated[str, Field(max_length=512)]
"""Of a resource in Terraform, such as ``google_firestore_index.composite["telemetry-by-device"]``."""


MOST_TTLS = 100
"""TTLs that are shown: those of the spec, of its file and of Firelift's own documents."""


class PlanPurpose(StrEnum):
    """What a plan is for."""

    APPLY = "Apply"
    DRIFT = "Drift"
    DESTROY = "Destroy"


class Action(StrEnum):
    """What a plan does with a resource."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    IMPORT = "import"
    FORGET = "forget"


class ResourceState(StrEnum):
    """What the Firestore Admin API says about an index or a TTL; Missing: it says that there is none."""

    CREATING = "CREATING"
    READY = "READY"
    ACTIVE = "ACTIVE"
    NEEDS_REPAIR = "NEEDS_REPAIR"
    MISSING = "MISSING"


class LockHolder(StrEnum):
    """Who holds the state's lock: a run that lives, one of ours that does not, or somebody else."""

    ALIVE = "Alive"
    ORPHANED = "Orphaned"
    FOREIGN = "Foreign"


class EnvironmentCondition(ObservedCondition):
    """A metav1.Condition of an environment."""

    type: EnvironmentConditionType


class PlannedChange(Model):
    """What a plan does with one resource."""

    address: Address
    """Of the resource."""
    action: Action
    can_lose_data: bool = False
    """Then an approval must name this address in `loses`."""
    sentence: Line = ""
    """What it means for the data, with numbers."""


class EnvironmentPlan(Model):
    """The plan that was made last. Its saved file is what is applied, never a newer one."""

    digest: Short
    """What an approval names."""
    purpose: PlanPurpose
    add: int = 0
    """Resources that it creates."""
    change: int = 0
    """Resources that it changes in place."""
    destroy: int = 0
    """Resources that it deletes."""
    generation: int = 0
    """Of the object that it was made from."""
    attempt: int = 0
    """In which it was made."""
    inputs_digest: Short = ""
    """Over what it was made from: the spec, the ConfigMaps, the versions of secrets and the modules."""
    serial: int = 0
    """Of the state that it was made against."""
    created_time: Moment | None = None
    """When it was made."""
    changes: Annotated[tuple[PlannedChange, ...], Field(max_length=100)] = ()
    """Those that can lose data first. All of them are in the ConfigMap."""
    config_map: Person = ""
    """Where the whole plan is, as text."""


class AppliedPlan(Model):
    """What was applied last."""

    digest: Short
    """Of the plan."""
    time: Moment | None = None
    """When the apply ended."""
    generation: int = 0
    """Of the object that the plan was made from."""
    attempt: int = 0
    """In which it was applied."""
    inputs_digest: Short = ""
    """Over what the plan was made from."""
    serial: int = 0
    """Of the state that the apply has left."""


class IndexStatus(Model):
    """One declared index, as the Firestore Admin API has it now."""

    name: Short
    """The key in `spec.indexes`, or the one that its file's entry was given."""
    id: Short = ""
    """Firestore's own name of it."""
    collection: Person = ""
    """The collection group that it is of."""
    state: ResourceState
    since: Moment | None = None
    """When it was first seen in this state."""
    progress: Short = ""
    """How much of it is built, as Firestore tells it, such as ``41%``."""


class TtlStatus(Model):
    """One declared TTL, as the Firestore Admin API has it now."""

    name: Short
    """The key in `spec.ttls`, the one that its file's entry was given, or a collection of Firelift's own."""
    collection: Person = ""
    """The collection group that it is of."""
    path: Annotated[str, Field(max_length=512)] = ""
    """The field with the time at which a document goes."""
    state: ResourceState
    since: Moment | None = None
    """When it was first seen in this state."""
    progress: Short = ""
    """How much of it is done, as Firestore tells it, such as ``41%``."""


class DriftedResource(Model):
    """What is no longer as it was applied."""

    address: Address
    """Of the resource."""
    action: Action
    """What would bring it back."""
    since: Moment | None = None
    """When it was first seen to differ."""
    sentence: Line = ""
    """What has happened to it, as far as a plan can tell."""


class DriftStatus(Model):
    """What the last look at everything has found."""

    checked_time: Moment | None = None
    """When everything was looked at."""
    changes: Annotated[tuple[DriftedResource, ...], Field(max_length=100)] = ()
    """Empty: all is as it was applied."""


class LockStatus(Model):
    """Who holds the state's lock while we wait for it."""

    id: Short
    """What `terraform force-unlock` wants."""
    who: Line = ""
    """Who has taken it, as Terraform has noted."""
    operation: Short = ""
    """For what it was taken."""
    created: Moment | None = None
    """When it was taken."""
    holder: LockHolder


class FailureStatus(Model):
    """The last plan or apply that failed, until one succeeds."""

    purpose: PlanPurpose
    count: int = 0
    """In a row."""
    time: Moment | None = None
    """When the last one failed."""
    retry_time: Moment | None = None
    """When it is tried again. Absent: not before the spec changes or `attempt` rises."""
    message: Line = ""
    """Terraform's own words."""


class OutputsStatus(Model):
    """Where the outputs are, in the environment's namespace."""

    config_map: Person = ""
    """The ConfigMap with those that are no secrets."""
    secret: Person = ""
    """Those of `terraform.sensitiveOutputs`; empty when there are none."""


class EnvironmentStatus(Model):
    """Everything that on-call reads."""

    observed_generation: int = 0
    """Of the spec that everything below is about."""
    attempt: int = 0
    """The `spec.attempt` that it works on."""
    reason: Short = ""
    """Why it is as it is, in one word: what a person must fix comes before what time will."""
    message: Line = ""
    """The same as one sentence, with what can be done."""
    plan_summary: Short = ""
    """Such as ``+3 ~1 -0``."""
    indexes_summary: Short = ""
    """Such as ``8/9 building``."""
    ttls_summary: Short = ""
    """Such as ``2/2``."""
    drift_summary: Short = ""
    """Such as ``no``, or ``2 since 4h``."""
    conditions: Annotated[tuple[EnvironmentCondition, ...], Field(max_length=16), BY_TYPE] = ()
    """kstatus's three, and one for each question that on-call asks."""
    plan: EnvironmentPlan | None = None
    applied: AppliedPlan | None = None
    indexes: Annotated[tuple[IndexStatus, ...], Field(max_length=400), BY_NAME] = ()
    """Each declared index."""
    ttls: Annotated[tuple[TtlStatus, ...], Field(max_length=MOST_TTLS), BY_NAME] = ()
    """Each declared TTL, and those of Firelift's own documents."""
    drift: DriftStatus | None = None
    lock: LockStatus | None = None
    failure: FailureStatus | None = None
    outputs: OutputsStatus | None = None
