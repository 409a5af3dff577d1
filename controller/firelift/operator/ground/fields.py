"""What documents hold in the field that a new TTL would watch."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from firelift.environment.observation import FieldSeen, FieldWanted
from firelift.environment.ttl_safety import TIMESTAMP
from firelift.migration.errors import StoreError
from firelift.migration.store import Document, Source, Store

PAGE = 2_000
MOST = 20_000
"""Documents that are looked at: a look costs as many reads."""

_EXAMPLES = 3
_NAMES = {
    bool: "boolean",
    bytes: "bytes",
    datetime: TIMESTAMP,
    dict: "map",
    float: "double",
    int: "integer",
    list: "array",
    str: "string",
    type(None): "null",
}


async def look(store: Store, wanted: FieldWanted, now: datetime, *, seconds: float) -> FieldSeen:
    """Look at the documents of a collection group, at most 20,000 of them and for at most `seconds`."""
    tally = _Tally(tuple(wanted.path.split(".")), now)
    try:
        async with asyncio.timeout(seconds):
            await _walk(store, wanted.collection, tally)
    except TimeoutError:
        return tally.seen(sampled=True) if tally.read else FieldSeen(error=f"no answer within {seconds:g} s")
    except StoreError as error:
        return FieldSeen(error=str(error))
    return tally.seen(sampled=not tally.exhausted)


class _Tally:
    def __init__(self, path: tuple[str, ...], now: datetime) -> None:
        self.path = path
        self.read = 0
        self.exhausted = False
        self._now = now
        self._types: Counter[str] = Counter()
        self._expired = 0
        self._examples: list[str] = []

    def add(self, document: Document, store: Store) -> None:
        self.read += 1
        value: Any = None
        kit, fields = store.values, document.fields
        for place, segment in enumerate(self.path):
            if segment not in fields:
                return
            value = fields[segment]
            if place < len(self.path) - 1:
                fields = kit.entries(value)
        plain = kit.decode(value)
        name = _NAMES.get(type(plain), type(plain).__name__)
        self._types[name] += 1
        if name != TIMESTAMP:
            self._examples = [*self._examples, document.path][:_EXAMPLES]
        elif plain.astimezone(UTC) <= self._now:
            self._expired += 1

    def seen(self, *, sampled: bool) -> FieldSeen:
        return FieldSeen(dict(self._types), self._expired, sampled=sampled, examples=tuple(self._examples))


async def _walk(store: Store, collection: str, tally: _Tally) -> None:
    start: str | None = None
    while tally.read < MOST:
        source = Source(collection, all_descendants=True, start=start)
        page = await store.page(source, limit=PAGE, mask=[tally.path])
        for document in page.documents:
            tally.add(document, store)
        if page.exhausted or not page.documents:
            tally.exhausted = True
            return
        start = page.documents[-1].path
