"""The official client and ours on one database, behind one proxy with faults."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any
from unittest import mock

from google.cloud.firestore import Client
from tests.fault_proxy import Call, Decide, Fault, FaultProxy, fault_proxy
from tests.moving import LEDGER, counts, stored

from firelift.api.run import RunControl, RunPlan, RunState
from firelift.migration.clock import SystemClock
from firelift.migration.ledger.progress import Progress
from firelift.migration.ledger.runs import RunStore
from firelift.migration.processors.build import build
from firelift.migration.store import Create
from firelift.migration.worker import Share, work
from firelift.stores.firestore.store import FirestoreStore, open_firestore


class Both:
    """The official client and ours on one database, behind one proxy."""

    def __init__(self, proxy: FaultProxy, official: Any, ours: FirestoreStore) -> None:
        self.proxy = proxy
        self.official = official
        self.ours = ours

    async def moved(self, made: RunPlan) -> dict[str, int]:
        """A run of ours to its end."""
        await RunStore(self.ours, LEDGER).ensure(made, RunControl(state=RunState.RUN, epoch=1, lease_seconds=1_000))
        await work(self.ours, Share(LEDGER, made.id, 0, 1), build, clock=SystemClock())
        progress = await Progress(self.ours, LEDGER, made.id).update()
        assert progress.complete
        return counts(progress)

    async def there(self, collection: str) -> dict[str, dict[str, Any]]:
        """What a collection has, without faults."""
        self.proxy.decide = lambda _: None
        return await asyncio.to_thread(
            lambda: {each.id: each.to_dict() or {} for each in self.official.collection(collection).stream()}
        )


def official_client(host: str, project: str) -> Any:
    with mock.patch.dict(os.environ, {"FIRESTORE_EMULATOR_HOST": host}):
        return Client(project=project)


@asynccontextmanager
async def both_on(host: str) -> AsyncIterator[Both]:
    project = f"official-{secrets.token_hex(6)}"
    async with fault_proxy(host) as proxy:
        official, ours = official_client(proxy.host, project), open_firestore(project, emulator_host=proxy.host)
        try:
            yield Both(proxy, official, ours)
        finally:
            await asyncio.to_thread(official.close)
            await ours.close()


def every_third(fault: Fault, method: str) -> Decide:
    seen = Counter[str]()

    def decide(call: Call) -> Fault | None:
        wanted = call.method == method and (method != "Commit" or call.is_entry)
        seen[method] += wanted
        return fault if wanted and seen[method] % 3 == 0 else None

    return decide


def first_query(fault: Fault, method: str = "RunQuery") -> Decide:
    faults = iter([fault])
    return lambda call: next(faults, None) if call.method == method else None


async def seeded(both: Both, collection: str, fields: Iterable[dict[str, Any]]) -> None:
    await both.ours.commit([Create(f"{collection}/{n:04}", stored(each)) for n, each in enumerate(fields)])
