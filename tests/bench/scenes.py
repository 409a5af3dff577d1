"""A project full of documents on the emulator, and what is run over it."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import aiohttp
from tests.bench.children import Child, Usage, child, ran
from tests.bench.material import COLLECTION, LEDGER, plain_document

from firelift.api.run import RunControl, RunPlan, RunState
from firelift.migration.ledger.progress import Progress, RunProgress
from firelift.migration.ledger.runs import RunStore
from firelift.migration.store import Create
from firelift.stores.firestore.store import FirestoreStore, open_firestore

SEED_BATCH = 500
LEASE_SECONDS = 100_000


@dataclass(frozen=True, slots=True)
class Worked:
    """A whole run by one worker process. `seconds` is from the first lane's beginning to the last one's end."""

    usage: Usage
    seconds: float
    progress: RunProgress


@dataclass(frozen=True, slots=True)
class Scene:
    """A project of its own."""

    store: FirestoreStore
    host: str
    project: str

    async def begin(self, made: RunPlan) -> None:
        """The run's document, as the operator makes it."""
        control = RunControl(state=RunState.RUN, epoch=1, lease_seconds=LEASE_SECONDS)
        await RunStore(self.store, LEDGER).ensure(made, control)

    @asynccontextmanager
    async def worker(self, made: RunPlan) -> AsyncIterator[Child]:
        """The worker as a Job's pod runs it."""
        await self.begin(made)
        environment = {
            "FIRESTORE_EMULATOR_HOST": self.host,
            "FIRELIFT_LEDGER": LEDGER,
            "FIRELIFT_RUN": made.id,
            "FIRELIFT_PROJECT": self.project,
            "FIRELIFT_WORKERS": "1",
            "JOB_COMPLETION_INDEX": "0",
        }
        async with child("firelift.worker", environment=environment) as started:
            yield started

    async def worked(self, made: RunPlan) -> Worked:
        """A run by one worker process, to its end.

        Raises:
            RuntimeError: when the worker fails, or leaves something undone.
        """
        async with self.worker(made) as started:
            usage = await started.ended()
        progress = await self.progress(made)
        if not progress.complete:
            raise RuntimeError(f"run {made.id} is not complete: {usage.output[-2000:]}")
        return Worked(usage, _lane_seconds(usage.output), progress)

    async def progress(self, made: RunPlan) -> RunProgress:
        """How far a run is."""
        return await Progress(self.store, LEDGER, made.id).update()

    async def peer(self, module: str, *arguments: str) -> tuple[Usage, float]:
        """A peer over this project, and the seconds that its own loop took."""
        usage = await ran(module, self.project, *arguments, environment={"FIRESTORE_EMULATOR_HOST": self.host})
        return usage, float(json.loads(usage.output.splitlines()[-1])["seconds"])


def _lane_seconds(output: str) -> float:
    times = [
        (line["event"], datetime.fromisoformat(line["timestamp"])) for line in map(json.loads, output.splitlines())
    ]
    begun = min(time for event, time in times if event.endswith("begins"))
    return (max(time for event, time in times if " is done: " in event) - begun).total_seconds()


@asynccontextmanager
async def scene(host: str, documents: int) -> AsyncIterator[Scene]:
    """A new project with so many documents; they are dropped at the end, so that the next one finds an empty house."""
    project = f"bench-{secrets.token_hex(6)}"
    store = open_firestore(project, emulator_host=host)
    try:
        await _fill(store, documents)
        yield Scene(store, host, project)
    finally:
        await store.close()
        url = f"http://{host}/emulator/v1/projects/{project}/databases/(default)/documents"
        async with aiohttp.ClientSession() as session, session.delete(url) as answer:
            answer.raise_for_status()


async def _fill(store: FirestoreStore, documents: int) -> None:
    encode = store.values.encode
    starts = iter(range(0, documents, SEED_BATCH))

    async def pump() -> None:
        for start in starts:
            numbers = range(start, min(start + SEED_BATCH, documents))
            stored = {n: {name: encode(value) for name, value in plain_document(n).items()} for n in numbers}
            await store.commit([Create(f"{COLLECTION}/log-{n:08d}", fields) for n, fields in stored.items()])

    await asyncio.gather(*(pump() for _ in range(4)))
