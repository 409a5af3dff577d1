"""What Firestore does and its emulator does not: limits, a ramp, contention, cut streams, indexes that are not ready.

Numbers are from the Firestore quotas and best-practices pages; a test makes them small.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import grpc

from firelift.migration.store import Create, Put, Update, Value, Verify, Write
from firelift.stores.firestore.values import FirestoreValues

Code = grpc.StatusCode
KIT = FirestoreValues()

REQUEST_BYTES = 10 * 2**20
INDEX_ENTRIES = 40_000
STREAM_SECONDS = 60.0
RAMP_WRITES, RAMP_GROWTH, RAMP_SECONDS = 500, 1.5, 300.0


class Refused(Exception):
    """A call that ends with a code and a text, which are Firestore's own."""

    def __init__(self, code: Code, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


@dataclass
class Ramp:
    """500 writes a second at first, half as many again every five minutes: what comes faster is refused."""

    writes_per_second: int = RAMP_WRITES
    growth: float = RAMP_GROWTH
    seconds: float = RAMP_SECONDS
    clock: Callable[[], float] = time.monotonic
    _began: float | None = None
    _last: deque[tuple[float, int]] = field(default_factory=deque)

    @property
    def allowed(self) -> float:
        """Writes per second now."""
        since = self.clock() - (self.clock() if self._began is None else self._began)
        return self.writes_per_second * float(self.growth ** (since // self.seconds))

    def take(self, writes: int) -> None:
        """Take so many writes of the last second's budget, or be refused and take none."""
        now = self.clock()
        self._began = now if self._began is None else self._began
        while self._last and self._last[0][0] <= now - 1:
            self._last.popleft()
        if sum(count for _, count in self._last) + writes > self.allowed:
            raise Refused(Code.RESOURCE_EXHAUSTED, "Bandwidth exhausted or the ramp up limit for writes was exceeded.")
        self._last.append((now, writes))


@dataclass
class Rules:
    """What the fake enforces; None is no such rule.

    `most_writes` is the limit that Firestore long had. `exempt` names collection groups whose fields have no index.
    `contention_seconds`: a document that was written a shorter time ago is contended. `cut_after` documents or
    `stream_seconds` end a stream, whose answers take `answer_seconds` each. `building` names collections whose index is
    not ready. `page` cursors are on a page of PartitionQuery, and a partition has `partition` documents at least.
    """

    request_bytes: int = REQUEST_BYTES
    most_writes: int | None = 500
    index_entries: int = INDEX_ENTRIES
    exempt: frozenset[str] = frozenset()
    ramp: Ramp | None = None
    contention_seconds: float = 0.0
    cut_after: int | None = None
    stream_seconds: float = STREAM_SECONDS
    answer_seconds: float = 0.0
    building: frozenset[str] = frozenset()
    page: int = 3
    partition: int = 128
    clock: Callable[[], float] = time.monotonic
    refused: list[Code] = field(default_factory=list)
    _written: dict[str, float] = field(default_factory=dict)

    def admit(self, size: int, writes: Sequence[Write]) -> None:
        """Refuse a commit of `size` bytes that Firestore would refuse before it looks at documents."""
        if size > self.request_bytes:
            text = f"Request payload size exceeds the limit: {self.request_bytes} bytes."
            raise Refused(Code.INVALID_ARGUMENT, text)
        if self.most_writes is not None and len(writes) > self.most_writes:
            raise Refused(Code.INVALID_ARGUMENT, f"maximum {self.most_writes} writes allowed per request")
        for write in writes:
            self._indexed(write)
        changing = [write.path for write in writes if not isinstance(write, Verify)]
        self._contended(changing)
        if self.ramp:
            self.ramp.take(len(changing))

    def applied(self, writes: Iterable[Write]) -> None:
        """These writes were committed now."""
        now = self.clock()
        self._written.update((write.path, now) for write in writes if not isinstance(write, Verify))

    def readable(self, collection: str) -> None:
        """Refuse a query whose index is not ready."""
        if collection in self.building:
            raise Refused(Code.FAILED_PRECONDITION, "The query requires an index. That index is currently building.")

    def _contended(self, paths: Iterable[str]) -> None:
        since = self.clock() - self.contention_seconds
        if any(self._written.get(path, since) > since for path in paths):
            raise Refused(Code.ABORTED, "Too much contention on these documents. Please try again.")

    def _indexed(self, write: Write) -> None:
        if isinstance(write, Create | Put | Update) and write.path.split("/")[-2] not in self.exempt:
            entries = sum(_entries(value) for value in write.fields.values())
            if entries > self.index_entries:
                raise Refused(Code.INVALID_ARGUMENT, f"too many index entries for entity /{write.path}")


def _entries(value: Value) -> int:
    """Of the automatic single-field indexes: ascending, descending, and one for each element of an array."""
    if KIT.is_list(value):
        return 2 + len(KIT.items(value))
    return 2 + sum(_entries(each) for each in KIT.entries(value).values())
