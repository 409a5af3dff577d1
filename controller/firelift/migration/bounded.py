"""Reading documents by their paths without knowing how large they are: as many as memory has room for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from firelift.migration.store import Document, Missing, Store, ValueKit

READ_BYTES = 2 * 2**20
"""Of one reading, about: as much as a page of a query has."""

FIRST = 8
"""Documents of the first call, which says how large they are. Each may have 1 MiB."""


async def get_some(store: Store, paths: Sequence[str], most: int = READ_BYTES) -> list[Document | Missing]:
    """The documents of the first of these paths, at least one: until they have `most` bytes.

    Raises:
        StoreError: when they cannot be read.
    """
    found: list[Document | Missing] = []
    held = 0
    while len(found) < len(paths) and held < most:
        count = (most - held) * len(found) // max(1, held) if found else FIRST
        more = await store.get(paths[len(found) :][: max(1, count)])
        found += more
        held += weight(store.values, more)
    return found


def weight(kit: ValueKit, documents: Iterable[Document | Missing]) -> int:
    """About how many bytes documents have."""
    there = (document for document in documents if isinstance(document, Document))
    return sum(kit.sizes(document.fields.values()) for document in there)
