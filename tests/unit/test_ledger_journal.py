"""The journal: entries that come back as they were, however large, and ends that are found by few reads."""

import random
from dataclasses import replace

import pytest
from tests.simple_work import LEDGER

from firelift.api.run import Totals
from firelift.migration.errors import Denied, LedgerBroken, LostRace
from firelift.migration.image import Image, Operation
from firelift.migration.ledger import paths
from firelift.migration.ledger.entries import Entry, EntryKind, entry_writes
from firelift.migration.ledger.journal import Journal
from firelift.migration.ledger.packing import PART_BYTES, pack, unpack
from firelift.migration.ledger.seal import seal
from firelift.migration.store import Create, Delete
from firelift.stores.memory import MemoryStore

KIT = MemoryStore().values

IMAGES = (
    Image("c/1", Operation.CREATE, "s/1", 0, 0, {}, {("a",): b"0" * 16}),
    Image(
        "c/ü.`x`",
        Operation.UPDATE,
        None,
        5,
        7,
        {("a", "b.c"): KIT.encode([1, {"x": None}]), ("gone",): None},
        {("a", "b.c"): None, ("gone",): b"1" * 16},
    ),
    Image("c/3", Operation.DELETE, None, 1, 2, {("n",): KIT.encode(float("nan"))}, {}),
)


def entry(seq: int, **changes: object) -> Entry:
    made = Entry("r1", 3, seq, EntryKind.CHUNK, "nonce", start=f"c/{seq - 1}", end=f"c/{seq}", images=())
    return replace(made, **changes)  # type: ignore[arg-type]


async def written(*entries: Entry) -> MemoryStore:
    store = MemoryStore()
    for each in entries:
        await store.commit(entry_writes(store.values, LEDGER, each))
    return store


def test_images_come_back_as_they_were() -> None:
    back = unpack(KIT, pack(KIT, IMAGES))
    assert [(each.path, each.operation, each.source, each.create_time, each.update_time) for each in back] == [
        (each.path, each.operation, each.source, each.create_time, each.update_time) for each in IMAGES
    ]
    assert [dict(each.after) for each in back] == [dict(each.after) for each in IMAGES]
    assert [_dumped(each) for each in back] == [_dumped(each) for each in IMAGES]


def _dumped(image: Image) -> dict[tuple[str, ...], bytes | None]:
    return {path: None if value is None else KIT.dumps(value) for path, value in image.before.items()}


async def test_an_entry_comes_back_as_it_was_written() -> None:
    made = entry(
        1,
        complete=True,
        totals=Totals(read=3, updated=2, skipped=1, retries=4),
        scanned=9,
        latency_ms=17,
        examples=("one", "two"),
        images=IMAGES,
    )
    store = await written(made)
    found = await Journal(store, LEDGER).entry("r1", 3, 1)
    assert found is not None
    assert found.commit_time > 0
    assert replace(found, commit_time=0) == replace(made, images=None, image_count=3)


async def test_images_that_do_not_fit_a_document_lie_in_parts_of_the_same_commit() -> None:
    noise = random.Random(7).randbytes  # noqa: S311 - incompressible, and the same each time
    images = tuple(
        Image(f"c/{n}", Operation.UPDATE, None, 1, 1, {("b",): KIT.encode(noise(500_000))}, {}) for n in range(5)
    )
    writes = entry_writes(KIT, LEDGER, entry(1, images=images))
    assert [write.path.rpartition(".")[2] for write in writes] == ["0000000001", "p01", "p02"]
    assert all(KIT.size(write.fields["images"]) < PART_BYTES + 100 for write in writes)
    store = await written(entry(1, images=images))
    (found,) = await Journal(store, LEDGER).walk("r1", 3, after=0, limit=5, images=True)
    assert [_dumped(each) for each in found.images or ()] == [_dumped(each) for each in images]
    store.apply([Delete(writes[1].path)])
    with pytest.raises(LedgerBroken, match=r"\.p01 is gone"):
        await Journal(store, LEDGER).walk("r1", 3, after=0, limit=5, images=True)


@pytest.mark.parametrize("length", [0, 1, 2, 3, 4, 7, 8, 13, 100, 2047, 2048, 2049])
async def test_the_end_of_a_lane_is_found_by_few_reads(length: int) -> None:
    store = MemoryStore()
    for seq in range(1, length + 1):
        store.apply([Create(paths.entry(LEDGER, "r1", 3, seq), {})])
    reads = 0

    async def count(_: str) -> None:
        nonlocal reads
        reads += 1

    store.faults.before_read = count
    for known in {0, length // 2, length}:
        assert await Journal(store, LEDGER).end("r1", 3, at_least=known) == length
    assert reads <= 15


async def test_entries_are_walked_in_both_directions() -> None:
    journal = Journal(await written(*(entry(seq) for seq in range(1, 8))), LEDGER)
    assert [each.seq for each in await journal.walk("r1", 3, after=2, limit=3)] == [3, 4, 5]
    assert [each.seq for each in await journal.walk("r1", 3, after=5, limit=9)] == [6, 7]
    assert [each.seq for each in await journal.walk_back("r1", 3, before=4, limit=9)] == [3, 2, 1]
    assert [each.seq for each in await journal.entries("r1", 3, newest_first=True, start=None)] == [7, 6, 5, 4]
    assert [each.seq for each in await journal.entries("r1", 3, newest_first=True, start=0)] == []
    assert [each.seq for each in await journal.entries("r1", 3, newest_first=False, start=6)] == [6, 7]
    assert [each.seq for each in await journal.entries("r1", 3, newest_first=False, start=None)] == [1, 2, 3, 4]
    assert await journal.last("r1", 4) is None


@pytest.mark.parametrize("length", [0, 1, 5])
async def test_a_seal_closes_a_lane_where_it_stands_and_once(length: int) -> None:
    totals = Totals(read=length)
    store = await written(*(entry(seq, totals=totals) for seq in range(1, length + 1)))
    journal = Journal(store, LEDGER)
    made = await seal(journal, "r1", 3)
    assert (made.seq, made.kind, made.complete) == (length + 1, EntryKind.SEAL, False)
    assert (made.end, made.totals) == (f"c/{length}" if length else None, totals if length else Totals())
    assert await seal(journal, "r1", 3) == made


async def test_a_number_that_is_taken_counts_and_the_seal_moves_on() -> None:
    store = await written(entry(1))
    others = [entry(seq) for seq in (2, 3)]

    async def overtake(_: object) -> None:
        if others:
            store.apply(entry_writes(store.values, LEDGER, others.pop(0)))

    store.faults.before_commit = overtake
    made = await seal(Journal(store, LEDGER), "r1", 3)
    assert (made.seq, made.end) == (4, "c/3")


async def test_a_writer_that_stays_faster_is_named() -> None:
    store = await written(entry(1))
    others = iter(range(2, 1000))

    async def overtake(_: object) -> None:
        store.apply(entry_writes(store.values, LEDGER, entry(next(others))))

    store.faults.before_commit = overtake
    with pytest.raises(LostRace, match="lane 3 of run r1 could not be sealed"):
        await seal(Journal(store, LEDGER), "r1", 3)


async def test_a_seal_that_is_refused_says_so() -> None:
    store = await written(entry(1))

    async def deny(_: object) -> None:
        raise Denied("PERMISSION_DENIED", "no")

    store.faults.before_commit = deny
    with pytest.raises(Denied):
        await seal(Journal(store, LEDGER), "r1", 3)
