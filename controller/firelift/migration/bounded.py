"""Reading documents by their paths without knowing how large they are: as many as memory has room for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from firelift.migration.store import Document, Missing, Store, ValueKit

READ_BYTES = 2 * 2**20
"""Of one reading, about: as much as a page of a query has."""

FIRST = 8
"""Documents of the first call, which says how large they are. Each may have 1 MiB."""


AHEAD_BYTES = 4 * 2**20
"""Of a process, read ahead by all its lanes: pages of ordinary documents, and not those of documents of 1 MiB."""


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
    """Reads documents by their paths, as many as there is room for by what the last ones have weighed."""

    store: Store
    _count: int = FIRST

    async def get(self, paths: Sequence[str]) -> list[Document | Missing]:
        """The documents of the first of these paths, at least one.

        Raises:
            StoreError: when they cannot be read.
        """
        found = await get_some(self.store, paths, first=self._count)
        held = weight(self.store.values, found)
        self._count = max(1, READ_BYTES * len(found) // max(1, held))
        return found


async def get_some(
    store: Store, paths: Sequence[str], most: int = READ_BYTES, first: int = FIRST
) -> list[Document | Missing]:
    """The documents of the first of these paths, at least one: until they have `most` bytes.

    The `first` call says how large they are.

    Raises:
        StoreError: when they cannot be read.
    """
    found: list[Document | Missing] = []
    held = 0
    while len(found) < len(paths) and held < most:
        count = (most - held) * len(found) // max(1, held) if found else first
        more = await store.get(paths[len(found) :][: max(1, count)])
        found += more
        held += weight(store.values, more)
    return found


def weight(kit: ValueKit, documents: Iterable[Document | Missing]) -> int:
    """About how many bytes documents have."""
    there = (document for document in documents if isinstance(document, Document))
    return sum(kit.sizes(document.fields.values()) for document in there)
