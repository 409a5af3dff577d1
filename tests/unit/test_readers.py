"""What lanes read, resumed at every cursor."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from tests.moving import seeded

from firelift.migration.image import Image, Operation
from firelift.migration.readers import EntryImages, ImageReader, JournalRecord, ScanReader, whole_page
from firelift.migration.store import Source
from firelift.migration.work import Reader, Record


def image(path: str) -> Image:
    return Image(path, Operation.UPDATE, None, 1, 1, {}, {})


ENTRIES = [
    EntryImages(1, 10, [image("c/1"), image("c/2")]),
    EntryImages(2, 20, []),
    EntryImages(3, 30, [image("c/3"), image("c/4"), image("c/5")]),
    EntryImages(4, 40, []),
]


@dataclass(frozen=True)
class Entries:
    """A journal of one lane in memory, that gives `at_once` entries for an answer."""

    at_once: int

    async def entries(self, run: str, lane: int, *, newest_first: bool, start: int | None) -> list[EntryImages]:
        assert (run, lane) == ("subject", 7)
        step = -1 if newest_first else 1
        found = [entry for entry in ENTRIES[::step] if start is None or (entry.seq - start) * step >= 0]
        return found[: self.at_once]


async def everything(reader: Reader, after: str | None = None) -> list[Record]:
    """All records behind a cursor."""
    records: list[Record] = []
    while True:
        batch = await reader.read(after)
        records += batch.records
        if batch.exhausted:
            return records
        assert batch.end != after
        after = batch.end


@pytest.mark.parametrize("at_once", [1, 2, 10])
@pytest.mark.parametrize("newest_first", [True, False])
async def test_images_come_in_order_with_the_time_of_their_commit(at_once: int, newest_first: object) -> None:
    reader = ImageReader(Entries(at_once), "subject", 7, bool(newest_first), lambda _: True)
    forwards = [("c/1", 10), ("c/2", 10), ("c/3", 30), ("c/4", 30), ("c/5", 30)]
    payloads: list[JournalRecord] = [record.payload for record in await everything(reader)]
    walked = [(payload.image.path, payload.commit_time) for payload in payloads]
    assert walked == (forwards[::-1] if newest_first else forwards)


@pytest.mark.parametrize("at_once", [1, 2, 10])
@pytest.mark.parametrize("newest_first", [True, False])
async def test_reading_goes_on_behind_any_image(at_once: int, newest_first: object) -> None:
    reader = ImageReader(Entries(at_once), "subject", 7, bool(newest_first), lambda _: True)
    records = await everything(reader)
    for position, record in enumerate(records, start=1):
        assert await everything(reader, record.cursor) == records[position:]


async def test_images_outside_of_the_sample_are_left_out() -> None:
    reader = ImageReader(Entries(2), "subject", 7, newest_first=False, keep=lambda path: path == "c/4")
    assert [record.payload.image.path for record in await everything(reader)] == ["c/4"]


@pytest.mark.parametrize("limit", [1, 2, 7])
async def test_a_scan_goes_on_behind_any_document_within_its_range(limit: int) -> None:
    store = await seeded({f"c/{number}": {"n": number} for number in range(7)})
    source = Source("c", start="c/0", end="c/5")
    reader = ScanReader(store, source, lambda: limit, lambda document: document.path != "c/3")
    records = await everything(reader)
    assert [record.cursor for record in records] == ["c/1", "c/2", "c/4", "c/5"]
    for position, record in enumerate(records, start=1):
        behind = await everything(reader, record.cursor)
        assert [each.cursor for each in behind] == [each.cursor for each in records[position:]]


async def test_a_scan_of_nothing_ends_where_it_began() -> None:
    batch = await ScanReader(await seeded({"d/1": {}}), Source("c"), whole_page, lambda _: True).read(None)
    assert (batch.records, batch.end, batch.exhausted, batch.scanned) == ([], "", True, 0)
