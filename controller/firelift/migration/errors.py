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
│   │   └── TooLarge        the request as a whole has more bytes than it takes
│   ├── IndexNotReady       a query's index is missing or being built: wait, and say for which
│   └── Denied              permission or identity: only a person can help
├── FencedError             another writer owns the lane, or it is sealed
├── RunStopped              the operator told this run to stop
│   └── LeaseLost           nobody keeps the run's lease fresh
├── LostRace                somebody else changed a document of the ledger first
├── StaleEpoch              a newer leader has written this document
├── LedgerBroken            the ledger holds what cannot be, or what this version cannot read
├── RetriesExhausted        the database kept refusing one chunk
├── TransformUnusable       the plan's transform cannot be loaded or compiled, or does not answer
└── InvalidData             a record broke a rule, and `onInvalid` is Fail
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


class TooLarge(Poison):
    """The request as a whole has more bytes than the database takes; a shorter one may pass."""


class Denied(StoreError):
    """The caller may not do this (PERMISSION_DENIED, UNAUTHENTICATED)."""


class IndexNotReady(StoreError):
    """A query's index is missing or still being built; the message is the database's, with the link to it."""


class FencedError(MigrationError):
    """The lane belongs to another writer, or is sealed; nothing was written."""


class RunStopped(MigrationError):
    """The run was told to stop or to hold, or its process is; nothing more may be written."""


class LeaseLost(RunStopped):
    """Nobody keeps the run's lease fresh: the operator is away, so that nobody watches the gates."""


class LostRace(MigrationError):
    """Somebody else changed a document of the ledger first; read it again and decide again."""


class MoreToDo(MigrationError):
    """A portion of something long is done, and how far it has come is kept: ask again for the next one."""


class StaleEpoch(MigrationError):
    """A newer leader has written this document; whoever gets this must not write any more."""


class LedgerBroken(MigrationError):
    """The ledger holds what cannot be, or what this version cannot read."""


class RetriesExhausted(MigrationError):
    """The database kept refusing one chunk; the Job tries again with its own backoff."""


class TransformUnusable(MigrationError):
    """The plan's transform cannot be loaded or compiled, or does not answer; only a new plan can help."""


class InvalidData(MigrationError):
    """A record broke a rule, and the migration's `onInvalid` is Fail."""
