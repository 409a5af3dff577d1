"""Reading the journal: the end of a lane by point reads, and its entries forwards and backwards.

No query is ever made: ids follow from run, lane and number, so that all fields can stay without indexes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from firelift.migration.bounded import READ_BYTES
from firelift.migration.errors import LedgerBroken
from firelift.migration.ledger import paths
from firelift.migration.ledger.entries import IMAGES, PLAIN_MASK, Entry, read_entry, read_images
from firelift.migration.readers import EntryImages
from firelift.migration.store import Document, Missing, Store, Value

PROBES = 12
"""Point reads of one call while looking for a lane's end: 12 gallop to entry 2,048."""

FEW_PROBES = 2

WALK = 4
"""Entries with images of one call; fewer when their images are large."""


@dataclass(frozen=True, slots=True)
class Journal:
    """The journal of a ledger; a `readers.JournalReader`."""

    store: Store
    ledger: str

    async def end(self, run: str, lane: int, *, at_least: int = 0) -> int:
        """The number of the lane's last entry, 0 when it has none. `at_least` is known to exist."""
        # Who knows an entry usually asks for the next few, and each read of an absent document is billed too.
        low, probes, step = at_least, FEW_PROBES if at_least else PROBES, 1
        while True:
            low, high = await self._narrow(run, lane, low, [low + step * 2**power for power in range(probes)])
            if high is not None:
                return await self._bisect(run, lane, low, high)
            step, probes = step * 2**probes, PROBES

    async def present(self, run: str, numbers: Mapping[int, int]) -> list[int]:
        """The lanes, of those given with an entry's number, that have this entry."""
        names = [paths.entry(self.ledger, run, lane, seq) for lane, seq in numbers.items()]
        documents = await self.store.get(names, mask=()) if names else []
        return [lane for lane, found in zip(numbers, documents, strict=True) if not isinstance(found, Missing)]

    async def last(self, run: str, lane: int, *, at_least: int = 0) -> Entry | None:
        """The lane's last entry without its images, None when it has none."""
        end = await self.end(run, lane, at_least=at_least)
        return await self.entry(run, lane, end) if end else None

    async def entry(self, run: str, lane: int, seq: int, *, images: bool = False) -> Entry | None:
        """One entry, None when there is none of that number."""
        found = await self._numbered(run, lane, [seq], images=images)
        return found[0] if found else None

    async def entries(self, run: str, lane: int, *, newest_first: bool, start: int | None) -> list[EntryImages]:
        """The next few entries of a lane with their images, as `readers.JournalReader` has it."""
        if newest_first:
            start = await self.end(run, lane) if start is None else start
            numbers = range(start, max(0, start - WALK), -1)
        else:
            numbers = range(start or 1, (start or 1) + WALK)
        found = await self._numbered(run, lane, numbers, images=True, most=READ_BYTES)
        kit = self.store.values
        return [
            EntryImages(each.seq, each.commit_time, each.images or (), each.marks, each.end, each.weight(kit))
            for each in found
        ]

    async def walk(self, run: str, lane: int, *, after: int, limit: int, images: bool = False) -> list[Entry]:
        """Entries after number `after` in order, at most `limit`; fewer when the lane ends."""
        return await self._numbered(run, lane, range(after + 1, after + limit + 1), images=images)

    async def walk_back(self, run: str, lane: int, *, before: int, limit: int) -> list[Entry]:
        """Entries before number `before`, newest first, at most `limit`; fewer when the lane begins."""
        return await self._numbered(run, lane, range(before - 1, max(0, before - 1 - limit), -1))

    async def _numbered(
        self, run: str, lane: int, numbers: Sequence[int], *, images: bool = False, most: int | None = None
    ) -> list[Entry]:
        """The entries of these numbers in the order asked, up to the first that does not exist.

        With `most` no further ones when the values of their images have as many bytes.
        """
        names = [paths.entry(self.ledger, run, lane, seq) for seq in numbers]
        documents = await self.store.get(names, mask=None if images else PLAIN_MASK) if names else []
        found: list[Entry] = []
        held = 0
        for document in documents:
            if isinstance(document, Missing) or (most is not None and held >= most):
                break
            found.append(await self._read(document, images=images))
            held += found[-1].weight(self.store.values)
        return found

    async def _read(self, document: Document, *, images: bool) -> Entry:
        entry, parts = read_entry(self.store.values, document)
        if not images:
            return entry
        more = await self.store.get([paths.part(document.path, n) for n in range(1, parts + 1)]) if parts else []
        slices = [_slice(each) for each in (document, *more)]
        return replace(entry, images=read_images(self.store.values, slices))

    async def _narrow(self, run: str, lane: int, low: int, probes: Sequence[int]) -> tuple[int, int | None]:
        names = [paths.entry(self.ledger, run, lane, seq) for seq in probes]
        for seq, document in zip(probes, await self.store.get(names, mask=()), strict=True):
            if isinstance(document, Missing):
                return low, seq
            low = seq
        return low, None

    async def _bisect(self, run: str, lane: int, low: int, high: int) -> int:
        while high - low > 1:
            step = max(1, (high - low) // (PROBES + 1))
            low, beyond = await self._narrow(run, lane, low, list(range(low + step, high, step))[:PROBES])
            high = high if beyond is None else beyond
        return low


def _slice(document: Document | Missing) -> Value:
    if isinstance(document, Missing):
        raise LedgerBroken(f"{document.path} is gone, and with it before-images; somebody removed parts of the ledger")
    return document.fields[IMAGES]
