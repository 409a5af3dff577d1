"""A store that counts the documents which it answers, as a bill would."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from firelift.migration.store import Committed, Document, FieldPath, Micros, Missing, Page, Source, Store, Write


class CountingStore:
    """Passes everything on.

    `queried` counts the documents of pages by collection and kind of page, `got` point reads by collection group.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.queries = 0
        self.queried: Counter[tuple[str, str]] = Counter()
        self.got: Counter[str] = Counter()

    @property
    def values(self) -> Any:
        return self.store.values

    async def get(
        self,
        paths: Sequence[str],
        *,
        mask: Sequence[FieldPath] | None = None,
        read_time: Micros | None = None,
        most: int | None = None,
    ) -> list[Document | Missing]:
        self.got.update(path.split("/")[-2] for path in paths)
        return await self.store.get(paths, mask=mask, read_time=read_time, most=most)

    async def page(
        self, source: Source, *, limit: int, mask: Sequence[FieldPath] | None = None, read_time: Micros | None = None
    ) -> Page:
        page = await self.store.page(source, limit=limit, mask=mask, read_time=read_time)
        kind = "names" if mask == () else "filtered" if source.where else "scanned"
        self.queried[source.collection, kind] += len(page.documents)
        self.queries += 1
        return page

    async def count(self, source: Source, *, read_time: Micros | None = None) -> int:
        return await self.store.count(source, read_time=read_time)

    async def split_points(self, source: Source, parts: int) -> list[str]:
        return await self.store.split_points(source, parts)

    async def commit(self, writes: Sequence[Write]) -> Committed:
        return await self.store.commit(writes)

    async def close(self) -> None:
        await self.store.close()
