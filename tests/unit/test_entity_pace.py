"""A few writes a minute for each entity, while all the others go on."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import virtual_time
from tests.crashing import left_behind
from tests.moving import COPY, LEDGER, counts, everything, migration, plan, ran, seen, stored
from tests.virtual_time import VirtualClock, in_virtual_time

from firelift.api.cohort import Selection
from firelift.api.migration import MigrationSpec
from firelift.api.rollout import PaceSpec
from firelift.api.run import RunControl, RunKind, RunPlan, RunState, Totals, VerifyPlan
from firelift.migration.chunks import Chunk
from firelift.migration.entities.open_cursor import OpenCursor, is_open, parse
from firelift.migration.entities.order import Cursor, place
from firelift.migration.entities.pace import MINUTE, EntityPace
from firelift.migration.ledger.runs import RunStore
from firelift.migration.processors.build import build
from firelift.migration.store import Committed, Create, Delete, Put, Write
from firelift.migration.work import Change, Record
from firelift.migration.worker import Share, work
from firelift.stores.memory import MemoryStore

SEED = "seed"
LISTED = {**COPY, "entityCollection": "users"}
FIVE = PaceSpec(max_writes_per_second=1_000, batch_size=7, max_retries=5, per_entity_writes_per_minute=5)
ANY = FIVE.model_copy(update={"per_entity_writes_per_minute": None})


def now() -> float:
    return asyncio.get_running_loop().time()


class Writes:
    """When each entity's copies were written."""

    def __init__(self, store: MemoryStore) -> None:
        self.times: dict[str, list[float]] = defaultdict(list)
        store.faults.after_commit = self.note

    async def note(self, writes: Sequence[Write], _: Committed) -> None:
        for write in writes:
            if isinstance(write, Create) and write.path.startswith("users/"):
                self.times[write.path.split("/")[1]].append(now())

    def busiest_minute(self) -> int:
        return max(
            sum(begin <= time < begin + MINUTE - 0.001 for time in times)
            for times in self.times.values()
            for begin in times
        )


async def filled(users: dict[str, int], listed: bool = True) -> MemoryStore:  # noqa: FBT001, FBT002 - said by name
    store = MemoryStore()
    for user, count in users.items():
        writes: list[Write] = [
            Create(f"fitness_logs/{user}{number:03d}", stored({"userId": user})) for number in range(count)
        ]
        store.apply([*writes, *([Create(f"users/{user}", stored({"plan": "pro"}))] if listed else [])])
    return store


def migrate(spec: MigrationSpec | None = None, number: int = 0, **changes: Any) -> RunPlan:
    return plan(RunKind.MIGRATE, spec or migration(LISTED), number, **{"pace": FIVE, **changes})


def chunk(**written: int) -> Chunk:
    records = [Record(name, None, name) for name in written]
    changes = [
        Change(Totals(read=1), tuple(Delete(f"x/{name}{number}") for number in range(count)))
        for name, count in written.items()
    ]
    return Chunk(records, changes, "", len(records))


@given(st.integers(1, 6), st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 40)), max_size=60))
def test_no_minute_of_an_entity_has_more_writes_than_it_may_have(
    per_minute: int, steps: list[tuple[str, float]]
) -> None:
    async def write() -> None:
        pace, times = EntityPace(per_minute, VirtualClock()), defaultdict(list)
        for entity, pause in steps:
            await asyncio.sleep(pause)
            if pace.left(entity):
                assert pace.wait([entity]) == 0
                pace.landed(chunk(**{entity: 1}))
                times[entity].append(now())
            else:
                assert pace.wait([entity]) > 0
                await asyncio.sleep(pace.wait([entity]))
                assert pace.left(entity), "a wait that is over is over"
        for each in times.values():
            assert each[0] >= MINUTE
            assert all(sum(begin <= time < begin + MINUTE for time in each) <= per_minute for begin in each)

    virtual_time.run(write())


@in_virtual_time
async def test_a_record_that_became_more_than_it_may_keeps_its_entity_waiting_and_no_other() -> None:
    pace = EntityPace(5, VirtualClock())
    await asyncio.sleep(MINUTE)
    pace.landed(chunk(ada=8, bob=1))
    assert (pace.left("ada"), pace.left("bob"), pace.left("eve")) == (0, 4, 5)
    assert pace.wait(["ada"]) == pytest.approx(MINUTE, abs=0.01)
    assert pace.wait(["ada", "bob"]) == 0


@in_virtual_time
async def test_entities_go_on_side_by_side_and_none_is_written_more_often_than_it_may_be() -> None:
    users = {f"u{number:02d}": 3 + number % 11 for number in range(100)}
    store = await filled(users)
    before, writes = everything(store), Writes(store)
    progress = await ran(store, migrate())
    assert counts(progress) == {"read": sum(users.values()), "created": sum(users.values())}
    assert (progress.scanned, writes.busiest_minute()) == (sum(users.values()), 5)
    assert {user: len(times) for user, times in writes.times.items()} == users
    assert now() < 60 + 4 * 60 + 10, "64 at a time, three minutes for the longest"
    verify = plan(RunKind.VERIFY, migration(LISTED), subjects=("migrate.0",), verify=VerifyPlan(recheck_seconds=0))
    assert counts(await ran(store, verify)) == {"read": sum(users.values()), "unchanged": sum(users.values())}
    await ran(store, plan(RunKind.REVERT, migration(LISTED), subjects=("migrate.0",)))
    assert everything(store) == before


