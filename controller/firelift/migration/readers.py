"""What lanes read: a range of the source's documents, or the images of an earlier run's journal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from firelift.migration.image import Image
from firelift.migration.store import Document, Micros, Source, Store
from firelift.migration.work import Batch, Record

Keep = Callable[[Document], bool]

Limit = Callable[[], int]
"""How many documents to read at once, asked before each time."""

PAGE = 2_000
"""The most of them, for memory's sake, but for a scan that leaves most of what it reads out."""


def whole_page() -> int:
    """The limit of a reader that no pace makes smaller: nobody writes at its documents, or at few of them."""
    return PAGE


@dataclass(frozen=True, slots=True)
class EntryImages:
    """The images of one journal entry, in the order of its commit; a seal and an entry of dead letters have none.

    `commit_time` is the entry's `create_time`, and so the update time of every document that its commit changed.
    `marks`: these are entity markers. `end` is the cursor behind its records, `size` about how many
    bytes their values have.
    """

    seq: int
    commit_time: Micros
    images: Sequence[Image]
    marks: bool = False
    end: str | None = None
    size: int = 0


class JournalReader(Protocol):
    """Reads the journals of runs."""

    async def entries(self, run: str, lane: int, *, newest_first: bool, start: int | None) -> list[EntryImages]:
        """The next few entries of a lane in the order asked, from number `start` on and with it.

        `start` None begins at the lane's newest or first entry. An empty list says that there are no more.
        """


@dataclass(frozen=True, slots=True)
class JournalRecord:
    """The payload of a record from a journal; `entry` is its entry's number."""

    image: Image
    commit_time: Micros
    marks: bool = False
    entry: int = 0


@dataclass(frozen=True, slots=True)
class ScanReader:
    """The documents of a source in order, `limit` a page, those that `keep` refuses left out.

    The cursor is a document's path. The payload is the `Document`.
    """

    store: Store
    source: Source
    limit: Limit
    keep: Keep

    async def read(self, after: str | None) -> Batch:
        """The kept documents of the next page."""
        start = after or self.source.start
        page = await self.store.page(replace(self.source, start=start), limit=self.limit())
        records = [Record(document.path, document) for document in page.documents if self.keep(document)]
        end = page.documents[-1].path if page.documents else start or ""
        return Batch(records, end, page.exhausted, len(page.documents), page.size)


@dataclass(frozen=True, slots=True)
class ImageReader:
    """The images of one lane's journal, those of paths that `keep` refuses left out.

    The cursor is ``<entry, ten digits>:<images of it that lie behind>``. The payload is a `JournalRecord`.
    """

    journal: JournalReader
    run: str
    lane: int
    newest_first: bool
    keep: Callable[[str], bool]

    async def read(self, after: str | None) -> Batch:
        """The images of the next few entries."""
        seq, behind = _position(after)
        entries = await self._entries(seq)
        if entries and after == _cursor(entries[-1].seq, len(entries[-1].images)):
            seq, behind = entries[-1].seq + (-1 if self.newest_first else 1), 0
            entries = await self._entries(seq)
        if not entries:
            return Batch((), after or "", exhausted=True)
        records = [record for entry in entries for record in self._records(entry, behind if entry.seq == seq else 0)]
        end = _cursor(entries[-1].seq, len(entries[-1].images))
        return Batch(records, end, exhausted=False, scanned=len(records), size=sum(each.size for each in entries))

    async def _entries(self, start: int | None) -> list[EntryImages]:
        if start is not None and start < 0:
            return []
        return await self.journal.entries(self.run, self.lane, newest_first=self.newest_first, start=start)

    def _records(self, entry: EntryImages, behind: int) -> Iterator[Record]:
        images = entry.images[::-1] if self.newest_first else entry.images
        for number, image in enumerate(images[behind:], start=behind + 1):
            if self.keep(image.path):
                yield Record(
                    _cursor(entry.seq, number), JournalRecord(image, entry.commit_time, entry.marks, entry.seq)
                )


def _cursor(seq: int, behind: int) -> str:
    return f"{seq:010d}:{behind}"


def entry_of(cursor: str) -> int:
    """The number of the entry that a cursor lies in."""
    return int(cursor.partition(":")[0])


def _position(cursor: str | None) -> tuple[int | None, int]:
    if not cursor:
        return None, 0
    seq, _, behind = cursor.partition(":")
    return int(seq), int(behind)
