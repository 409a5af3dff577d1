"""Connections to the databases that rollouts change: one per database, and nothing is committed without the permit."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from firelift.api.rollout import DatabaseRef
from firelift.infra.firestore_admin import DatabaseLookupError, database_uid
from firelift.migration.store import Store
from firelift.operator.remembered import Remembered
from firelift.operator.settings import EMULATOR_VARIABLE
from firelift.stores.firestore.store import open_firestore
from firelift.stores.firestore.transport import Patience

ADMIN_ENDPOINT_VARIABLE = "FIRELIFT_FIRESTORE_ADMIN_ENDPOINT"

STREAMS = 8
"""Reads of one database at once. Each has a thread, whose start the event loop waits for: on a busy machine the
hundreds of twenty databases kept it for so long that the Lease was lost. One that does not answer holds up its own."""

_UNUSED_SECONDS = 7200.0
"""After how long without a turn a database is closed: twice as long as the rarest of turns is away from the next, and
much longer than any lasts. Databases of rollouts that are gone must not add up."""

_UID_SECONDS = 60.0
"""How long a database's uid is believed: a restore into the same name takes longer than that."""


@dataclass(slots=True)
class _Open:
    store: Store
    used: float
    uid: Remembered[str]


class Databases:
    """All databases in use, opened at their first use, closed when long unused. Use it in one event loop."""

    def __init__(
        self, permit: Callable[[], None], *, timeout_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._permit = permit
        self._patience = Patience(call=timeout_seconds, reads=timeout_seconds)
        self._clock = clock
        self._open: dict[DatabaseRef, _Open] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        """How many are open."""
        return len(self._open)

    def store(self, ref: DatabaseRef) -> Store:
        """The store of a database."""
        return self._entry(ref).store

    async def uid(self, ref: DatabaseRef) -> str:
        """What the database says of itself, at most a minute old.

        Raises:
            DatabaseLookupError: it does not say.
        """
        return await self._entry(ref).uid.value()

    async def close(self) -> None:
        """Close all stores."""
        for entry in self._open.values():
            await entry.store.close()
        self._open.clear()
        await asyncio.gather(*self._closing)

    def _entry(self, ref: DatabaseRef) -> _Open:
        now = self._clock()
        ref = DatabaseRef(project=ref.project, name=ref.name)  # whatever uid each of its rollouts declares
        if ref not in self._open:
            # The only moment at which there are more of them.
            self._close_unused(now)
            store = open_firestore(ref.project, ref.name, patience=self._patience, streams=STREAMS, permit=self._permit)
            uid = Remembered(partial(_uid, ref), _UID_SECONDS, self._clock)
            self._open[ref] = _Open(store, now, uid)
        entry = self._open[ref]
        entry.used = now
        return entry

    def _close_unused(self, now: float) -> None:
        for ref in [ref for ref, entry in self._open.items() if now - entry.used > _UNUSED_SECONDS]:
            task = asyncio.create_task(self._open.pop(ref).store.close(), name=f"close {ref.project}/{ref.name}")
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)


async def _uid(ref: DatabaseRef) -> str:
    endpoint = os.environ.get(ADMIN_ENDPOINT_VARIABLE) or None
    if endpoint is None and (emulator := os.environ.get(EMULATOR_VARIABLE)):
        # The real service would answer for a database that is not the one that is written to.
        raise DatabaseLookupError(f"asked for the uid of {ref.project}/{ref.name}: the emulator at {emulator} has none")
    return await database_uid(ref.project, ref.name, endpoint)
