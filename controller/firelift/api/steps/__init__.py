"""The verbs. Each is a pair of twins: its spec here, what it does in `firelift.rollout.steps`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from firelift.api.base import Name
from firelift.api.rules import RuledModel, Rules
from firelift.api.steps.approve import ApproveStep
from firelift.api.steps.backup import BackupStep
from firelift.api.steps.cross_field import STEP_RULES
from firelift.api.steps.delete import DeleteStep
from firelift.api.steps.flags import FlagsStep
from firelift.api.steps.indexes import IndexesStep
from firelift.api.steps.migrate import MigrateStep
from firelift.api.steps.restore import RestoreStep
from firelift.api.steps.soak import SoakStep
from firelift.api.steps.sweep import SweepStep
from firelift.api.steps.verify import VerifyStep

VERBS = ("flags", "migrate", "verify", "soak", "approve", "sweep", "delete", "indexes", "backup", "restore")


class FailureAction(StrEnum):
    """What a failure leads to."""

    REVERT = "Revert"
    PAUSE = "Pause"


class OnRevert(StrEnum):
    """What a revert does with a step that was executed."""

    UNDO = "Undo"
    KEEP = "Keep"


class StepSpec(RuledModel):
    """Exactly one verb."""

    name: Name | None = None
    """What status calls it. Absent: its verb, so two steps of one verb in a phase need names."""
    timeout_seconds: Annotated[int, Field(ge=1, le=31_536_000)] | None = None
    """How long it may take. Absent: for ever, under the progress deadline."""
    on_timeout: FailureAction | None = None
    """What taking longer leads to. Absent: `spec.onFailure`."""
    on_revert: OnRevert = OnRevert.UNDO
    irreversible: bool = False
    """It has no way back: it needs an approval, and a revert stops there and says so."""
    flags: FlagsStep | None = None
    migrate: MigrateStep | None = None
    verify: VerifyStep | None = None
    soak: SoakStep | None = None
    approve: ApproveStep | None = None
    sweep: SweepStep | None = None
    delete: DeleteStep | None = None
    indexes: IndexesStep | None = None
    backup: BackupStep | None = None
    restore: RestoreStep | None = None

    rules: ClassVar[Rules] = STEP_RULES

    @property
    def verb(self) -> str:
        """The one verb that is set."""
        return next(verb for verb in VERBS if getattr(self, verb) is not None)

    @property
    def key(self) -> str:
        """The step's name within its phase."""
        return self.name or self.verb
