"""What a decision wants done. Each intent is idempotent by its name: doing it twice is doing it once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from firelift.api.run import RunPlan, RunState
from firelift.api.status import RolloutStatus
from firelift.rollout.backups import TransferKind
from firelift.rollout.extent import Progress
from firelift.rollout.state import RolloutState


@dataclass(frozen=True, slots=True)
class EnsureRun:
    """The run's document exists and says `state`; while it says Run its lease is kept fresh.

    An existing document keeps its plan: only its control changes.
    """

    plan: RunPlan
    state: RunState


@dataclass(frozen=True, slots=True)
class ForgetRun:
    """The documents of a plan run that has answered are gone; it has no journal, and nobody asks for it again."""

    run: str


@dataclass(frozen=True, slots=True)
class SetRunState:
    """The run's document, if there is one, says `state` (Hold or Stop): its workers idle or leave. Never makes one."""

    run: str
    state: RunState


@dataclass(frozen=True, slots=True)
class EnsureJob:
    """The run's Job exists. A Job without a pod is replaced when `replace` is set."""

    run: str
    replace: bool = False


@dataclass(frozen=True, slots=True)
class RemoveJob:
    """The run's Job and its pods are gone."""

    run: str


@dataclass(frozen=True, slots=True)
class SetFlags:
    """These keys of the ConfigMap have these values (None: absent), and no other key changes.

    `seen` are the values that the decision rests on; nothing is written when one of them is different by then.
    """

    config_map: str
    values: Mapping[str, str | None]
    seen: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class ShowPlan:
    """The ConfigMap of this name, owned by the rollout, holds this data. One of somebody else's is left as it is."""

    config_map: str
    digest: str
    data: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class AcquireLock:
    """This rollout holds the collection group's lock, or stands in its queue."""

    group: str


@dataclass(frozen=True, slots=True)
class ReleaseLock:
    """This rollout neither holds nor awaits the lock."""

    group: str


@dataclass(frozen=True, slots=True)
class ClaimLedger:
    """The ledger belongs to this object; `adopt` takes it from another owner or database."""

    adopt: bool = False


@dataclass(frozen=True, slots=True)
class ReleaseLedger:
    """The ledger belongs to nobody; with `expire` its documents may go at that time."""

    expire: datetime | None = None


@dataclass(frozen=True, slots=True)
class StartTransfer:
    """An export or import of just this is there, beside those that are `known`: it is begun unless one is.

    `snapshot`, a whole minute, is as of when documents are exported.
    """

    kind: TransferKind
    uri: str
    collections: tuple[str, ...]
    known: tuple[str, ...] = ()
    snapshot: datetime | None = None


@dataclass(frozen=True, slots=True)
class CancelTransfer:
    """The operation of this name does nothing any more, or ends soon."""

    operation: str


@dataclass(frozen=True, slots=True)
class EmitEvent:
    """A Kubernetes Event on the object."""

    reason: str
    message: str
    warning: bool = False


Intent: TypeAlias = (
    EnsureRun
    | ForgetRun
    | SetRunState
    | EnsureJob
    | RemoveJob
    | SetFlags
    | ShowPlan
    | AcquireLock
    | ReleaseLock
    | ClaimLedger
    | ReleaseLedger
    | StartTransfer
    | CancelTransfer
    | EmitEvent
)


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome of a turn.

    The operator records `state` in the ledger, then writes `status`, then does the intents in order; when one of the
    first two is refused because somebody else was faster, nothing after it happens and the turn begins anew.
    `due` is when the next turn is needed at the latest. `finalizer`: whether the object needs Firelift at its deletion.
    `progress` is what the status has as text.
    """

    state: RolloutState
    status: RolloutStatus
    progress: Progress
    intents: tuple[Intent, ...]
    due: datetime
    finalizer: bool
