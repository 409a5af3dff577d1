"""Why Terraform did not do what it was asked, by what can be done about it.

```
TerraformError
├── TerraformUnavailable   no binary or provider, or one of a version that is not supported: the image is at fault
├── TerraformFailed        it ran and said no: a person reads the diagnostics
│   ├── StateLocked        another run holds the state; `lock` says which
│   └── PlanStale          the state has moved on since the plan: plan again
├── TimedOut               it was stopped past its deadline, gracefully or by SIGKILL
├── TooLarge               its answer is larger than a sound one can be
└── StateUnsaved           it changed things and could not write its state; `state` holds it
```

No message holds a secret of the workspace: they are taken out before an error is made.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True)
class Diagnostic:
    """One error or warning of Terraform's; `address` is the resource's, empty when it is of none."""

    severity: str
    summary: str
    detail: str = ""
    address: str = ""

    def __str__(self) -> str:
        where = f"{self.address}: " if self.address else ""
        return f"{where}{self.summary}" + (f": {' '.join(self.detail.split())}" if self.detail else "")


@dataclass(frozen=True)
class StateLock:
    """Who holds a state, as Terraform wrote it down. `who` is `user@host`; in a pod the host is the pod's name."""

    id: str
    who: str
    operation: str = ""
    created: datetime | None = None
    path: str = ""

    @property
    def host(self) -> str:
        """The holder's host name."""
        return self.who.rpartition("@")[2]


class TerraformError(Exception):
    """A run of Terraform did not end well."""


class TerraformUnavailable(TerraformError):
    """There is no Terraform to run, or no provider for it, or not one that is supported."""


class TerraformFailed(TerraformError):
    """Terraform ended with an error. `diagnostics` are its own words, errors first.

    `unlocked`: whatever lock it had, it has given back; one that was killed may not have come to it.
    """

    def __init__(self, message: str, diagnostics: tuple[Diagnostic, ...] = (), *, unlocked: bool = False) -> None:
        super().__init__(message)
        self.diagnostics = diagnostics
        self.unlocked = unlocked


class StateLocked(TerraformFailed):
    """Another run holds the state."""

    def __init__(self, message: str, diagnostics: tuple[Diagnostic, ...], lock: StateLock) -> None:
        super().__init__(message, diagnostics, unlocked=True)
        self.lock = lock


class PlanStale(TerraformFailed):
    """The state is no longer the one that the plan was made of."""


class TimedOut(TerraformError):
    """A run was stopped past its deadline. After `killed` the state may still be locked by it."""

    def __init__(self, message: str, *, killed: bool) -> None:
        super().__init__(message)
        self.killed = killed


class TooLarge(TerraformError):
    """An answer or a saved plan is larger than is held in memory or can be kept."""


class StateUnsaved(TerraformError):
    """Things were changed and the state that knows of them could not be written. `state` is it, secrets included.

    `path` is where it stays on this machine, until `discard` removes it.
    """

    def __init__(self, message: str, state: bytes, path: Path) -> None:
        super().__init__(message)
        self.state = state
        self.path = path
