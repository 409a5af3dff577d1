"""Reading documents by their paths without knowing how large they are: as many as memory has room for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from firelift.migration.store import Document, Micros, Missing, Store, ValueKit

READ_BYTES = 2 * 2**20
"""Of one reading, about: as much as a page of a query has."""

STOP_BYTES = 3 * READ_BYTES
"""Of one call whose documents are larger than the last ones were. What lies behind is asked for again, and reads are
paid for: that is for large documents behind small ones, and not for those that differ a little."""

FIRST = 8
"""Documents of the first call, which says how large they are. Each may have 1 MiB."""


AHEAD_BYTES = 6 * 2**20
"""Of a process, read ahead by all its lanes: pages of ordinary documents for each of four, and not those of documents
of 1 MiB. With less room one of the lanes waits for each of its pages, and the run for that lane."""


@dataclass(slots=True)
class Room:
    """What the lanes of one process may hold beside what they work on, in bytes."""

    most: int = AHEAD_BYTES
    taken: int = 0

    def take(self, size: int) -> bool:
        """Whether there was room for so many bytes, which are then taken."""
        fits = self.taken + size <= self.most
        self.taken += size if fits else 0
        return fits

    def give_back(self, size: int) -> None:
        """So many bytes are no longer held."""
        self.taken -= size


@dataclass(slots=True)
class Fitting:
    """Reads documents by their paths, asking for no more than there is room for by what the last ones have weighed."""

    store: Store
    _count: int = FIRST

    async def get(self, paths: Sequence[str], read_time: Micros | None = None) -> list[Document | Missing]:
        """As `get_some`.

        Raises:
            StoreError: when they cannot be read.
        """
        found = await get_some(self.store, paths, self._count, read_time)
        held = weight(self.store.values, found)
        self._count = max(1, READ_BYTES * len(found) // max(1, held))
        return found


async def get_some(
    store: Store, paths: Sequence[str], first: int = FIRST, read_time: Micros | None = None
) -> list[Document | Missing]:
    """The documents of the first of these paths, at least one: until they have `READ_BYTES`, all read at one time.

    The `first` call says how large they are; of one that comes to more than `STOP_BYTES` the rest is asked for again.

    Raises:
        StoreError: when they cannot be read.
    """
    found: list[Document | Missing] = []
    held = 0
    while len(found) < len(paths) and held < READ_BYTES:
        left = READ_BYTES - held
        count = left * len(found) // max(1, held) if found else first
        more = await store.get(paths[len(found) :][: max(1, count)], read_time=read_time, most=STOP_BYTES)
        found += more
        held += weight(store.values, more)
        read_time = more[0].read_time
    return found


def weight(kit: ValueKit, documents: Iterable[Document | Missing]) -> int:
    """About how many bytes documents have."""
    there = (document for document in documents if isinstance(document, Document))
    return sum(kit.weight(document.fields) for document in there)
