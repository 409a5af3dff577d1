"""A third of all calls go wrong in some way, for whole runs under a live writer: nothing is lost, nothing is doubled.

`FIRELIFT_STORM_SEED` repeats an earlier run's faults.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio
from google.cloud.firestore import Increment
from tests.fault_proxy import Call, Code, Decide, Fault
from tests.integration.fault_scene import FaultScene, behind, copied, counted, fault_scene
from tests.recount import changed_once, documents, images

from firelift.api.rollout import PaceSpec
from firelift.api.run import RunKind, RunPlan

SEED = int(os.environ.get("FIRELIFT_STORM_SEED") or random.SystemRandom().randrange(1_000_000))
FAULTY = 0.33
DOCUMENTS = 60
HEALED_BY_TIME = (
    Code.ABORTED,
    Code.RESOURCE_EXHAUSTED,
    Code.UNAVAILABLE,
    Code.DEADLINE_EXCEEDED,
    Code.INTERNAL,
    Code.UNKNOWN,
    Code.CANCELLED,
)
MISTAKEN = (Code.ALREADY_EXISTS, Code.FAILED_PRECONDITION, Code.NOT_FOUND, Code.INVALID_ARGUMENT)
"""What a commit may be told that never was, or that was applied before its repetition was refused."""


@pytest_asyncio.fixture
async def scene(emulator: str) -> AsyncIterator[FaultScene]:
    async with fault_scene(emulator) as scene:
        yield scene


def storm(seed: int) -> Decide:
    """A fault for a third of all calls."""
    chance = random.Random(seed)  # noqa: S311 - faults that can be repeated, not a secret

    def decide(call: Call) -> Fault | None:
        if chance.random() > FAULTY:
            return None
        code = chance.choice(HEALED_BY_TIME)
        if call.method != "Commit":
            return Fault(code, answers=chance.randrange(5), delay_seconds=chance.choice((0, 0, 0.02)))
        kinds = [
            Fault(code, deliveries=0),
            Fault(code, deliveries=1),
            Fault(code, deliveries=2),
            Fault(code, held=True),
            Fault(deliveries=2),
            Fault(delay_seconds=0.05),
        ]
        # Anything else than an entry is the run's own bookkeeping, where such an answer would be a lie and not a fault.
        return chance.choice([*kinds, Fault(chance.choice(MISTAKEN))] if call.is_entry else kinds)

    return decide


class App:
    """A live writer that counts in a field of its own, and knows what it was answered."""

    def __init__(self, scene: FaultScene, collection: str, seed: int) -> None:
        self._scene = scene
        self._paths = [path for path in scene.seeded if path.startswith(f"{collection}/")]
        self._random = random.Random(seed)  # noqa: S311 - as above
        self.counts: Counter[str] = Counter()

    async def write(self) -> None:
        """Until it is cancelled."""
        while True:
            path = self._random.choice(self._paths)
            await asyncio.shield(self._count(path))
            await asyncio.sleep(0.01)

    async def _count(self, path: str) -> None:
        await self._scene.client.document(path).update({"app": Increment(1)})
        self.counts[path] += 1


async def under_a_live_writer(scene: FaultScene, made: RunPlan, app: App) -> None:
    writing = asyncio.create_task(app.write())
    try:
        await scene.run(made)
    finally:
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        await asyncio.sleep(0.2)  # the app's last write may be under way: it is shielded, and is to be counted
        await scene.proxy.release()


@pytest.mark.parametrize("make", [counted, copied])
async def test_a_storm_of_faults_changes_nothing_in_the_outcome(
    scene: FaultScene, make: Callable[..., RunPlan], capsys: pytest.CaptureFixture[str]
) -> None:
    patient = PaceSpec(max_writes_per_second=100_000, batch_size=4, max_retries=20)
    made = make(pace=patient)
    collection = made.migration.name
    await scene.seed(collection, DOCUMENTS)
    app = App(scene, collection, SEED)
    scene.proxy.decide = storm(SEED)
    await under_a_live_writer(scene, made, app)
    with_app = {path: fields | _app(app, path) for path, fields in scene.seeded.items()}
    found = await documents(scene.client, collection)
    if made.migration.in_place:
        assert found == {path: _counted(fields) for path, fields in with_app.items()}, SEED
    else:
        assert found == with_app, SEED
        copies = await documents(scene.client, "copies")
        assert {path: fields["n"] for path, fields in copies.items()} == {
            f"people/{fields['who']}/copies/{path[-4:]}": fields["n"] + 1 for path, fields in scene.seeded.items()
        }, SEED
    assert len(changed_once(await images(scene.client), made.id)) == DOCUMENTS, SEED
    # A sweep fills in what the app has added to a source since, and a verify finds it; in place there is only one.
    for kind in (RunKind.SWEEP, RunKind.VERIFY) if made.migration.in_place else ():
        totals = (await scene.run(behind(made, kind, number=1).model_copy(update={"pace": patient}))).totals
        assert (totals.read, totals.written, totals.mismatches) == (DOCUMENTS, 0, 0), f"{kind} {totals} {SEED}"
    await under_a_live_writer(scene, behind(made, RunKind.REVERT).model_copy(update={"pace": patient}), app)
    taken_back = {path: fields | _app(app, path) for path, fields in scene.seeded.items()}
    assert await documents(scene.client, collection) == taken_back, SEED
    assert await documents(scene.client, "copies") == {}, SEED
    with capsys.disabled():
        faults = Counter(call.method for call, _ in scene.proxy.told)
        print(f"\nfaults: {collection} {dict(faults)}, FIRELIFT_STORM_SEED={SEED}")  # noqa: T201 - for whoever repeats it


def _counted(fields: dict[str, Any]) -> dict[str, Any]:
    rest = {name: value for name, value in fields.items() if name != "name"}
    return rest | {"title": fields["name"], "n": fields["n"] + 1, "moved": "yes"}


def _app(app: App, path: str) -> dict[str, int]:
    return {"app": app.counts[path]} if app.counts[path] else {}
