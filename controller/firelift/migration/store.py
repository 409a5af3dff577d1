"""What the data plane asks of a document database, and nothing more.

A `Value` is a database value exactly as stored (for Firestore: the raw protobuf message). The data plane never
looks inside one by itself; it asks the store's `ValueKit`. That keeps every type unharmed, including those that
Firelift has never heard of.

Times are integers: microseconds since the epoch, always the server's, never this machine's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from firelift.migration.structs import struct

Value: TypeAlias = Any
"""A stored value, opaque to the data plane."""

Fields: TypeAlias = Mapping[str, Value]
"""The top level of a document. Keys are field names as stored, with no escaping."""

FieldPath: TypeAlias = tuple[str, ...]
"""Segments from the document's top level to a field in nested maps: ``("address", "street.name")``."""

Micros: TypeAlias = int
"""Microseconds since the epoch, of the database server's clock."""


@struct
class Document:
    """A document as read. `path` is relative to the database: ``users/ada/logs/1``."""

    path: str
    fields: Fields
    create_time: Micros
    update_time: Micros
    read_time: Micros

    @property
    def id(self) -> str:
        """The last segment of the path."""
        return self.path.rpartition("/")[2]


@struct
class Missing:
    """A document that did not exist at `read_time`."""

    path: str
    read_time: Micros


@dataclass(frozen=True, slots=True)
class Filter:
    """A field that equals one of these values, as the database compares: an integer equals a double of its value.

    One value is an equality, several are an IN. The two lead to no other index than a single field has by itself.
    """

    path: FieldPath
    values: Sequence[Value]


MAX_FILTER_VALUES = 30
"""Values of all filters of a source, multiplied. Source: the Firestore page on queries, "limits on OR queries"."""


@dataclass(frozen=True, slots=True)
class Source:
    """A set of documents in the order of their full names.

    `collection` is a path of odd length (``users`` or ``users/ada/logs``), or with `all_descendants` the id of a
    collection group. `start` is exclusive, `end` inclusive; both are document paths, None for open. Of `where` every
    one must hold.
    """

    collection: str
    all_descendants: bool = False
    start: str | None = None
    end: str | None = None
    where: Sequence[Filter] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """Documents in order.

    `exhausted` says that no document of the source lies behind the last one; False says that one may. `size` is about
    how many bytes they have.
    """

    documents: Sequence[Document]
    exhausted: bool
    size: int = 0


@struct
class Create:
    """Write a new document; the commit fails with `AlreadyExists` when there is one."""

    path: str
    fields: Fields


@struct
class Update:
    """Change just the fields in `mask` of an existing document.

    A path in `mask` that `fields` lacks is deleted. With `update_time` the commit fails with `FailedPrecondition`
    when the document has changed or gone since, with None it fails with `NotFound` when there is no document.
    """

    path: str
    fields: Fields
    mask: Sequence[FieldPath]
    update_time: Micros | None


@struct
class Put:
    """Replace or create a document without a precondition. For documents that only Firelift writes."""

    path: str
    fields: Fields


@struct
class Delete:
    """Delete a document; with `update_time` only when it has not changed since."""

    path: str
    update_time: Micros | None = None


@struct
class Verify:
    """Write nothing, but fail the commit unless the document is as it was read.

    `update_time` None demands that there is no such document.
    """

    path: str
    update_time: Micros | None


Write: TypeAlias = Create | Update | Put | Delete | Verify


@dataclass(frozen=True, slots=True)
class Committed:
    """The answer of a commit. `update_times[i]` belongs to write i; 0 for a delete.

    A write that changed nothing, and a `Verify`, answer an older time than `commit_time`; a verified absence 0.
    """

    commit_time: Micros
    update_times: Sequence[Micros] = field(default=())


class ValueKit(Protocol):
    """What can be done with opaque values. Every Store has one; it is pure and does no I/O."""

    def encode(self, plain: object) -> Value:
        """A stored value for None, bool, int, float, str, bytes, datetime, list, tuple, Mapping; a Value stays itself.

        Raises:
            TypeError: for any other type, naming it.
            ValueError: for an integer beyond 64 bits, a time without a zone, or text that is not valid Unicode.
        """

    def decode(self, value: Value) -> Any:
        """The plain Python value.

        A timestamp becomes an aware datetime (microseconds), a reference its path relative to the database as
        `str`, a geo point ``{"latitude": float, "longitude": float}``, a vector a list of floats.
        """

    def is_map(self, value: Value) -> bool:
        """True for a map. A vector is not a map."""

    def entries(self, value: Value) -> Fields:
        """The entries of a map; an empty mapping for anything else."""

    def new_map(self, entries: Mapping[str, Value]) -> Value:
        """A map of stored values, copied."""

    def is_list(self, value: Value) -> bool:
        """True for a list. A vector is not a list."""

    def items(self, value: Value) -> Sequence[Value]:
        """The items of a list; empty for anything else."""

    def new_list(self, items: Sequence[Value]) -> Value:
        """A list of stored values, copied."""

    def dumps(self, value: Value) -> bytes:
        """The value as bytes; equal values (map order aside) give equal bytes."""

    def loads(self, data: bytes) -> Value:
        """The inverse of `dumps`."""

    def same(self, one: Fields, other: Fields) -> bool:
        """Whether two documents have the same fields, of the same types and contents: quick where they are as read."""

    def whole(self, fields: Fields) -> Fields:
        """The same fields as they are now: quick to dump, to measure and to write all together."""

    def dumped(self, fields: Fields) -> Mapping[str, bytes]:
        """`dumps` of each field: quick for those that are `whole`."""

    def weight(self, fields: Fields) -> int:
        """About how many bytes fields have on the wire, for limits of commits: quick for those that are `whole`."""

    def size(self, value: Value) -> int:
        """Bytes on the wire, for limits of documents and commits."""

    def sizes(self, values: Iterable[Value]) -> int:
        """The sum of `size`, for less than that many calls."""


class Store(Protocol):
    """A document database. Every method raises `StoreError` and nothing else."""

    @property
    def values(self) -> ValueKit:
        """The kit for this store's values."""

    async def get(
        self,
        paths: Sequence[str],
        *,
        mask: Sequence[FieldPath] | None = None,
        read_time: Micros | None = None,
        most: int | None = None,
    ) -> list[Document | Missing]:
        """One answer per path in the order asked, all read at one time.

        With `most` bytes of documents it is enough: the answers of the first of these paths, at least one.
        """

    async def page(
        self, source: Source, *, limit: int, mask: Sequence[FieldPath] | None = None, read_time: Micros | None = None
    ) -> Page:
        """The first `limit` documents of the source, or fewer when they grow large. `mask` () reads names only."""

    async def count(self, source: Source, *, read_time: Micros | None = None) -> int:
        """How many documents the source has."""

    async def split_points(self, source: Source, parts: int) -> list[str]:
        """At most `parts` - 1 document paths in order that cut the source into ranges of similar size."""

    async def commit(self, writes: Sequence[Write]) -> Committed:
        """All writes or none, in order, at one time. Never retried here: the caller owns unknown outcomes."""

    async def close(self) -> None:
        """Release connections. Nothing may be in flight."""
