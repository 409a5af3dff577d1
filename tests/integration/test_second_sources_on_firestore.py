"""Two sources for one target on the Firestore emulator, whose clock gives every commit its own time."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest_asyncio
from tests.moving import COPY, KIT, LEDGER, counts, migration, plain, plan, ran, seen, stored

from firelift.api.cohort import Selection
from firelift.api.run import RunControl, RunKind, RunPlan, RunState, VerifyPlan
from firelift.migration.clock import SystemClock
from firelift.migration.ledger import paths
from firelift.migration.ledger.lane_map import adopt_lane_map
from firelift.migration.ledger.progress import Progress
from firelift.migration.ledger.runs import RunStore
from firelift.migration.processors.build import build
from firelift.migration.store import Create, Source
from firelift.migration.work import Lane, LaneMap
from firelift.migration.worker import Share, work
from firelift.stores.firestore.store import FirestoreStore, open_firestore

SPEC = migration(COPY, source={"collection": "s"}, target={"document": "profiles/{doc.key}"}, entityKey="owner")


@pytest_asyncio.fixture
async def store(emulator: str) -> AsyncIterator[FirestoreStore]:
    opened = open_firestore(f"second-{secrets.token_hex(6)}", emulator_host=emulator)
    yield opened
    await opened.close()


async def moved(store: FirestoreStore, made: RunPlan) -> dict[str, int]:
    """The counts of a run by two workers with two lanes each."""
    await RunStore(store, LEDGER).ensure(made, RunControl(state=RunState.RUN, epoch=1, lease_seconds=1_000))
    ends = pairwise([None, "s/010", "s/020", "s/030", None])
    lanes = [Lane(number, start, end) for number, (start, end) in enumerate(ends)]
    await adopt_lane_map(store, LEDGER, made.id, LaneMap(lanes))
    shares = [Share(LEDGER, made.id, index, 2) for index in range(2)]
    await asyncio.gather(*(work(store, share, build, clock=SystemClock()) for share in shares))
    return counts(await Progress(store, LEDGER, made.id).update())


async def losers(store: FirestoreStore) -> dict[str, str]:
    page = await store.page(Source(paths.collection(LEDGER, paths.DEAD_LETTERS)), limit=1_000)
    letters = [plain(document.fields) for document in page.documents]
    assert {each["rule"] for each in letters} == {"target"}
    return {each["path"]: each["reason"] for each in letters}


async def test_each_target_has_one_source_and_the_others_are_dead_letters(store: FirestoreStore) -> None:
    # Each target has four sources, one in each lane; of each three owners the first has a phase of its own.
    sources = {
        f"s/{n:03d}": {"key": f"k{n % 10}", "owner": f"o{n % 3}", "from": f"s/{n:03d}", f"only {n}": 1}
        for n in range(40)
    }
    await store.commit([Create(path, stored(fields)) for path, fields in sources.items()])
    await store.commit([Create("profiles/k0", stored({"app": 1}))])
    first = await moved(store, plan(RunKind.MIGRATE, SPEC, 1, selection=Selection(ids=("o0",)), workers=2))
    rest = Selection(to_bucket=10_000, except_ids=("o0",))
    second = await moved(store, plan(RunKind.MIGRATE, SPEC, 2, selection=rest, workers=2))
    assert first["read"] + second["read"] == 40
    assert first["dead_letters"] + second["dead_letters"] == 30
    letters = await losers(store)
    for number in range(10):
        target = f"profiles/k{number}"
        found = await seen(store, target) or {}
        winner = found["from"]
        app = {"app": 1} if number == 0 else {}
        assert found == sources[winner] | app
        others = {path for path, fields in sources.items() if fields["key"] == f"k{number}"} - {winner}
        reason = f"two sources for one target: {target} is the copy of {winner}"
        assert {path: letters.pop(path) for path in others} == dict.fromkeys(others, reason)
    assert letters == {}
    subjects = ("migrate.1", "migrate.2")
    verify = plan(RunKind.VERIFY, SPEC, 3, verify=VerifyPlan(recheck_seconds=0), subjects=subjects)
    assert counts(await ran(store, verify, SystemClock())) == {"read": 40, "unchanged": 10, "dead_letters": 30}
    await ran(store, plan(RunKind.REVERT, SPEC, 4, subjects=subjects), SystemClock())
    page = await store.page(Source("profiles"), limit=100)
    assert {each.path: KIT.decode(each.fields["app"]) for each in page.documents} == {"profiles/k0": 1}
