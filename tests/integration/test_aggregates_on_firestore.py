"""Aggregates on the emulator: recomputed by plain Python, under a live app and killed workers, and the way back."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest_asyncio
from google.cloud.firestore import AsyncClient
from tests.integration.statistics import DAILY, STREAKS, Diary, daily, longest, rounded
from tests.integration.worker_herd import KILLED, NURSERY, Herd, Place
from tests.moving import LEDGER, counts, migration, plan, ran
from tests.recount import documents, official_client

from firelift.api.cohort import Selection
from firelift.api.rollout import PaceSpec
from firelift.api.run import RunControl, RunKind, RunPlan, RunState, VerifyPlan
from firelift.migration.clock import SystemClock
from firelift.migration.exit_codes import ExitCode
from firelift.migration.ledger.progress import RunProgress
from firelift.migration.ledger.runs import RunStore
from firelift.stores.firestore.store import FirestoreStore, open_firestore

FAST = PaceSpec(max_writes_per_second=100_000, batch_size=50, max_retries=20)
SLOW = PaceSpec(max_writes_per_second=150, batch_size=3, max_retries=20)
PASSES = 6


@dataclass
class Scene:
    emulator: str
    project: str
    store: FirestoreStore
    client: AsyncClient
    diary: Diary

    async def run(self, kind: RunKind, number: int = 0, base: dict[str, Any] = DAILY, **changes: Any) -> RunProgress:
        made = planned(kind, number, base, **changes)
        return await ran(self.store, made, SystemClock())

    async def daily(self) -> dict[str, dict[str, Any]]:
        return await documents(self.client, "daily_stats")


def planned(kind: RunKind, number: int = 0, base: dict[str, Any] = DAILY, **changes: Any) -> RunPlan:
    verify = VerifyPlan(recheck_seconds=0)
    return plan(kind, migration(base), number, **{"pace": FAST, "closing": True, "verify": verify, **changes})


@pytest_asyncio.fixture
async def scene(emulator: str) -> AsyncIterator[Scene]:
    project = f"aggregates-{secrets.token_hex(6)}"
    store = open_firestore(project, emulator_host=emulator)
    async with official_client(emulator, project) as client:
        diary = Diary(client, random.Random(7))  # noqa: S311 - what can be repeated, not a secret
        await diary.fill(450)
        yield Scene(emulator, project, store, client, diary)
    await store.close()


async def test_daily_statistics_are_what_plain_python_makes_of_the_entries_on_every_way(scene: Scene) -> None:
    half, rest = Selection(to_bucket=5_000), Selection(from_bucket=5_000, to_bucket=10_000)
    await scene.run(RunKind.MIGRATE, 0, selection=half, closing=False)
    await scene.run(RunKind.MIGRATE, 1, selection=rest)
    expected = daily(scene.diary.entries)
    once = await scene.daily()
    assert rounded(once) == expected
    subjects = ("migrate.0", "migrate.1")
    groups = len(expected)
    verified = counts(await scene.run(RunKind.VERIFY, subjects=subjects))
    assert verified == {"read": groups, "unchanged": groups}
    assert counts(await scene.run(RunKind.SWEEP)) == {"read": groups, "unchanged": groups}
    await scene.run(RunKind.REVERT, subjects=subjects)
    assert await scene.daily() == {}
    assert await documents(scene.client, "diary") == scene.diary.entries


async def test_late_changed_and_torn_out_entries_open_just_their_groups_again(scene: Scene) -> None:
    await scene.run(RunKind.MIGRATE)
    once = await scene.daily()
    for _ in range(5):
        await scene.diary.write()
        await scene.diary.change()
        await scene.diary.tear_out()
    again, expected = await scene.run(RunKind.VERIFY, subjects=("migrate.0",)), daily(scene.diary.entries)
    assert 5 <= again.totals.mismatches <= 15
    swept = (await scene.run(RunKind.SWEEP)).totals
    now = await scene.daily()
    assert rounded(now) == expected
    touched = {path for path in once.keys() | now.keys() if once.get(path) != now.get(path)}
    assert swept.written == len(touched) == again.totals.mismatches
    assert {path for path in touched & once.keys() & now.keys() if once[path]["madeOf"] == now[path]["madeOf"]} == set()
    await scene.run(RunKind.REVERT, subjects=("sweep.0",))
    assert await scene.daily() == once, "each target as it was before its group was opened again"


async def test_a_change_that_leaves_all_results_the_same_shows_in_the_fingerprint(scene: Scene) -> None:
    await scene.run(RunKind.MIGRATE)
    once, path = await scene.daily(), next(iter(scene.diary.entries))
    await scene.client.document(path).update({"note": "another"})
    assert counts(await scene.run(RunKind.VERIFY, subjects=("migrate.0",)))["different"] == 1
    assert (await scene.run(RunKind.SWEEP)).totals.updated == 1
    now = await scene.daily()
    assert rounded(now) == rounded(once)
    assert sum(once[target]["madeOf"] != now[target]["madeOf"] for target in once) == 1


async def test_streaks_by_a_function_follow_the_entries_and_go_back(scene: Scene) -> None:
    await scene.run(RunKind.MIGRATE, base=STREAKS)
    assert await documents(scene.client, "stats") == longest(scene.diary.entries)
    for _ in range(10):
        await scene.diary.write()
    await scene.run(RunKind.SWEEP, base=STREAKS)
    found = longest(scene.diary.entries)
    assert await documents(scene.client, "stats") == found
    subjects = ("migrate.0", "sweep.0")
    assert counts(await scene.run(RunKind.VERIFY, base=STREAKS, subjects=subjects)) == {
        "read": len(found),
        "unchanged": len(found),
    }
    await scene.run(RunKind.REVERT, base=STREAKS, subjects=subjects)
    assert await documents(scene.client, "stats") == {}


async def test_under_a_live_app_sweeps_come_to_an_end_when_it_rests(scene: Scene) -> None:
    living = asyncio.create_task(scene.diary.live())
    try:
        await scene.run(RunKind.MIGRATE, pace=SLOW)
        await scene.run(RunKind.SWEEP)
    finally:
        scene.diary.leaving = True
        await living
    for number in range(1, PASSES):
        if not (await scene.run(RunKind.SWEEP, number)).totals.written:
            break
    assert number <= 2, "one pass for what came meanwhile, and one that finds nothing"
    assert rounded(await scene.daily()) == daily(scene.diary.entries)
    subjects = ("migrate.0", *(f"sweep.{each}" for each in range(number + 1)))
    assert (await scene.run(RunKind.VERIFY, subjects=subjects)).totals.mismatches == 0
    await scene.run(RunKind.REVERT, subjects=subjects)
    assert await scene.daily() == {}
    assert await documents(scene.client, "diary") == scene.diary.entries


async def test_killed_workers_under_a_live_app_count_nothing_twice(scene: Scene) -> None:
    NURSERY.set_forkserver_preload(["tests.integration.worker_herd"])
    made = planned(RunKind.MIGRATE, pace=SLOW, workers=2)
    await RunStore(scene.store, LEDGER).ensure(made, RunControl(state=RunState.RUN, epoch=1, lease_seconds=3_600))
    places = [Place(_environment(scene, made, index)) for index in (0, 1, 0)]
    living = asyncio.create_task(scene.diary.live())
    try:
        herd = Herd(random.Random(11), 15, 0.15)  # noqa: S311 - as above
        await herd.work(places)
    finally:
        scene.diary.leaving = True
        await living
    ends = Counter(end for place in places for end in place.ends)
    assert ends[KILLED] >= 5
    assert ends.keys() <= {KILLED, ExitCode.DONE, ExitCode.FENCED}
    created = [path for path, each in (await scene.daily()).items() if each]
    assert len(created) == (await ran(scene.store, made, SystemClock())).totals.created
    await scene.run(RunKind.SWEEP)
    assert rounded(await scene.daily()) == daily(scene.diary.entries)
    await scene.run(RunKind.REVERT, subjects=("migrate.0", "sweep.0"))
    assert await scene.daily() == {}


def _environment(scene: Scene, made: RunPlan, index: int) -> dict[str, str]:
    return {
        "FIRESTORE_EMULATOR_HOST": scene.emulator,
        "FIRELIFT_LEDGER": LEDGER,
        "FIRELIFT_RUN": made.id,
        "FIRELIFT_PROJECT": scene.project,
        "FIRELIFT_WORKERS": str(made.workers),
        "FIRELIFT_INDEX": str(index),
    }
