"""A project on the emulator, a worker that reaches it through a proxy with faults, and a recount that does not."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from google.cloud.firestore import AsyncClient
from tests.fault_proxy import FaultProxy, fault_proxy
from tests.moving import LEDGER, migration, plan
from tests.recount import changed_once, documents, images, official_client, snapshots

from firelift.api.run import RunControl, RunKind, RunPlan, RunState, VerifyPlan
from firelift.migration.clock import SystemClock
from firelift.migration.ledger.progress import Progress, RunProgress
from firelift.migration.ledger.runs import RunStore
from firelift.migration.processors.build import build
from firelift.migration.worker import Share, work
from firelift.stores.firestore.store import FirestoreStore, open_firestore
from firelift.stores.firestore.transport import Patience

QUICK = Patience(call=30, reads=60, first_pause=0.01, longest_pause=0.2)
SECONDS = 60

COUNTED: dict[str, Any] = {
    "name": "counted",
    "source": {"collection": "counted"},
    "target": {"inPlace": {}},
    "marker": {"field": "moved", "value": "yes"},
    "transform": {"rename": {"name": "title"}, "set": {"n": "doc.n + 1"}},
}
"""In place, and adding one: doing it twice shows."""

COPIED: dict[str, Any] = {
    "name": "copied",
    "source": {"collection": "copied"},
    "target": {"document": "people/{doc.who}/copies/{id}"},
    "transform": {"rename": {"name": "title"}, "set": {"n": "doc.n + 1"}},
}


class HurriedClock(SystemClock):
    """Five times as fast as time: pauses between attempts are waited for, and tests are not."""

    def seconds(self) -> float:
        return super().seconds() * 5

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / 5)


@dataclass
class FaultScene:
    """`store` goes through the proxy as the worker does, `direct` and `client` to the emulator itself."""

    proxy: FaultProxy
    store: FirestoreStore
    direct: FirestoreStore
    client: AsyncClient
    seeded: dict[str, dict[str, Any]] = field(default_factory=dict)

    async def seed(self, collection: str, count: int = 20) -> None:
        """Documents with a number to count up and a name to rename."""
        batch = self.client.batch()
        for number in range(count):
            fields = {"n": number, "name": f"name {number}", "who": f"w{number % 3}"}
            self.seeded[f"{collection}/d{number:03d}"] = fields
            batch.set(self.client.document(f"{collection}/d{number:03d}"), fields)
        await batch.commit()

    async def run(self, made: RunPlan) -> RunProgress:
        """One worker's life on a run; what it raises is the test's."""
        control = RunControl(state=RunState.RUN, epoch=1, lease_seconds=1_000_000)
        await RunStore(self.direct, LEDGER).ensure(made, control)
        async with asyncio.timeout(SECONDS):
            await work(self.store, Share(LEDGER, made.id, 0, 1), build, clock=HurriedClock())
        progress = await self.progress(made)
        assert progress.complete
        return progress

    async def progress(self, made: RunPlan) -> RunProgress:
        """How far a run is."""
        return await Progress(self.direct, LEDGER, made.id).update()

    async def everything_moved_once(self, made: RunPlan, *, but: str = "") -> None:
        """Each seeded document is moved, exactly once, and its journal says so; `but` one that is a dead letter."""
        moved = {path: _moved(fields, made) for path, fields in self.seeded.items() if path != but}
        targets = {_target(path, self.seeded[path], made): fields for path, fields in moved.items()}
        left = {but: self.seeded[but]} if but else {}
        found = await snapshots(self.client, "counted" if made.migration.in_place else "copies")
        wanted = targets | (left if made.migration.in_place else {})
        assert {path: snapshot.to_dict() for path, snapshot in found.items()} == wanted
        told = [each for each in await images(self.client) if each.run == made.id]
        assert changed_once(told, made.id) == set(targets)
        assert {each.path: each.time for each in told} == {path: found[path].update_time for path in targets}
        if not made.migration.in_place:
            assert await documents(self.client, "copied") == self.seeded, "a copy leaves its source alone"

    async def everything_taken_back(self) -> None:
        """The database is as it was seeded."""
        assert await documents(self.client, "copies") == {}
        found = await documents(self.client, "counted") | await documents(self.client, "copied")
        assert found == self.seeded


def _moved(fields: Mapping[str, Any], made: RunPlan) -> dict[str, Any]:
    marker = {"moved": "yes"} if made.migration.in_place else {}
    return {"who": fields["who"], "title": fields["name"], "n": fields["n"] + 1} | marker


def _target(path: str, fields: Mapping[str, Any], made: RunPlan) -> str:
    return path if made.migration.in_place else f"people/{fields['who']}/copies/{path.rpartition('/')[2]}"


def counted(**changes: Any) -> RunPlan:
    """A run of the migration in place."""
    return plan(RunKind.MIGRATE, migration(COUNTED), now=datetime(2026, 1, 1, tzinfo=UTC), **changes)


def copied(**changes: Any) -> RunPlan:
    """A run of the copying migration."""
    return plan(RunKind.MIGRATE, migration(COPIED), now=datetime(2026, 1, 1, tzinfo=UTC), **changes)


def behind(made: RunPlan, kind: RunKind, number: int = 0) -> RunPlan:
    """The run that takes another back, verifies it or sweeps behind it."""
    subjects = () if kind is RunKind.SWEEP else (made.id,)
    return plan(kind, made.migration, number, subjects=subjects, verify=VerifyPlan(recheck_seconds=0))


@asynccontextmanager
async def fault_scene(emulator: str) -> AsyncIterator[FaultScene]:
    """A project of its own."""
    project = f"faults-{secrets.token_hex(6)}"
    async with fault_proxy(emulator) as proxy, official_client(emulator, project) as client:
        store = open_firestore(project, emulator_host=proxy.host, patience=QUICK)
        direct = open_firestore(project, emulator_host=emulator)
        try:
            yield FaultScene(proxy, store, direct, client)
        finally:
            await store.close()
            await direct.close()
