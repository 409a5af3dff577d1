"""Cohorts by entities on the Firestore emulator: keys of both types, groups, markers, and the way back."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from tests.counting import CountingStore
from tests.moving import COPY, migration, plan, ran, stored

from firelift.api.cohort import Selection, bucket
from firelift.api.rollout import PaceSpec
from firelift.api.run import RunKind, VerifyPlan
from firelift.migration.clock import SystemClock
from firelift.migration.store import Create, Source
from firelift.stores.firestore.store import FirestoreStore, open_firestore

MARKER = {"document": "users/{entity}/meta/migration", "set": {"state": "'done'"}}
MARKED = migration({**COPY, "entityCollection": "users", "entityMarker": MARKER})
USERS = {f"u{number}": 3 + number % 12 for number in range(90)} | {str(number): 4 for number in range(10)}
FAST = PaceSpec(max_writes_per_second=100_000, batch_size=200, max_retries=5)


@pytest_asyncio.fixture
async def store(emulator: str) -> AsyncIterator[FirestoreStore]:
    opened = open_firestore(f"entities-{secrets.token_hex(6)}", emulator_host=emulator)
    logs = [
        Create(f"fitness_logs/{n}{user}", stored({"userId": int(user) if n % 2 and user.isdigit() else user}))
        for user, count in USERS.items()
        for n in range(count)
    ]
    users = [Create(f"users/{user}", stored({"plan": "pro"})) for user in USERS]
    orphan = Create("fitness_logs/orphan", stored({"userId": "ghost"}))
    documents = [*users, *logs, orphan]
    for start in range(0, len(documents), 400):
        await opened.commit(documents[start : start + 400])
    yield opened
    await opened.close()


@pytest.mark.parametrize("edge", [5_000])
async def test_cohorts_by_entities_move_are_verified_and_go_back(store: FirestoreStore, edge: int) -> None:
    half = Selection(to_bucket=edge)
    rest = Selection(from_bucket=edge, to_bucket=10_000)
    runs = [
        plan(RunKind.MIGRATE, MARKED, 1, selection=half, pace=FAST),
        plan(RunKind.SWEEP, MARKED, 2, selection=half, closing=True, pace=FAST),
        plan(RunKind.MIGRATE, MARKED, 3, selection=rest, closing=True, pace=FAST),
    ]
    counting = CountingStore(store)
    first = (await ran(counting, runs[0], SystemClock())).totals
    mine = {user: count for user, count in USERS.items() if bucket("seed", user) < edge}
    assert first.created == sum(mine.values()) + len(mine)
    assert counting.queried["fitness_logs", "filtered"] == sum(mine.values())
    assert counting.queried["fitness_logs", "scanned"] == 0
    others = [(await ran(store, run, SystemClock())).totals for run in runs[1:]]
    assert first.created + sum(each.created for each in others) == sum(USERS.values()) + len(USERS) + 1
    subjects = tuple(run.id for run in runs)
    verify = plan(
        RunKind.VERIFY, MARKED, closing=True, subjects=subjects, verify=VerifyPlan(recheck_seconds=0), pace=FAST
    )
    found = (await ran(store, verify, SystemClock())).totals
    assert (found.read, found.unchanged) == (sum(USERS.values()) + 1, sum(USERS.values()) + 1)
    await ran(store, plan(RunKind.REVERT, MARKED, subjects=subjects, pace=FAST), SystemClock())
    left = Source("meta", all_descendants=True)
    copies = await store.count(Source("fitness_logs", all_descendants=True))
    assert (await store.count(left), copies) == (0, sum(USERS.values()) + 1)
