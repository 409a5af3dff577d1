"""Sources together with what earlier runs have written of them: both in the order of paths, each read once.

A run that goes by paths has its images in the order of their sources, so the journals and the source are merged like
sorted lists. What lies in a journal and not in the source is met too: a copy whose source is gone.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from firelift.migration.bounded import READ_BYTES
from firelift.migration.ledger.lane_map import read_lane_map
from firelift.migration.ledger.scanned import ScannedEntries
from firelift.migration.part_cursor import whole
from firelift.migration.path_order import order
from firelift.migration.readers import JournalRecord, Keep
from firelift.migration.store import Document, Missing, Page, Source, Store
from firelift.migration.work import Batch, Lane, Record

T = TypeVar("T")

MOST_IMAGES = 5_000
"""Of one lane, held at once: many sources that are gone may lie between two that are there."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A source by its path, and the images of it that earlier runs have.

    `source` is None where the scan has not met it. `scanned` says whether it is the scan's to judge, or just the images
    are.
    """

    path: str
    source: Document | Missing | None
    images: Sequence[JournalRecord] = ()
    scanned: bool = True


def of_image(record: JournalRecord) -> str:
    """The source of an image; in place it is the document itself."""
    return record.image.source or record.image.path


@dataclass(slots=True)
class LaneImages:
    """The images of one lane of a subject, read forward. `keep` refuses sources by their paths."""

    entries: ScannedEntries
    run: str
    lane: Lane
    keep: Callable[[str], bool]
    most: int = MOST_IMAGES
    _images: list[JournalRecord] = field(default_factory=list, init=False)
    _held: int = field(default=0, init=False)
    """About how many bytes their values have."""
    _next: int | None = field(default=None, init=False)
    """The entry to read, None behind the last one."""
    _read_to: str | None = field(default=None, init=False)
    """The source behind which nothing was read yet, though of that one there may be more."""
    _place: tuple[str | None] | None = field(default=None, init=False)
    """Behind which source the images lie, None when it is not known."""

    async def seek(self, after: str | None) -> None:
        """Go to what lies behind a source, from the start with None."""
        if self._place == (after,):
            return
        self._place = None
        number = await self.entries.first_behind(self.run, self.lane.number, after) if after else 1
        self._images, self._held, self._read_to = [], 0, None
        self._next, self._place = number, (after,)

    async def fill(self, end: str | None) -> str | None:
        """Have all images up to a source; of too many or too large ones those up to the source that is answered."""
        while self._next is not None and not self._beyond(end):
            full = len(self._images) >= self.most or self._held >= READ_BYTES
            if full and (last := self._last_whole()) is not None:
                return last
            start = self._next
            found = await self.entries.journal.entries(self.run, self.lane.number, newest_first=False, start=start)
            self._next = found[-1].seq + 1 if found else None
            # Of the many entries that changed nothing, just those up to the source are read.
            self._read_to = whole(found[-1].end) if found and found[-1].end else self._read_to
            images = (JournalRecord(image, each.commit_time, each.marks) for each in found for image in each.images)
            self._add(record for record in images if self._wanted(of_image(record)))
        return None

    def take(self, end: str | None) -> list[JournalRecord]:
        """The images up to a source, to whose end they were read; `seek` is next."""
        last = len(self._images)
        count = last if end is None else bisect_right(self._images, order(end), key=lambda each: order(of_image(each)))
        taken, left = self._images[:count], self._images[count:]
        self._images, self._held, self._place = [], 0, None if end is None else (end,)
        self._add(left)
        return taken

    def _add(self, images: Iterable[JournalRecord]) -> None:
        more = list(images)
        kit = self.entries.journal.store.values
        self._images += more
        self._held += sum([record.image.weight(kit) for record in more])

    def _wanted(self, source: str) -> bool:
        after = self._place[0] if self._place else None
        return self.keep(source) and (after is None or order(source) > order(after))

    def _beyond(self, end: str | None) -> bool:
        return end is not None and self._read_to is not None and order(self._read_to) > order(end)

    def _last_whole(self) -> str | None:
        """The last source whose images cannot go on in the next entry; None when there is only one."""
        last = of_image(self._images[-1])
        return next((of_image(each) for each in reversed(self._images) if of_image(each) != last), None)


@dataclass(slots=True)
class JoinedReader:
    """The documents of a source with the images of the subjects' lanes that go by paths, `limit` documents a page.

    `keep` refuses documents and `sampled` paths. The cursor is a source's path, the payload a `Sighting`.
    """

    store: Store
    source: Source
    limit: int
    keep: Keep
    sampled: Callable[[str], bool]
    entries: ScannedEntries
    subjects: Sequence[str]
    most: int = MOST_IMAGES
    _lanes: list[LaneImages] | None = field(default=None, init=False)
    _left: tuple[str, Page] | None = field(default=None, init=False)
    """What was read and not answered yet, and the cursor in front of it."""

    async def read(self, after: str | None) -> Batch:
        """The next page, and what was written of sources up to its end."""
        start = after or self.source.start
        if self._lanes is None:
            self._lanes = [lane for subject in self.subjects for lane in await self._of_subject(subject)]
        page, _ = await asyncio.gather(self._page(start), self._all(lambda lane: lane.seek(start)))
        documents, exhausted = page.documents, page.exhausted
        end = self.source.end if exhausted else documents[-1].path
        cuts = [cut for cut in await self._all(lambda lane: lane.fill(end)) if cut is not None]
        if cuts:
            end, exhausted = min(cuts, key=order), False
            count = bisect_right(documents, order(end), key=lambda each: order(each.path))
            self._left = end, replace(page, documents=documents[count:])
            documents = documents[:count]
        images = [record for lane in self._lanes for record in lane.take(end)]
        records = self._merged(documents, images)
        behind = records[-1].cursor if records else documents[-1].path if documents else start or ""
        return Batch(records, behind if exhausted else end or behind, exhausted, len(documents), page.size)

    async def _all(self, work: Callable[[LaneImages], Awaitable[T]]) -> list[T]:
        return await asyncio.gather(*(work(lane) for lane in self._lanes or ()))

    async def _page(self, start: str | None) -> Page:
        left, self._left = self._left, None
        if left is not None and left[0] == start:
            return left[1]
        return await self.store.page(replace(self.source, start=start), limit=self.limit)

    async def _of_subject(self, subject: str) -> Iterable[LaneImages]:
        made = await read_lane_map(self.store, self.entries.journal.ledger, subject)
        lanes = made.lanes if made else ()
        return (LaneImages(self.entries, subject, lane, self.sampled, self.most) for lane in lanes if self._meets(lane))

    def _meets(self, lane: Lane) -> bool:
        return lane.by_path and _before(self.source.start, lane.end) and _before(lane.start, self.source.end)

    def _merged(self, documents: Sequence[Document], images: Sequence[JournalRecord]) -> list[Record]:
        of_sources: dict[str, list[JournalRecord]] = {}
        for record in images:
            of_sources.setdefault(of_image(record), []).append(record)
        records = [
            Record(document.path, Sighting(document.path, document, of_sources.pop(document.path, ()), kept))
            for document in documents
            if (kept := self.keep(document)) or document.path in of_sources
        ]
        return _with_unmet(records, of_sources)


def _with_unmet(records: list[Record], of_sources: Mapping[str, Sequence[JournalRecord]]) -> list[Record]:
    if not of_sources:
        return records
    records += [Record(path, Sighting(path, None, images, scanned=False)) for path, images in of_sources.items()]
    return sorted(records, key=lambda record: order(record.cursor))


def _before(start: str | None, end: str | None) -> bool:
    """Whether something can lie behind `start` and not behind `end`."""
    return start is None or end is None or order(start) < order(end)
