"""An entity's marker stands only over whole data, whenever the worker dies and whatever the app does meanwhile."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.crashing import Crashes, ran_on
from tests.moving import COPY, migration, plan, seeded, stored
from tests.virtual_time import in_virtual_time

from firelift.api.rollout import PaceSpec
from firelift.api.run import RunKind
from firelift.migration.store import Committed, Delete, Put, Write
from firelift.stores.memory import MemoryStore

MARKER = {"document": "users/{entity}/meta/migration", "set": {"state": "'done'"}}
SPEC = migration({**COPY, "entityCollection": "users", "entityMarker": MARKER})
RECORDS = {"ada": 5, "bob": 0, "eve": 1, "joe": 9, "zoe": 3}
CRASHES = st.lists(st.integers(-8, 8).filter(bool), max_size=8)


def copy(name: str, number: int) -> str:
    return f"users/{name}/fitness_logs/{name}{number}"


def mark(name: str) -> str:
    return f"users/{name}/meta/migration"


async def filled() -> MemoryStore:
    logs = {f"fitness_logs/{name}{n}": {"userId": name} for name, count in RECORDS.items() for n in range(count)}
    return await seeded(logs | {f"users/{name}": {"plan": "pro"} for name in RECORDS})


def watch(store: MemoryStore, late: int) -> None:
    """Look after each commit; before one of them a new record comes, which its own sweep has to move."""
    commits = 0

    async def before(_: Sequence[Write]) -> None:
        nonlocal commits
        commits += 1
        if commits == late:
            store.apply([Put("fitness_logs/ada9", stored({"userId": "ada"}))])

    store.faults.before_commit = before


def whole(store: MemoryStore) -> None:
    """Whoever is marked has all records that were there when the run began."""
    there = store.snapshot().keys()
    for name, count in RECORDS.items():
        if mark(name) in there:
            missing = [n for n in range(count) if copy(name, n) not in there]
            assert not missing, f"{name} is marked, and {missing} of its records are not there"


def watched(crashes: Crashes, store: MemoryStore) -> None:
    died = crashes._after  # noqa: SLF001 - what happens behind each commit, a look before it

    async def after(writes: Sequence[Write], answer: Committed) -> None:
        whole(store)
        await died(writes, answer)

    store.faults.after_commit = after


@pytest.mark.parametrize("workers", [1, 3])
@settings(max_examples=25, deadline=None)
@given(forth=CRASHES, back=CRASHES, batch=st.integers(1, 6), late=st.integers(1, 40))
def test_a_marker_comes_behind_the_last_record_and_goes_before_the_first(
    workers: int, forth: list[int], back: list[int], batch: int, late: int
) -> None:
    @in_virtual_time
    async def story() -> None:
        store, pace = await filled(), PaceSpec(max_writes_per_second=100_000, batch_size=batch, max_retries=5)
        watch(store, late)
        watched(Crashes(store, list(forth)), store)
        moved = plan(RunKind.MIGRATE, SPEC, pace=pace, workers=workers)
        progress = await ran_on(store, moved)
        assert progress.totals.written >= sum(RECORDS.values()) + len(RECORDS)
        assert all(mark(name) in store.snapshot() for name in RECORDS)
        store.apply([Delete("fitness_logs/ada9")])
        watched(Crashes(store, list(back)), store)
        await ran_on(store, plan(RunKind.REVERT, SPEC, subjects=(moved.id,), pace=pace, workers=workers))
        left = {path for path in store.snapshot() if path.startswith("users/") and path.count("/") > 1}
        assert left == set()
        assert all(len(store.history(mark(name))) == 2 for name in RECORDS), "marked once, and taken away once"

    story()
