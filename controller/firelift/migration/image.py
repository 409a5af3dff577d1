"""Before-images: what a journal entry keeps of each document that its commit changed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from firelift.migration.store import FieldPath, Micros, Value, ValueKit


class Operation(StrEnum):
    """What the commit did to the document."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Image:
    """One document that a commit changed.

    `before` has every touched path with the value it had, None where there was none; for a delete the whole document by
    its top-level fields, for a create nothing. `after` has the hash of each touched path's new value, None where it was
    removed; of a map that is new it also has the leaves, unless they are many. `create_time` and `update_time` are the
    document's before the commit, 0 for a create. `source` is the document it was derived from when that is another one.
    """

    path: str
    operation: Operation
    source: str | None
    create_time: Micros
    update_time: Micros
    before: Mapping[FieldPath, Value | None]
    after: Mapping[FieldPath, bytes | None]


def value_hash(kit: ValueKit, value: Value) -> bytes:
    """16 bytes that stand for a value; equal for equal values."""
    return hashlib.blake2b(kit.dumps(value), digest_size=16).digest()
