"""The errors of the data plane.

```
MigrationError
├── StoreError              what the database answered; one class per kind of consequence
│   ├── Conflict            a live write won: read again and decide again
│   │   ├── AlreadyExists
│   │   ├── FailedPrecondition
│   │   └── NotFound
│   ├── Pressure            slow down, then try the same commit again (Aborted, ResourceExhausted)
│   ├── UnknownOutcome      the commit may have happened: ask the ledger (Unavailable, DeadlineExceeded, Internal…)
│   ├── Poison              the database refuses the data itself (InvalidArgument, OutOfRange)
│   └── Denied              permission or identity: only a person can help
├── FencedError             another writer owns the lane, or it is sealed
└── RunStopped              the operator told this run to stop, or its lease ran out
```
"""

from __future__ import annotations


class MigrationError(Exception):
    """Base of all errors that the data plane raises."""


class StoreError(MigrationError):
    """A database call failed. `code` is the gRPC code's name, such as ``ABORTED``."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class Conflict(StoreError):
    """A precondition did not hold: a live write won."""


class AlreadyExists(Conflict):
    """A document that was to be created exists."""


class FailedPrecondition(Conflict):
    """A document has changed since it was read."""


class NotFound(Conflict):
    """A document that was to be changed is gone."""


class Pressure(StoreError):
    """The database asks for a lower rate (ABORTED, RESOURCE_EXHAUSTED)."""


class UnknownOutcome(StoreError):
    """The call ended without a verdict; a commit may or may not have happened."""


class Poison(StoreError):
    """The database refuses the data itself (INVALID_ARGUMENT, OUT_OF_RANGE)."""


class Denied(StoreError):
    """The caller may not do this (PERMISSION_DENIED, UNAUTHENTICATED)."""


class FencedError(MigrationError):
    """The lane belongs to another writer, or is sealed; nothing was written."""


class RunStopped(MigrationError):
    """The run was told to stop, or its lease ran out; nothing more may be written."""
