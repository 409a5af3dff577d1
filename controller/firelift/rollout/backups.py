"""Copies of the database, and what makes them and brings them back, as Firestore tells of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

SUCCESSFUL, FAILED, CANCELLED = "SUCCESSFUL", "FAILED", "CANCELLED"
CANCELLING = "CANCELLING"
ENDED = frozenset({SUCCESSFUL, FAILED, CANCELLED})
"""The states of an operation in which it does nothing any more."""

READY = "READY"


class TransferKind(StrEnum):
    """Which way documents go."""

    EXPORT = "export"
    IMPORT = "import"


@dataclass(frozen=True, slots=True)
class OperationSeen:
    """An export or import, by the name that Firestore gave it.

    `documents` and `size` (bytes) are what is done, `estimate` is the number of documents that there are to do, 0 when
    unknown. `collections` are the collection groups that it is restricted to; empty: all. `time` is that of the data:
    of its snapshot, else when it began.
    """

    name: str
    kind: TransferKind
    uri: str
    state: str
    collections: frozenset[str] = frozenset()
    time: datetime | None = None
    documents: int = 0
    estimate: int = 0
    size: int = 0
    error: str = ""

    @property
    def ended(self) -> bool:
        """Whether it does nothing any more."""
        return self.state in ENDED


@dataclass(frozen=True, slots=True)
class BackupSeen:
    """A backup that a schedule made of the database: `state` is CREATING, READY or NOT_AVAILABLE, `size` in bytes."""

    name: str
    state: str
    time: datetime
    database_uid: str = ""
    size: int = 0


@dataclass(frozen=True, slots=True)
class BackupsSeen:
    """What Firestore tells of a database. The errors say why it does not tell of operations or of backups."""

    operations: tuple[OperationSeen, ...] = ()
    backups: tuple[BackupSeen, ...] = ()
    operations_error: str = ""
    backups_error: str = ""

    def operation(self, name: str) -> OperationSeen | None:
        """The operation of that name."""
        return next((operation for operation in self.operations if operation.name == name), None)

    def moving(self, kind: TransferKind, uri: str, collections: frozenset[str]) -> tuple[OperationSeen, ...]:
        """The operations that move just this, oldest first."""
        wanted = (kind, uri, collections)
        return tuple(each for each in self.operations if (each.kind, each.uri, each.collections) == wanted)
