"""Deciding about the next slice while the commit of the last one is on its way."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import nullcontext

import pytest
from tests.moving import COPY, IN_PLACE, LEDGER, counts, migration, plan, ran, seeded, seen, stored
from tests.virtual_time import in_virtual_time

from firelift.api.migration import OnInvalid
from firelift.api.rollout import PaceSpec
from firelift.api.run import RunKind
from firelift.migration.errors import InvalidData
from firelift.migration.ledger.journal import Journal
from firelift.migration.processors.migrate import Migrate
from firelift.migration.store import Create, Put, Write
from firelift.migration.work import Change, Record
from firelift.stores.memory import MemoryStore

PACE = PaceSpec(batch_size=10, max_writes_per_second=100_000)


async def tasks(count: int) -> MemoryStore:
    store = await seeded({f"tasks/{number:02d}": {"name": f"n{number}"} for number in range(count)})
    store.faults.before_commit = slow
    return store


async def slow(_: Sequence[Write]) -> None:
    await asyncio.sleep(1)


@pytest.fixture
def decided(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, int]]:
    """When a processor has decided about how many records at once, of those that needed no reading."""
    met: list[tuple[float, int]] = []
    foresee = Migrate.foresee

    def noted(self: Migrate, records: Sequence[Record]) -> list[Change] | None:
        met.append((asyncio.get_running_loop().time(), len(records)))
        return foresee(self, records)

    monkeypatch.setattr(Migrate, "foresee", noted)
    return met


@in_virtual_time
async def test_each_slice_is_decided_about_once_and_beside_the_commit_before_it(
    decided: list[tuple[float, int]],
) -> None:
    progress = await ran(await tasks(25), plan(RunKind.MIGRATE, migration(IN_PLACE), pace=PACE))
    assert counts(progress) == {"read": 25, "updated": 25}
    assert [count for _, count in decided] == [10, 10, 5]
    (first, _), (second, _), (third, _) = decided
    assert second - first < 1
    assert 1 <= third - first < 2


@in_virtual_time
async def test_what_the_app_writes_after_a_slice_was_decided_about_is_not_lost() -> None:
    store = await tasks(20)

    async def app(writes: Sequence[Write]) -> None:
        await slow(writes)
        if any(write.path == "tasks/00" for write in writes):
            store.apply([Put("tasks/19", stored({"name": "new"}))])

    store.faults.before_commit = app
    progress = await ran(store, plan(RunKind.MIGRATE, migration(IN_PLACE), pace=PACE))
    assert await seen(store, "tasks/19") == {"title": "new"}
    assert counts(progress) == {"read": 20, "updated": 20, "conflicts": 1}


@pytest.mark.parametrize("on_invalid", list(OnInvalid))
@in_virtual_time
async def test_a_record_that_stops_the_run_does_so_behind_all_before_it(on_invalid: OnInvalid) -> None:
    store = await tasks(20)
    spec = migration(IN_PLACE, validate=[{"rule": "out.title != 'n15'"}], onInvalid=on_invalid)
    stops = on_invalid is OnInvalid.FAIL
    with pytest.raises(InvalidData, match="tasks/15") if stops else nullcontext():
        await ran(store, plan(RunKind.MIGRATE, spec, pace=PACE))
    moved = [
        document for path, document in store.snapshot().items() if path.startswith("tasks/") and "title" in document
    ]
    assert len(moved) == (10 if stops else 19)


@in_virtual_time
async def test_copies_that_are_there_are_met_and_looked_for_though_they_were_decided_about_unseen() -> None:
    store = await seeded({f"fitness_logs/{number:02d}": {"userId": "u", "n": number} for number in range(30)})
    there = [Create(f"users/u/fitness_logs/{number:02d}", stored({"app": number})) for number in (3, 14, 25)]
    store.apply(there)
    store.faults.before_commit = slow
    progress = await ran(store, plan(RunKind.MIGRATE, migration(COPY), pace=PACE))
    assert counts(progress) == {"read": 30, "created": 27, "updated": 3}
    assert await seen(store, "users/u/fitness_logs/14") == {"userId": "u", "n": 14, "app": 14}


@pytest.mark.parametrize(("seconds", "known"), [(0.2, 1000), (0.4, 0), (5, 0)])
@in_virtual_time
async def test_a_commit_beside_which_much_was_decided_has_no_latency(
    monkeypatch: pytest.MonkeyPatch, seconds: float, known: int
) -> None:
    foresee = Migrate.foresee

    def slowly(self: Migrate, records: Sequence[Record]) -> list[Change] | None:
        asyncio.get_running_loop()._virtual.now += seconds  # type: ignore[attr-defined] # noqa: SLF001 - time in which nothing else goes on
        return foresee(self, records)

    monkeypatch.setattr(Migrate, "foresee", slowly)
    store = await tasks(30)
    made = plan(RunKind.MIGRATE, migration(IN_PLACE), pace=PACE)
    await ran(store, made)
    entries = await Journal(store, LEDGER).walk(made.id, 0, after=0, limit=9)
    assert [entry.latency_ms for entry in entries] == [0, known, known, 1000]
