"""Dead letters that are taken up again, and documents of the app's that go back, in a storm and under a live writer.

Each is moved once, and the app has the last word.

`FIRELIFT_STORM_SEED` repeats an earlier run's faults.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from google.api_core.exceptions import NotFound
from google.cloud.firestore import Increment
from tests.integration.fault_scene import COPIED, COUNTED, FaultScene, behind, fault_scene
from tests.integration.test_fault_storm import SEED, App, storm, under_a_live_writer
from tests.moving import counts, migration, plan
from tests.recount import changed_once, documents, images

from firelift.api.rollout import PaceSpec
from firelift.api.run import RunKind

PATIENT = PaceSpec(max_writes_per_second=100_000, batch_size=4, max_retries=20)
DOCUMENTS, BORN, LATE = 60, 30, 20
STRICT = [{"rule": "doc.n % 3 != 0", "message": "a third of them cannot move"}]

RETURNING: dict[str, Any] = {
    "name": "flat",
    "source": {"collection": "flat"},
    "target": {"document": "people/{doc.who}/copies/{id}"},
    "transform": {"rename": {"name": "title"}},
    "reverse": {},
}


@pytest_asyncio.fixture
async def scene(emulator: str) -> AsyncIterator[FaultScene]:
    async with fault_scene(emulator) as scene:
        yield scene


@pytest.mark.parametrize("base", [COUNTED, COPIED], ids=["in place", "copied"])
async def test_dead_letters_are_taken_up_again_each_once_by_a_transform_that_was_mended(
    scene: FaultScene, base: dict[str, Any]
) -> None:
    collection = base["name"]
    await scene.seed(collection, DOCUMENTS)
    bad = {path for path, fields in scene.seeded.items() if fields["n"] % 3 == 0}
    app = App(scene, collection, SEED)
    scene.proxy.decide = storm(SEED)
    first = plan(RunKind.MIGRATE, migration(base, validate=STRICT), pace=PATIENT)
    await under_a_live_writer(scene, first, app)
    done = (await scene.progress(first)).totals
    assert (done.written, done.dead_letters) == (DOCUMENTS - len(bad), len(bad)), SEED

    mended = plan(RunKind.MIGRATE, migration(base), 1, follows=first.id, letters=(first.id,), attempt=2, pace=PATIENT)
    await under_a_live_writer(scene, mended, app)
    again = (await scene.progress(mended)).totals
    assert (again.read, again.written, again.dead_letters, again.closed_letters) == (len(bad), len(bad), 0, len(bad)), (
        SEED
    )
    letters = (await documents(scene.client, "firelift_deadletters")).values()
    assert Counter(letter["closedByRun"] for letter in letters) == {mended.id: len(bad)}, SEED
    told = await images(scene.client)
    changed = changed_once(told, first.id), changed_once(told, mended.id)
    assert (len(changed[0]), len(changed[1]), changed[0] & changed[1]) == (DOCUMENTS - len(bad), len(bad), set()), SEED
    moved = await documents(scene.client, collection if mended.migration.in_place else "copies")
    numbers = {path.rpartition("/")[2]: fields["n"] for path, fields in moved.items()}
    assert numbers == {path.rpartition("/")[2]: fields["n"] + 1 for path, fields in scene.seeded.items()}, SEED
    counted = await documents(scene.client, collection)
    assert {path: fields.get("app", 0) for path, fields in counted.items()} == {
        path: app.counts[path] for path in scene.seeded
    }, SEED


class Switched:
    """An app that writes the new shape alone, finds documents where they are, and knows what it was answered."""

    def __init__(self, scene: FaultScene) -> None:
        self._scene = scene
        self._random = random.Random(SEED)  # noqa: S311 - writes that can be repeated, not a secret
        self.counts: dict[str, int] = {}

    async def make(self, name: str) -> None:
        """A document of the new shape."""
        fields = {"who": "w0", "title": name, "app": 0}
        await self._scene.client.document(f"people/w0/copies/{name}").create(fields)
        self.counts[name] = 0

    async def write(self) -> None:
        """Until it is cancelled: another document now and then, and one more in some that it has made."""
        late = iter(range(LATE))
        while True:
            await asyncio.shield(self._count(self._random.choice(list(self.counts))))
            if self._random.random() < LATE / 100 and (number := next(late, None)) is not None:
                await asyncio.shield(self.make(f"late{number}"))
            await asyncio.sleep(0.01)

    async def _count(self, name: str) -> None:
        for path in (f"people/w0/copies/{name}", f"flat/{name}"):
            try:
                await self._scene.client.document(path).update({"app": Increment(1)})
            except NotFound:
                continue
            self.counts[name] += 1
            return


async def test_what_the_app_writes_in_the_new_shape_while_it_goes_back_is_in_the_old_one(scene: FaultScene) -> None:
    await scene.seed("flat", DOCUMENTS)
    made = plan(RunKind.MIGRATE, migration(RETURNING), pace=PATIENT)
    await scene.run(made)
    app = Switched(scene)
    for number in range(BORN):
        await app.make(f"born{number}")
    scene.proxy.decide = storm(SEED)
    writing = asyncio.create_task(app.write())
    await scene.run(behind(made, RunKind.REVERT).model_copy(update={"pace": PATIENT}))
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    await asyncio.sleep(0.2)  # the app's last write may be under way: it is shielded, and is to be counted
    await scene.proxy.release()
    # As after the flags are restored: what was made while the first pass had gone by goes with the next one.
    await scene.run(behind(made, RunKind.REVERT, number=1).model_copy(update={"pace": PATIENT}))
    await scene.proxy.release()
    checked = counts(await scene.run(behind(made, RunKind.REVERT_VERIFY).model_copy(update={"pace": PATIENT})))
    assert checked.keys() <= {"read", "unchanged", "retries", "pressured"}, f"{checked} {SEED}"
    born = {f"flat/{name}": {"who": "w0", "name": name, "app": count} for name, count in app.counts.items()}
    assert await documents(scene.client, "flat") == scene.seeded | born, SEED
    assert await documents(scene.client, "copies") == {}, SEED
    assert sum(app.counts.values()) > BORN, "it has written meanwhile"
    assert len(app.counts) > BORN, "and made more"
