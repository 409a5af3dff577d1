"""What the rollout machine remembers of exports, imports and the backup that it stands on."""

from __future__ import annotations

from datetime import datetime

from firelift.api.base import Model
from firelift.rollout.backups import TransferKind

REFUSED, FORGOTTEN = "REFUSED", "FORGOTTEN"
"""How a record ends whose operation does not tell: Firestore never began it, or it is not to be seen."""


class TransferRecord(Model):
    """An export or import that a step wants. It is remembered before it is begun, so that it is never begun twice."""

    kind: TransferKind
    uri: str
    """Where the export lies, or will."""
    collections: tuple[str, ...] = ()
    snapshot: datetime | None = None
    """As of when documents are exported; None: as they are when they are read."""
    attempt: int
    known: tuple[str, ...] = ()
    """Operations that moved the same before: what is there beside them is this one."""
    operation: str = ""
    """Its name, once Firestore was seen to have it."""
    state: str = ""
    """In which it ended; empty while it goes on, or has not begun."""
    unseen_since: datetime | None = None
    """Since when it has not been seen, of one that nobody wants any more."""
    documents: int = 0
    size: int = 0
    """Bytes that it has moved, as Firestore tells it."""
    error: str = ""

    @property
    def ended(self) -> bool:
        """Whether it does nothing any more."""
        return bool(self.state)


class StoodOn(Model):
    """The backup or export that `requires.backup` was met with, at the first write."""

    name: str
    """A backup's name, or an export's place."""
    backup: bool
    """Whether it is a backup: whether it is still there can be looked up. Exports lie in a bucket of yours."""
    time: datetime
    size: int
