"""The next slice of a batch is decided about while the commit of the last one is on its way."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from firelift.migration.clock import Clock
from firelift.migration.work import Change, Processor, Record

SENT_SECONDS = 0.002
"""By when a commit is on the wire. It is handed over in several turns of the event loop, and what is decided before the
last of them would hold up just what it is to run beside."""


@runtime_checkable
class Foreseeing(Protocol):
    """A processor whose changes may follow from the records alone."""

    def foresee(self, records: Sequence[Record]) -> list[Change] | None:
        """What `prepare` would answer, where it reads nothing for that; else None."""


@dataclass(slots=True)
class Foresight:
    """What is decided ahead, of one slice at most."""

    processor: Processor
    clock: Clock
    _spent: float = field(default=0.0, init=False)
    _records: Sequence[Record] = field(default=(), init=False)
    _coming: asyncio.Task[list[Change] | None] | None = field(default=None, init=False)

    def begin(self, records: Sequence[Record]) -> None:
        """Decide about these as soon as the commit that is made now is sent."""
        if records and isinstance(self.processor, Foreseeing):
            self._records = records
            self._coming = asyncio.create_task(self._decided(self.processor, records))

    def take(self, records: Sequence[Record]) -> list[Change] | None:
        """The changes of these records, None when they were not decided about."""
        coming, of_these = self._coming, self._records == records
        found = coming.result() if coming is not None and coming.done() and of_these else None
        self.drop()
        return found

    def spent(self) -> float:
        """The seconds spent on deciding since this was last asked, in which the event loop did nothing else."""
        spent, self._spent = self._spent, 0.0
        return spent

    def drop(self) -> None:
        """Forget what was decided, or was about to be."""
        if self._coming is not None:
            self._coming.cancel()
        self._coming, self._records = None, ()

    async def _decided(self, foreseeing: Foreseeing, records: Sequence[Record]) -> list[Change] | None:
        await asyncio.sleep(SENT_SECONDS)
        began = self.clock.seconds()
        try:
            return foreseeing.foresee(records)
        except Exception:  # noqa: BLE001 - met again where these records have their turn, with all before them committed
            return None
        finally:
            self._spent += self.clock.seconds() - began
