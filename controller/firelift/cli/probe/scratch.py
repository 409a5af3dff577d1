"""A collection of the probe's own, and what it leaves behind: nothing."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from firelift.migration.store import Committed, Create, Delete, Document, Put, Source, Write
from firelift.stores.firestore.names import DatabaseName
from firelift.stores.firestore.store import FirestoreStore
from firelift.stores.firestore.transport import Transport

PREFIX = "firelift_probe_"
DELETED_AT_ONCE = 300


def _name() -> str:
    return PREFIX + secrets.token_hex(6)


@dataclass(slots=True)
class Scratch:
    """A collection whose name nobody else has; each check writes below a document of its own."""

    name: DatabaseName
    transport: Transport
    store: FirestoreStore
    collection: str = field(default_factory=_name)
    _written: dict[str, None] = field(default_factory=dict)

    def path(self, check: str, document: object) -> str:
        """A document of a check: its collection group is the scratch collection's name, too."""
        return f"{self.collection}/{check}/{self.collection}/{document}"

    def create(self, check: str, document: object, **fields: Any) -> Create:
        """A write that makes such a document from plain values."""
        encode = self.store.values.encode
        return Create(self.path(check, document), {name: encode(value) for name, value in fields.items()})

    async def commit(self, *writes: Write) -> Committed:
        """Commit, and remember what has to be deleted again, whatever comes of it."""
        self._written.update((write.path, None) for write in writes if isinstance(write, Create | Put))
        return await self.store.commit(writes)

    async def read(self, check: str, document: object, read_time: int | None = None) -> Document | None:
        """A document, None when it is missing."""
        (found,) = await self.store.get([self.path(check, document)], read_time=read_time)
        return found if isinstance(found, Document) else None

    def source(self, check: str) -> Source:
        """All documents of a check."""
        return Source(f"{self.collection}/{check}/{self.collection}")

    async def clean(self) -> int:
        """Delete everything that was written; how many documents are left, 0 when all went well."""
        paths = list(self._written)
        for at in range(0, len(paths), DELETED_AT_ONCE):
            await self.store.commit([Delete(path) for path in paths[at : at + DELETED_AT_ONCE]])
        return await self.store.count(Source(self.collection, all_descendants=True))


def chunks(writes: Sequence[Write], size: int) -> list[Sequence[Write]]:
    """The writes in commits of so many."""
    return [writes[at : at + size] for at in range(0, len(writes), size)]
