"""Before-images: what a journal entry keeps of each document that its commit changed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import field
from enum import StrEnum

from firelift.migration.store import FieldPath, Micros, Value, ValueKit
from firelift.migration.structs import struct


class Operation(StrEnum):
    """What the commit did to the document."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"

    __hash__ = str.__hash__  # an Enum's own is a call of Python's, for each image that is packed


@struct
class Image:
    """One document that a commit changed.

    `before` has every touched path with the value it had, None where there was none; for a delete the whole document by
    its top-level fields, for a create nothing. `after` has the `value_hash` of what each touched path became, None
    where it was removed; of a map that is new it also has the leaves, unless they are many. `create_time` and
    `update_time` are the document's before the commit, 0 for a create; where a revert has made a document again,
    `create_time` is that of the one which had been deleted. `source` is the document it was derived from when that is
    another one. `dumped` has the values of `before` as bytes, of an image whose maker has needed them; else None.
    """

    path: str
    operation: Operation
    source: str | None
    create_time: Micros
    update_time: Micros
    before: Mapping[FieldPath, Value | None]
    after: Mapping[FieldPath, bytes | None]
    dumped: Sequence[bytes | None] | None = field(default=None, compare=False, repr=False)

    def weight(self, kit: ValueKit) -> int:
        """About how many bytes its values have."""
        if self.dumped is not None:
            return sum([len(data) for data in self.dumped if data is not None])
        return kit.sizes([value for value in self.before.values() if value is not None])

    def values(self, kit: ValueKit) -> Sequence[bytes | None]:
        """The values of `before` as bytes, in its order."""
        if self.dumped is not None:
            return self.dumped
        return [None if value is None else kit.dumps(value) for value in self.before.values()]


HASH_BYTES = 16


def value_hash(kit: ValueKit, value: Value) -> bytes:
    """What stands for a value, equal for equal values: its own bytes where they are fewer than a hash has."""
    return hash_of(kit.dumps(value))


def hash_of(data: bytes) -> bytes:
    """`value_hash` of a value that was dumped."""
    return data if len(data) < HASH_BYTES else hashlib.blake2b(data, digest_size=HASH_BYTES).digest()
