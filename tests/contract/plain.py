"""Documents in plain Python, for tests that are not about values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from firelift.migration.store import Document, Micros, Missing, Put, Source, Store, Value


def stored(store: Store, fields: Mapping[str, object]) -> dict[str, Value]:
    """Fields to write."""
    return {name: store.values.encode(value) for name, value in fields.items()}


def plain(store: Store, document: Document | Missing) -> dict[str, Any] | None:
    """What a document holds; None when it is missing."""
    if isinstance(document, Missing):
        return None
    return {name: store.values.decode(value) for name, value in document.fields.items()}


async def seed(store: Store, *paths: str, fields: Mapping[str, object] | None = None) -> Micros:
    """Write documents in one commit and answer its time."""
    committed = await store.commit([Put(path, stored(store, fields or {"n": 1})) for path in paths])
    return committed.commit_time


async def read(store: Store, path: str, read_time: Micros | None = None) -> dict[str, Any] | None:
    """One document."""
    [document] = await store.get([path], read_time=read_time)
    return plain(store, document)


async def found(store: Store, path: str) -> Document:
    """One document that is there."""
    [document] = await store.get([path])
    assert isinstance(document, Document), f"{path} is missing"
    return document


async def paths(store: Store, source: Source, limit: int = 100) -> list[str]:
    """The paths of a source's first page."""
    return [document.path for document in (await store.page(source, limit=limit, mask=())).documents]
