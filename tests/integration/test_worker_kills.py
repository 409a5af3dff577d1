"""A hundred times `kill -9` among the worker processes of two migrations and their reverts, under a live writer.

Two runs at once, in place and copying, each with two indexes and a rival for the first of them, on the real emulator;
what is left is added up by `tests.recount` and by what the app was answered, without any code of the data plane.
`FIRELIFT_WORKER_KILLS` is their number, `FIRELIFT_KILL_SEED` repeats the moments of an earlier run.
"""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest
from google.cloud.firestore import AsyncClient
from tests.integration.fault_scene import behind, copied, counted
from tests.integration.live_app import LiveApp
from tests.integration.live_checks import moved, taken_back
from tests.integration.worker_herd import KILLED, NURSERY, Herd, Place
from tests.moving import LEDGER, counts
from tests.recount import changed_once, images, official_client

from firelift.api.rollout import PaceSpec
from firelift.api.run import RunControl, RunKind, RunPlan, RunState
from firelift.migration.exit_codes import ExitCode
from firelift.migration.ledger.lane_map import adopt_lane_map
from firelift.migration.ledger.progress import Progress
from firelift.migration.ledger.runs import RunStore
from firelift.migration.work import Lane, LaneMap
from firelift.stores.firestore.store import FirestoreStore, open_firestore

KILLS = int(os.environ.get("FIRELIFT_WORKER_KILLS", "100"))
SEED = int(os.environ.get("FIRELIFT_KILL_SEED") or random.SystemRandom().randrange(1_000_000))
KILLS_OF_A_ROUND = 50
MEAN_SECONDS = 0.12
DOCUMENTS = 120
WORKERS = 2
PACE = PaceSpec(max_writes_per_second=60, batch_size=4, max_retries=20)
LANES = (None, "d030", "d060", "d090", None)


class World:
    """A project of its own, with an app that lives in it."""

    def __init__(self, emulator: str, project: str, store: FirestoreStore, client: AsyncClient, seed: int) -> None:
        self.emulator = emulator
        self.project = project
        self.store = store
        self.client = client
        self.app = LiveApp(client, random.Random(seed))  # noqa: S311 - what can be repeated, not a secret

    async def begin(self, made: RunPlan) -> list[Place]:
        """A run with its lanes, and the places of its workers."""
        await RunStore(self.store, LEDGER).ensure(made, RunControl(state=RunState.RUN, epoch=1, lease_seconds=3_600))
        if made.kind is RunKind.MIGRATE:
            ends = [end and f"{made.migration.name}/{end}" for end in LANES]
            lanes = [Lane(number, *ends) for number, ends in enumerate(pairwise(ends))]
            await adopt_lane_map(self.store, LEDGER, made.id, LaneMap(lanes, estimate=DOCUMENTS))
        return [Place(self._environment(made, index)) for index in (*range(WORKERS), 0)]

    def _environment(self, made: RunPlan, index: int) -> dict[str, str]:
        return {
            "FIRESTORE_EMULATOR_HOST": self.emulator,
            "FIRELIFT_LEDGER": LEDGER,
            "FIRELIFT_RUN": made.id,
            "FIRELIFT_PROJECT": self.project,
            "FIRELIFT_WORKERS": str(made.workers),
            "FIRELIFT_INDEX": str(index),
        }


@asynccontextmanager
async def inhabited(emulator: str, seed: int) -> AsyncIterator[World]:
    project = f"kills-{secrets.token_hex(6)}"
    store = open_firestore(project, emulator_host=emulator)
    async with official_client(emulator, project) as client:
        world = World(emulator, project, store, client, seed)
        await world.app.seed(DOCUMENTS)
        yield world
        await store.close()


@pytest.mark.timeout(120 + 2 * KILLS)
async def test_a_hundred_kills_of_workers_lose_nothing_and_double_nothing(
    emulator: str, capsys: pytest.CaptureFixture[str]
) -> None:
    NURSERY.set_forkserver_preload(["tests.integration.worker_herd"])
    began, done, frozen = time.monotonic(), 0, 0
    ends: Counter[int] = Counter()
    while done < KILLS:
        seed = SEED + done
        herd = Herd(random.Random(seed), min(KILLS_OF_A_ROUND, KILLS - done), MEAN_SECONDS)  # noqa: S311 - as above
        async with inhabited(emulator, seed) as world:
            ends += await _round(world, herd)
            frozen += herd.frozen
        assert herd.killed, "the work was over before anybody was killed"
        done = ends[KILLED]
    with capsys.disabled():
        took = time.monotonic() - began
        told = f"{done} and {frozen} frozen in {took:.0f} s, ended with {dict(ends)}, FIRELIFT_KILL_SEED={SEED}"
        print(f"\nkill -9 of workers: {told}")  # noqa: T201 - for whoever repeats it
    assert ends.keys() <= {KILLED, ExitCode.DONE, ExitCode.FENCED}, "whoever was not killed or fenced got to the end"


async def _round(world: World, herd: Herd) -> Counter[int]:
    """Both migrations and their reverts, half of the kills for each way; checked in between and at the end."""
    forth = [_shared(counted(pace=PACE)), _shared(copied(pace=PACE), number=1)]
    back = [_shared(behind(made, RunKind.REVERT), number) for number, made in enumerate(forth)]
    ends: Counter[int] = Counter()
    for runs, kills, check in ((forth, herd.kills // 2, moved), (back, herd.kills, taken_back)):
        herd.kills = kills
        ends += await _worked(world, herd, runs)
        await check(world.client, world.app)
        await _claimed(world, runs)
    return ends


async def _worked(world: World, herd: Herd, runs: Sequence[RunPlan]) -> Counter[int]:
    """All runs at once while the app lives; how their workers ended."""
    places = [place for made in runs for place in await world.begin(made)]
    living = asyncio.create_task(world.app.live())
    try:
        await herd.work(places)
    finally:
        world.app.leaving = True
        await living
    return Counter(end for place in places for end in place.ends)


async def _claimed(world: World, runs: Sequence[RunPlan]) -> None:
    """What the runs say of themselves is what the journal has."""
    told = await images(world.client)
    for made in runs:
        progress = await Progress(world.store, LEDGER, made.id).update()
        assert progress.complete
        assert counts(progress).get("dead_letters", 0) == 0
        assert progress.totals.written == len(changed_once(told, made.id))


def _shared(made: RunPlan, number: int = 0) -> RunPlan:
    return made.model_copy(update={"id": f"{made.kind}.{number}", "pace": PACE, "workers": WORKERS})
