"""What is kept of the documents of a group while they are read: sums and the like, and not the documents."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from firelift.migration.aggregate.operations import Fold
from firelift.migration.refusal import Refused
from firelift.migration.store import Document, Micros, ValueKit, Verify

MOST_GUARDS = 400
"""Documents of one group that its Commit verifies; 500 writes are all that it may have."""

DIGEST_BYTES = 12
GROUP_BYTES, FOLD_BYTES, GUARD_BYTES = 700, 250, 190
"""What each of them takes in this process, roughly: its growth over 20,000 of each, with Python 3.11."""

DOCUMENT_BYTES, FIELD_BYTES = 300, 250
"""Of a document that was read, besides the bytes of its values on the wire: measured likewise, with upb."""


@dataclass(slots=True)
class Ranked:
    """The first or the last value by an order, of equals the one that was read first or last."""

    last: bool
    place: Any = None
    value: Any = None
    found: bool = False

    def add(self, place: Any, value: Any) -> None:
        """Take in the next value.

        Raises:
            TypeError: when two places have no order.
        """
        if not self.found or (place >= self.place if self.last else place < self.place):
            self.place, self.value, self.found = place, value, True


@dataclass(slots=True)
class Members:
    """The documents of a group, taken in one after the other in the order of their paths.

    `results` has one fold for each field of `set`; `documents` are kept for a function only. `broken` is why the group
    has no result.
    """

    results: Sequence[Fold | Ranked] = ()
    count: int = 0
    newest: Micros = 0
    read_time: Micros = 0
    versions: int = 0
    guards: list[Verify] = field(default_factory=list)
    documents: list[Document] = field(default_factory=list)
    broken: Refused | None = None

    def add(self, document: Document) -> int:
        """Count it, and answer how many bytes more are held for it."""
        self.count += 1
        self.newest = max(self.newest, document.update_time)
        self.read_time = max(self.read_time, document.read_time)
        self.versions += _version(document)
        if self.count > MOST_GUARDS:
            freed, self.guards = len(self.guards), []
            return -freed * GUARD_BYTES
        self.guards.append(Verify(document.path, document.update_time))
        return GUARD_BYTES

    def keep(self, kit: ValueKit, document: Document) -> int:
        """Keep the document itself, and answer how many bytes that takes."""
        self.documents.append(document)
        return DOCUMENT_BYTES + FIELD_BYTES * len(document.fields) + kit.sizes(document.fields.values())

    def fingerprint(self) -> str:
        """Of the versions of all documents: the same for the same ones, in whatever order they were read."""
        return f"{self.versions % (1 << 8 * DIGEST_BYTES):0{2 * DIGEST_BYTES}x}"


def _version(document: Document) -> int:
    text = f"{document.path}\0{document.create_time}\0{document.update_time}"
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=DIGEST_BYTES).digest(), "big")