@in_virtual_time
async def test_a_worker_that_is_started_again_writes_no_minute_twice() -> None:
    users = {f"u{number:02d}": 12 for number in range(20)}
    store = await filled(users)
    writes, made = Writes(store), migrate()
    await RunStore(store, LEDGER).ensure(made, RunControl(state=RunState.RUN, epoch=1, lease_seconds=1_000_000))
    for seconds in (65, 80):
        worker = asyncio.create_task(work(store, Share(LEDGER, made.id, 0, 1), build, clock=VirtualClock()))
        await asyncio.sleep(seconds)
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)
    assert 0 < sum(map(len, writes.times.values())) < sum(users.values())
    assert counts(await ran(store, made))["created"] == sum(users.values())
    assert writes.busiest_minute() == 5


@pytest.mark.parametrize(("first", "second"), [(FIVE, ANY), (ANY, FIVE), (FIVE, FIVE)])
@in_virtual_time
async def test_a_later_attempt_goes_on_whatever_the_pace_was(first: PaceSpec, second: PaceSpec) -> None:
    users = {f"u{number:02d}": 9 for number in range(20)}
    store = await filled(users)
    made = migrate(pace=first)
    seals = await left_behind(store, made, 10)
    done = sum(entry.totals.created for entry in seals)
    assert 0 < done < 180
    assert all(is_open(entry.end) is (first is FIVE) for entry in seals)
    left = counts(await ran(store, migrate(number=1, follows=made.id, attempt=2, pace=second)))
    assert left["created"] == 180 - done
    assert left["read"] == 180 - done


@in_virtual_time
async def test_a_sweep_finds_in_the_journal_what_was_read_side_by_side() -> None:
    users = {f"u{number:02d}": 7 for number in range(70)}
    store = await filled(users)
    await ran(store, migrate())
    gone = [f"users/u{number:02d}/fitness_logs/u{number:02d}00{number % 7}" for number in range(0, 70, 9)]
    await store.commit([Delete(path) for path in gone])
    swept = plan(RunKind.SWEEP, migration(LISTED), pace=FIVE)
    assert counts(await ran(store, swept)) == {
        "read": 490,
        "skipped": len(gone),
        "unchanged": 490 - len(gone),
    }


@pytest.mark.parametrize("before", [FIVE, ANY])
@in_virtual_time
async def test_a_marker_is_one_of_the_writes_and_comes_behind_the_last_record(before: PaceSpec) -> None:
    users = {f"u{number:02d}": number for number in range(1, 13)}
    store = await filled(users)
    marker = {"document": "users/{entity}/meta/migration", "set": {"state": "'done'"}}
    spec, writes = migration(LISTED, entityMarker=marker), Writes(store)
    if before is ANY:
        await ran(store, migrate(spec, selection=Selection(to_bucket=5_000), pace=ANY))
        writes.times.clear()
    progress = await ran(store, migrate(spec, number=1))
    assert progress.complete
    assert sum(map(len, writes.times.values())) <= sum(users.values()) + len(users)
    assert writes.busiest_minute() == 5
    for user, count in users.items():
        made = {path: store.history(path)[0] for path in store.snapshot() if path.startswith(f"users/{user}/")}
        assert len(made) == count + 1
        assert max(made, key=lambda path: made[path].update_time) == f"users/{user}/meta/migration"


@in_virtual_time
async def test_records_of_an_entity_that_nobody_has_listed_wait_as_well() -> None:
    store = await filled({"ada": 3})
    for number in range(12):
        store.apply([Put(f"fitness_logs/x{number:02d}", stored({"userId": "ghost"}))])
        store.apply([Put(f"fitness_logs/y{number:02d}", stored({"userId": f"g{number}"}))])
    writes = Writes(store)
    progress = await ran(store, migrate(closing=True, workers=2))
    assert counts(progress) == {"read": 27, "created": 27}
    assert (writes.busiest_minute(), len(writes.times["ghost"])) == (5, 12)


@in_virtual_time
async def test_a_record_that_becomes_several_documents_is_one_record_at_a_time() -> None:
    store = MemoryStore()
    store.apply([Create("users/ada", {})])
    for number in range(6):
        fields = {"userId": "ada", "items": ["a", "b", "c"]}
        store.apply([Create(f"fitness_logs/{number}", stored(fields))])
    target = {"document": "users/{doc.userId}/items/{id}-{item}", "forEach": "doc.items"}
    writes = Writes(store)
    progress = await ran(store, migrate(migration(LISTED, target=target)))
    assert (progress.totals.created, writes.busiest_minute()) == (18, 6)
    assert await seen(store, "users/ada/items/5-c") is not None


@pytest.mark.parametrize(
    "cursor", [Cursor("a", "b", "c/1"), Cursor("a", "b", None), OpenCursor("é", {"a": None, "b": "c/1"})]
)
def test_a_cursor_of_either_kind_is_read_as_it_was_written(cursor: Cursor | OpenCursor) -> None:
    assert parse(cursor.text()) == cursor
    assert is_open(cursor.text()) is isinstance(cursor, OpenCursor)


def test_a_record_lies_behind_an_open_cursor_when_its_entity_has_not_come_to_it() -> None:
    names = sorted("abcdefgh", key=lambda name: place(SEED, name))
    cursor = OpenCursor(names[5], {names[1]: "logs/5", names[3]: None})
    found = [cursor.before(SEED, place(SEED, name), "logs/7") for name in names]
    assert found == [False, True, False, True, False, False, True, True]
    assert not cursor.before(SEED, place(SEED, names[1]), "logs/5")
