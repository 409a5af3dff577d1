"""Firestore's exports, imports and backups for the rollout machine's world: nothing moves before a test says so."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from firelift.rollout.backups import BackupSeen, BackupsSeen, OperationSeen
from firelift.rollout.intents import CancelTransfer, StartTransfer
from firelift.rollout.observation import Refusal

DOCUMENTS = 100


@dataclass
class Copies:
    """What Firestore tells, and what it was asked for."""

    seen: BackupsSeen = field(default_factory=BackupsSeen)
    refusals: dict[str, Refusal] = field(default_factory=dict)
    started: list[StartTransfer] = field(default_factory=list)
    """Exports and imports, each a new operation."""
    silent: bool = False
    slow: bool = False
    """Whether what is cancelled goes on until a test says that it has ended."""

    def do(self, intent: StartTransfer | CancelTransfer, now: datetime) -> None:
        """Begin, unless it was begun before; or cancel."""
        if isinstance(intent, CancelTransfer):
            self.operate(intent.operation, state="CANCELLING" if self.slow else "CANCELLED")
            return
        found = self.seen.moving(intent.kind, intent.uri, frozenset(intent.collections))
        if intent.uri in self.refusals or any(each.name not in intent.known for each in found):
            return
        self.started.append(intent)
        name = f"operation-{len(self.started)}"
        made = OperationSeen(
            name, intent.kind, intent.uri, "PROCESSING", frozenset(intent.collections), now, estimate=DOCUMENTS
        )
        self.seen = replace(self.seen, operations=(*self.seen.operations, made))

    def operate(self, name: str = "", **changes: Any) -> None:
        """The operation of this name, or each one that goes on, is now so."""
        operations = tuple(
            replace(each, **changes) if (each.name == name if name else not each.ended) else each
            for each in self.seen.operations
        )
        self.seen = replace(self.seen, operations=operations)

    def back_up(self, now: datetime) -> None:
        """A schedule makes a backup."""
        made = BackupSeen(f"backups/{now:%Y%m%dT%H%M%S}", "READY", now, "db", 5000)
        self.seen = replace(self.seen, backups=(made,))

    def tell(self, *, told: bool) -> None:
        """Firestore tells of its operations and backups, or of neither."""
        self.silent = not told

    @property
    def told(self) -> BackupsSeen:
        """What the operator can see."""
        return BackupsSeen(operations_error="UNAVAILABLE", backups_error="UNAVAILABLE") if self.silent else self.seen

    @property
    def states(self) -> list[str]:
        """Those of all operations."""
        return [each.state for each in self.seen.operations]
