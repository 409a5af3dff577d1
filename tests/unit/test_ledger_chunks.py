"""What fits a commit, and how a chunk is cut."""

import pytest

from firelift.api.run import Totals
from firelift.migration.chunks import MAX_WRITES, Chunk, fitting, total
from firelift.migration.image import Image, Operation
from firelift.migration.store import Create, Update, Verify
from firelift.migration.work import Change, DeadLetter, Record
from firelift.stores.firestore.values import FirestoreValues

KIT = FirestoreValues()
UPDATED = Totals(read=1, updated=1)
SKIPPED = Change(Totals(read=1, skipped=1))


def update(path: str, size: int = 1, before: int = 1) -> Change:
    image = Image(path, Operation.UPDATE, None, 1, 1, {("x",): KIT.encode("b" * before)}, {("x",): b""})
    return Change(UPDATED, (Update(path, {"x": KIT.encode("a" * size)}, [("x",)], 1),), images=(image,))


def copy(source: str, target: str, time: int = 1) -> Change:
    return Change(Totals(read=1, created=1), (Create(target, {}),), (Verify(source, time),))


def letter(path: str) -> Change:
    return Change(Totals(read=1, dead_letters=1), dead_letter=DeadLetter(path, "broken"))


MIB = 2**20


@pytest.mark.parametrize(
    ("changes", "batch_size", "fits"),
    [
        ([], 10, 0),
        ([SKIPPED] * 600, 10, 600),
        ([update(f"c/{n}") for n in range(30)], 10, 10),
        ([*[SKIPPED] * 7, *[update(f"c/{n}") for n in range(30)]], 10, 17),
        ([copy(f"c/{n}", f"t/{n}") for n in range(400)], 400, (MAX_WRITES - 1) // 2),
        ([letter(f"c/{n}") for n in range(600)], 400, MAX_WRITES - 1),
        ([update(f"c/{n}", size=MIB) for n in range(30)], 400, 9),
        ([update(f"c/{n}", size=MIB // 2, before=MIB // 2) for n in range(30)], 400, 9),
        ([update("c/1", size=20 * MIB), update("c/2")], 400, 1),
    ],
    ids=["none", "skips", "batch", "skips-are-free", "guards-count", "letters-count", "bytes", "images", "one-too-big"],
)
def test_as_many_records_as_a_commit_can_take(changes: list[Change], batch_size: int, fits: int) -> None:
    assert fitting(KIT, changes, batch_size) == fits


@pytest.mark.parametrize(
    ("changes", "fits"),
    [
        ([copy("c/1", "t/1"), copy("c/2", "t/1")], 1),
        ([copy("c/1", "t/1"), copy("c/1", "t/2")], 2),
        ([copy("c/1", "t/1"), copy("c/1", "t/2", time=2)], 1),
        ([update("c/1"), copy("c/1", "t/1")], 1),
        ([copy("c/1", "t/1"), update("c/1")], 1),
        ([update("c/1"), update("c/2")], 2),
    ],
    ids=["same target", "same guard", "other guard", "guards a written one", "writes a guarded one", "apart"],
)
def test_no_two_records_of_a_commit_touch_one_document(changes: list[Change], fits: int) -> None:
    assert fitting(KIT, changes, 400) == fits


def test_guards_come_first_and_each_one_once() -> None:
    chunk = Chunk((), [copy("c/1", "t/1"), copy("c/1", "t/2")], "", 0)
    assert [type(write) for write in chunk.writes] == [Verify, Create, Create]


def test_a_prefix_ends_at_its_last_record_and_the_rest_at_the_chunks_end() -> None:
    records = [Record(f"c/{n}", None) for n in range(5)]
    chunk = Chunk(records, [SKIPPED] * 5, "c/9", 10)
    head, tail = chunk.prefix(2), chunk.behind(2)
    assert (head.end, head.scanned, len(head.records)) == ("c/1", 2, 2)
    assert (tail.end, tail.scanned, len(tail.records)) == ("c/9", 8, 3)
    assert chunk.prefix(5) is chunk
    assert [len(chunk.half().records), len(chunk.half().half().records)] == [2, 1]
    assert len(chunk.half().half().half().records) == 1


def test_a_total_is_the_sum_of_every_field() -> None:
    tallies = [Totals(**{name: place + n for place, name in enumerate(Totals.model_fields)}) for n in range(3)]
    assert total(tallies) == tallies[0].plus(tallies[1]).plus(tallies[2])
