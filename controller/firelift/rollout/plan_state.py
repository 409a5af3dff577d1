"""What the rollout machine remembers of its plan and of its trial."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from firelift.api.base import Model
from firelift.api.plan import MOST_CHECKS, Check, CheckVerdict, PhaseEstimate, PlanRequest, SourceCount
from firelift.api.rollout import RolloutMode
from firelift.api.run import Totals


class PlanRecord(Model):
    """The plan that the next phase rests on: asked of a run, answered, shown, and valid for `inputs` only."""

    number: int
    """Counts the plans of a rollout; it is part of their runs' names."""
    attempt: int
    phase: str
    """The phase in front of which it was made."""
    run: str
    replaces: str = ""
    """The run of the plan before, which has answered and is nobody's any more: its documents go."""
    known: str = ""
    """The digest of what the ConfigMap held of the plan before: one that says the same is no news."""
    inputs: tuple[str, ...]
    """Digests: of what all phases share, then of each phase that was still to come."""
    image: str
    request: PlanRequest
    started: datetime
    digest: str = ""
    """Of what was asked and answered; empty while it is under way."""
    time: datetime | None = None
    checks: Annotated[tuple[Check, ...], Field(max_length=MOST_CHECKS)] = ()
    counts: tuple[SourceCount, ...] = ()
    phases: tuple[PhaseEstimate, ...] = ()
    gates: tuple[Check, ...] | None = None
    """Whether each gate's query answers, and each backup can be made; None while that is asked for the first time."""
    asked: datetime
    """When the gates' queries were last asked: their windows end there."""
    asking: bool = True
    shown: str = ""
    """The digest of what the ConfigMap was seen to hold."""

    @property
    def answered(self) -> bool:
        """Whether all of it is known."""
        return bool(self.digest) and self.gates is not None

    @property
    def all_checks(self) -> tuple[Check, ...]:
        """Those of the run, then those that the operator makes itself."""
        return (*self.checks, *(self.gates or ()))

    @property
    def failing(self) -> tuple[Check, ...]:
        """What keeps the rollout from writing."""
        return tuple(check for check in self.all_checks if check.verdict is CheckVerdict.FAIL)


class Trial(Model):
    """A dry run or a validation: what it was made for, and what it found."""

    plan: int
    """The number of the plan behind which it ran; after another plan it is made anew."""
    mode: RolloutMode
    runs: tuple[str, ...]
    started: datetime
    finished: datetime | None = None
    failure: str = ""
    message: str = ""
    totals: Totals = Totals()

    @property
    def ended(self) -> bool:
        """Whether nothing of it is under way."""
        return self.finished is not None
