"""The next batch is read while the last one is worked off, and never used where it does not belong."""

from __future__ import annotations

import pytest
from tests.moving import stored
from tests.virtual_time import VirtualClock, in_virtual_time

from firelift.migration.ahead import ReadAhead
from firelift.migration.bounded import Room
from firelift.migration.errors import UnknownOutcome
from firelift.migration.readers import PAGE, ScanReader
from firelift.migration.store import Create, Page, Source
from firelift.migration.worker import LANES_AT_ONCE
from firelift.stores.firestore.reading import PAGE_BYTES
from firelift.stores.memory import MemoryStore

PAGE_SECONDS = 3.0

ORDINARY_BYTES = 700
"""Of a document with 16 fields in a query's answer, its name and times included."""


class SlowStore(MemoryStore):
    """Every page takes three seconds; those in `cut` end with an error instead, once."""

    cut: frozenset[str | None] = frozenset()

    async def page(self, source: Source, **how: object) -> Page:
        await VirtualClock().sleep(PAGE_SECONDS)
        if source.start in self.cut:
            self.cut -= {source.start}
            raise UnknownOutcome("UNAVAILABLE", "cut")
        return await super().page(source, **how)  # type: ignore[arg-type]


async def reader(*cut: str, most: int = 2) -> ReadAhead:
    store = SlowStore()
    await store.commit([Create(f"tasks/{n}", stored({"n": n})) for n in range(6)])
    store.cut = frozenset(cut)
    scan = ScanReader(store, Source("tasks"), lambda: 2, lambda _: True)
    return ReadAhead(scan, VirtualClock(), Room(), lambda records: records <= most)


@in_virtual_time
async def test_the_next_batch_comes_while_the_last_one_is_worked_off() -> None:
    ahead, clock = await reader(), VirtualClock()
    first = await ahead.read(None)
    await clock.sleep(10)
    second = await ahead.read(first.batch.end)
    assert [record.cursor for record in second.batch.records] == ["tasks/2", "tasks/3"]
    assert (first.at, second.at, clock.seconds()) == (3.0, 6.0, 13.0)
    await ahead.drop()


@in_virtual_time
async def test_nothing_is_read_ahead_where_the_process_has_no_room_until_another_lane_gives_it_back() -> None:
    room, clock = Room(most=0), VirtualClock()
    ahead = await reader()
    ahead.room = room
    first = await ahead.read(None)
    await clock.sleep(10)
    second = await ahead.read(first.batch.end)
    assert (second.at, room.taken) == (16.0, 0)
    room.most = 1_000
    third = await ahead.read(second.batch.end)
    assert third.batch.size
    assert room.taken == third.batch.size
    await ahead.drop()
    assert room.taken == 0


def test_there_is_room_for_a_page_of_ordinary_documents_ahead_of_each_lane() -> None:
    room = Room()
    assert [room.take(PAGE * ORDINARY_BYTES) for _ in range(LANES_AT_ONCE)] == [True] * LANES_AT_ONCE
    assert not room.take(PAGE_BYTES)


@in_virtual_time
async def test_nothing_is_read_ahead_that_would_be_old_when_its_turn_comes() -> None:
    ahead, clock = await reader(most=1), VirtualClock()
    first = await ahead.read(None)
    await clock.sleep(10)
    assert (await ahead.read(first.batch.end)).at == 16.0
    await ahead.drop()


@in_virtual_time
async def test_what_came_for_another_cursor_is_not_used() -> None:
    ahead = await reader()
    await ahead.read(None)
    other = await ahead.read("tasks/0")
    assert [record.cursor for record in other.batch.records] == ["tasks/1", "tasks/2"]
    await ahead.drop()


@in_virtual_time
async def test_an_error_ahead_is_met_where_the_batch_is_asked_for_and_is_gone_at_the_next_try() -> None:
    ahead = await reader("tasks/1")
    first = await ahead.read(None)
    with pytest.raises(UnknownOutcome):
        await ahead.read(first.batch.end)
    again = await ahead.read(first.batch.end)
    assert again.batch.records[0].cursor == "tasks/2"
    await ahead.drop()


@in_virtual_time
async def test_nothing_is_read_behind_the_end_and_a_dropped_batch_leaves_nothing() -> None:
    ahead, clock = await reader(), VirtualClock()
    last = await ahead.read("tasks/3")
    assert last.batch.exhausted or (await ahead.read(last.batch.end)).batch.exhausted
    before = clock.seconds()
    await ahead.drop()
    assert clock.seconds() == before
