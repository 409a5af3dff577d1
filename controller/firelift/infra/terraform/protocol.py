"""What the operator needs of Terraform."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from firelift.infra.terraform.configuration import Configuration, SavedPlan
from firelift.infra.terraform.errors import Diagnostic
from firelift.infra.terraform.process import Limits


class Purpose(StrEnum):
    """What a plan is for. A plan to apply shows drift too; one to refresh only takes note of it."""

    APPLY = "Apply"
    DESTROY = "Destroy"
    REFRESH = "Refresh"


@dataclass(frozen=True)
class StateVersion:
    """Which state: its lineage (empty before the first apply) and its serial, which rises with each write."""

    lineage: str
    serial: int


@dataclass(frozen=True)
class PlanResult:
    """A plan. `document` is `terraform show -json` of it, sensitive values in clear: it is never logged or shown."""

    purpose: Purpose
    changed: bool
    document: Mapping[str, Any] = field(repr=False)
    text: str = field(repr=False)
    state: StateVersion
    saved: SavedPlan = field(repr=False)
    warnings: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True)
class ApplyResult:
    """What an apply did, and the state that it left."""

    added: int
    changed: int
    destroyed: int
    imported: int
    state: StateVersion
    warnings: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True)
class Outputs:
    """The root module's outputs, those that are sensitive apart."""

    plain: Mapping[str, Any] = field(default_factory=dict)
    sensitive: Mapping[str, Any] = field(default_factory=dict, repr=False)


class TerraformSession(Protocol):
    """One initialised workspace. Every method may raise `TerraformError`."""

    async def plan(self, purpose: Purpose = Purpose.APPLY, *, targets: Sequence[str] = ()) -> PlanResult:
        """Plan and keep it; the state is locked meanwhile."""
        ...

    async def apply(self, plan: bytes) -> ApplyResult:
        """Apply exactly this saved plan."""
        ...

    async def outputs(self) -> Outputs:
        """Read the state's outputs."""
        ...

    async def state(self) -> StateVersion:
        """Read which state it is now."""
        ...

    async def unlock(self, lock_id: str) -> None:
        """Release a lock that nobody holds any more."""
        ...


class TerraformRunner(Protocol):
    """Runs Terraform, a bounded number at once."""

    def open(
        self,
        configuration: Configuration,
        *,
        lock_file: str = "",
        environment: Mapping[str, str] | None = None,
        limits: Limits | None = None,
    ) -> AbstractAsyncContextManager[TerraformSession]:
        """Wait for a place, make a workspace, initialise it, and remove it at the end.

        `lock_file` holds the providers to those of an earlier run. `environment` adds to the runner's. Cancelling what
        runs inside stops Terraform gracefully first. Do not open one inside another: both wait for places.
        """
        ...
