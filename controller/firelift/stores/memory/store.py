"""A Firestore in memory: the same values, times, preconditions and order, with faults on demand.

It keeps every version of every document, so that it reads at any time since it began. Its clock is a counter, so a
run of it is the same each time. It is meant for tests of what stands on the `Store` protocol.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from heapq import nsmallest
from typing import TypeAlias

from firelift.migration.errors import Poison
from firelift.migration.path_order import order
from firelift.migration.store import (
    Committed,
    Document,
    FieldPath,
    Fields,
    Micros,
    Missing,
    Page,
    Source,
    Value,
    Write,
)
from firelift.stores.firestore.values import FirestoreValues
from firelift.stores.memory.filters import matcher
from firelift.stores.memory.limits import check_commit
from firelift.stores.memory.masks import select
from firelift.stores.memory.writes import Staged, Version
from firelift.stores.paths import check_document, covers

BIRTH: Micros = 1_700_000_000_000_000
"""The first moment of the clock. Any will do; a recent one reads well in failures."""

PAGE_DOCUMENTS = 5_000
PAGE_BYTES = 2 * 2**20

CommitHook: TypeAlias = Callable[[Sequence[Write]], Awaitable[None]]
AnswerHook: TypeAlias = Callable[[Sequence[Write], Committed], Awaitable[None]]
ReadHook: TypeAlias = Callable[[str], Awaitable[None]]


@dataclass(slots=True)
class Faults:
    """Where a test may wait, count or raise a `StoreError`; each one is None for nothing.

    `before_read` gets the name of the method. What `before_commit` raises means that nothing was written; what
    `after_commit` raises is a lost reply: all was written, and the caller does not know it.
    """

    before_read: ReadHook | None = None
    before_commit: CommitHook | None = None
    after_commit: AnswerHook | None = None


@dataclass(slots=True)
class MemoryStore:
    """The `Store` in memory."""

    faults: Faults = field(default_factory=Faults)
    now: Micros = BIRTH
    _history: dict[str, list[Version]] = field(default_factory=dict)

    @property
    def values(self) -> FirestoreValues:
        """The same kit that Firestore has."""
        return FirestoreValues()

    async def get(
        self,
        paths: Sequence[str],
        *,
        mask: Sequence[FieldPath] | None = None,
        read_time: Micros | None = None,
        most: int | None = None,
    ) -> list[Document | Missing]:
        """One answer per path in the order asked, all read at one time; of the first ones, when they pass `most`."""
        await self._reading("get")
        at = self._read_time(read_time)
        found: list[Document | Missing] = []
        size = 0
        for path in paths:
            found.append(self._read(check_document(path), mask, at))
            size += self._size(found[-1]) if most is not None else 0
            if most is not None and size >= most:
                break
        return found

    async def page(
        self, source: Source, *, limit: int, mask: Sequence[FieldPath] | None = None, read_time: Micros | None = None
    ) -> Page:
        """The first `limit` documents of the source; at most 5,000, or fewer when they pass 2 MiB."""
        await self._reading("page")
        at = self._read_time(read_time)
        limit = min(limit, PAGE_DOCUMENTS)
        paths = nsmallest(limit, self._live(source, at), key=order)
        documents: list[Document] = []
        size = 0
        for path in paths:
            document = self._read(path, mask, at)
            if isinstance(document, Document):
                documents.append(document)
                size += self._size(document)
            if size >= PAGE_BYTES:
                return Page(documents, exhausted=False, size=size)
        return Page(documents, exhausted=len(documents) < limit, size=size)

    @staticmethod
    def _size(document: Document | Missing) -> int:
        return sum(value.ByteSize() for value in document.fields.values()) if isinstance(document, Document) else 0

    async def count(self, source: Source, *, read_time: Micros | None = None) -> int:
        """How many documents the source has."""
        await self._reading("count")
        return sum(1 for _ in self._live(source, self._read_time(read_time)))

    async def split_points(self, source: Source, parts: int) -> list[str]:
        """Exact cuts: the last path of each of `parts` equal shares but the last."""
        await self._reading("split_points")
        paths = sorted(self._live(source, self._read_time(None)), key=order)
        cuts = (len(paths) * part // parts for part in range(1, parts))
        return list(dict.fromkeys(paths[cut - 1] for cut in cuts if cut))

    async def commit(self, writes: Sequence[Write]) -> Committed:
        """All writes or none, in order, at one time."""
        if self.faults.before_commit:
            await self.faults.before_commit(writes)
        committed = self.apply(writes)
        if self.faults.after_commit:
            await self.faults.after_commit(writes, committed)
        return committed

    def apply(self, writes: Sequence[Write]) -> Committed:
        """A commit that meets no fault: for a live writer in a test, or a commit that lands late."""
        check_commit(writes)
        staged = Staged(self._latest, self._tick())
        update_times = [staged.write(write) for write in writes]
        for path, version in staged.versions.items():
            self._history.setdefault(path, []).append(version)
        return Committed(commit_time=staged.at, update_times=update_times)

    async def close(self) -> None:
        """Nothing to release."""

    def history(self, path: str) -> list[Version]:
        """Every version that a document has had, oldest first; deletions have None for fields."""
        return list(self._history.get(path, ()))

    def snapshot(self, read_time: Micros | None = None) -> dict[str, Fields]:
        """All documents by path, for a test that compares the whole database."""
        at = self._read_time(read_time)
        found = ((path, self._read(path, None, at)) for path in self._history)
        return {path: document.fields for path, document in found if isinstance(document, Document)}

    async def _reading(self, call: str) -> None:
        if self.faults.before_read:
            await self.faults.before_read(call)

    def _tick(self) -> Micros:
        self.now += 1
        return self.now

    def _read_time(self, asked: Micros | None) -> Micros:
        # A read takes a moment of its own, so that the next commit is later than everything that was read.
        now = self._tick()
        if asked is not None and asked > now:
            raise Poison("INVALID_ARGUMENT", f"the read time {asked} is in the future: now is {now}")
        return now if asked is None else asked

    def _latest(self, path: str) -> Version | None:
        versions = self._history.get(path)
        return versions[-1] if versions else None

    def _at(self, path: str, at: Micros) -> Version | None:
        versions = self._history.get(path, [])
        position = bisect_right(versions, at, key=lambda version: version.update_time)
        return versions[position - 1] if position else None

    def _live(self, source: Source, at: Micros) -> Iterator[str]:
        matches = matcher(source.where)
        for path in self._history:
            version = self._at(path, at) if covers(source, path) else None
            if version and version.fields is not None and matches(version.fields):
                yield path

    def _read(self, path: str, mask: Sequence[FieldPath] | None, at: Micros) -> Document | Missing:
        version = self._at(path, at)
        if version is None or version.fields is None:
            return Missing(path, at)
        fields: dict[str, Value] = dict(version.fields) if mask is None else select(version.fields, mask)
        return Document(path, fields, version.create_time, version.update_time, at)
