"""The source of a document is found by the times on it, with few reads and never the same one twice."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.moving import KIT, LEDGER, everything, migration, plan, seeded, stored

from firelift.api.run import RunControl, RunKind, RunPlan, RunState
from firelift.migration.image import Image, Operation
from firelift.migration.ledger import origins, paths
from firelift.migration.ledger.entries import Entry, EntryKind, entry_writes
from firelift.migration.ledger.journal import Journal
from firelift.migration.ledger.lane_map import adopt_lane_map
from firelift.migration.ledger.origins import Origins
from firelift.migration.ledger.runs import RunStore
from firelift.migration.ledger.timeline import Timeline
from firelift.migration.store import Create, Delete, Document, Update
from firelift.migration.work import Lane, LaneMap
from firelift.stores.memory import MemoryStore


@dataclass
class Reads:
    """Counts the calls that read."""

    store: MemoryStore
    calls: int = 0

    def __post_init__(self) -> None:
        self.store.faults.before_read = self.count

    async def count(self, _: str) -> None:
        self.calls += 1

    def taken(self) -> int:
        taken, self.calls = self.calls, 0
        return taken


@dataclass
class Moved:
    """Runs whose entries are written by hand, each one a moment after the other."""

    store: MemoryStore
    ends: dict[tuple[str, int], int] = field(default_factory=dict)

    async def begin(self, run: str, lanes: int, **changes: Any) -> RunPlan:
        made = plan(RunKind.MIGRATE, migration(), id=run, **changes)
        await RunStore(self.store, LEDGER).ensure(made, RunControl(state=RunState.RUN, epoch=1))
        await adopt_lane_map(self.store, LEDGER, run, LaneMap([Lane(number) for number in range(lanes)]))
        return made

    async def entry(self, run: str, lane: int, *sources: str, kind: EntryKind = EntryKind.CHUNK) -> Document | None:
        """Copies of these sources below ``t/``; the last of them."""
        seq = self.ends[run, lane] = self.ends.get((run, lane), 0) + 1
        images = tuple(Image(f"t/{source}", Operation.CREATE, f"s/{source}", 0, 0, {}, {}) for source in sources)
        entry = Entry(run, lane, seq, kind, "nonce", start=None, end=None, images=images)
        creates = [Create(image.path, {}) for image in images]
        await self.store.commit([*entry_writes(KIT, LEDGER, entry), *creates])
        return await self.document(images[-1].path) if images else None

    async def document(self, path: str) -> Document:
        (found,) = await self.store.get([path])
        assert isinstance(found, Document)
        return found

    async def app(self, path: str) -> Document:
        self.store.apply([Create(path, stored({"n": 1}))])
        return await self.document(path)


def asked(moved: Moved) -> Origins:
    return Origins(Journal(moved.store, LEDGER), "fitness-logs")


@pytest.mark.parametrize("length", [1, 2, 3, 17, 300])
async def test_each_entry_of_a_lane_is_found_by_its_time_and_no_other_time_is(length: int) -> None:
    moved = Moved(MemoryStore())
    times = {}
    for number in range(1, length + 1):
        found = await moved.entry("r", 0, str(number))
        assert found
        times[found.create_time] = number
    reads = Reads(moved.store)
    for time in (*list(times)[::7], *list(times)[::-1]):
        line = Timeline(moved.store, LEDGER, "r", 0)
        assert await line.number(time) == times[time]
        assert reads.taken() <= 5
    line = Timeline(moved.store, LEDGER, "r", 0)
    assert [await line.number(time + 1) for time in times] == [None] * length
    assert reads.taken() <= length
    assert [await line.number(time) for time in times] == list(times.values())
    assert reads.taken() == 0


async def test_a_lane_that_grows_is_looked_at_again_only_for_later_times() -> None:
    moved = Moved(MemoryStore())
    line = Timeline(moved.store, LEDGER, "r", 0)
    early, first = await moved.app("a/1"), await moved.entry("r", 0, "1")
    assert first
    assert await line.number(first.create_time) == 1
    reads = Reads(moved.store)
    late = await moved.app("a/2")
    reads.taken()
    assert [await line.number(each.create_time) for each in (early, late, late)] == [None] * 3
    assert reads.taken() == 1
    second = await moved.entry("r", 0, "2", kind=EntryKind.SEAL)
    assert second
    assert await line.number(second.create_time) == 2
    after = await moved.app("a/3")
    reads.taken()
    assert await line.number(after.create_time) is None
    assert reads.taken() == 0


async def test_the_source_is_found_in_every_lane_of_every_run_that_stands() -> None:
    moved = Moved(MemoryStore())
    for run in ("r1", "r2"):
        await moved.begin(run, 3)
    found = {}
    for number in range(60):
        document = await moved.entry(f"r{number % 2 + 1}", number % 3, f"{number}a", f"{number}b")
        assert document
        found[f"s/{number}b"] = document
    origin = asked(moved)
    assert {source: await origin.of(document) for source, document in found.items()} == {each: each for each in found}


async def test_what_is_older_than_the_first_run_costs_one_look_at_the_runs() -> None:
    moved = Moved(await seeded({f"t/{number}": {} for number in range(50)}))
    await moved.begin("r1", 4)
    reads = Reads(moved.store)
    documents = [await moved.document(path) for path in everything(moved.store)]
    reads.taken()
    origin = asked(moved)
    assert [await origin.of(document) for document in documents] == [None] * 50
    assert reads.taken() == 1


async def test_a_document_of_the_apps_is_nobodys_copy() -> None:
    moved = Moved(MemoryStore())
    await moved.begin("r1", 2)
    ours = await moved.entry("r1", 1, "1")
    assert ours
    theirs = await moved.app("t/mine")
    assert await asked(moved).of(theirs) is None
    await moved.store.commit([Update("t/1", stored({"n": 2}), [("n",)], None)])
    assert await asked(moved).of(await moved.document("t/1")) == "s/1"
    await moved.store.commit([Delete("t/1")])
    assert await asked(moved).of(await moved.app("t/1")) is None


async def test_runs_that_were_taken_back_and_other_migrations_have_no_say() -> None:
    moved = Moved(MemoryStore())
    await moved.begin("undone", 1)
    await moved.begin("another", 1, migration=migration(name="another"))
    copies = [await moved.entry("undone", 0, "1"), await moved.entry("another", 0, "2")]
    reverting = plan(RunKind.REVERT, migration(), subjects=("undone",))
    assert [await asked(moved).of(each) for each in copies if each] == ["s/1", None]
    await RunStore(moved.store, LEDGER).ensure(reverting, RunControl(state=RunState.RUN, epoch=1))
    assert [await asked(moved).of(each) for each in copies if each] == [None, None]


async def test_more_runs_than_a_page_has_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firelift.migration.ledger.runs.LISTED", 2)
    moved = Moved(MemoryStore())
    for number in range(7):
        await moved.begin(f"r{number}", 1)
    listed = await RunStore(moved.store, LEDGER).listed()
    assert [made.id for made, _ in listed] == [f"r{number}" for number in range(7)]
    (first,) = await moved.store.get([paths.run(LEDGER, "r0")])
    assert isinstance(first, Document)
    assert listed[0][1] == first.create_time


async def test_few_entries_are_remembered_and_the_others_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(origins, "KEPT_ENTRIES", 1)
    moved = Moved(MemoryStore())
    await moved.begin("r1", 1)
    one, two = await moved.entry("r1", 0, "1"), await moved.entry("r1", 0, "2")
    assert one
    assert two
    origin = asked(moved)
    assert [await origin.of(each) for each in (one, two, one)] == ["s/1", "s/2", "s/1"]
