"""How Firestore spells documents and fields on the wire."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from firelift.migration.store import FieldPath
from firelift.stores.firestore.proto import DocumentMask, Message

SIMPLE_NAME = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")
NEEDS_BACKSLASH = re.compile(r"([\\`])")


@dataclass(frozen=True, slots=True)
class DatabaseName:
    """One database, and the full names of what is in it."""

    project: str
    database: str = "(default)"

    @property
    def full(self) -> str:
        """``projects/P/databases/D``."""
        return f"projects/{self.project}/databases/{self.database}"

    @property
    def root(self) -> str:
        """The parent of top-level collections."""
        return f"{self.full}/documents"

    def document(self, path: str) -> str:
        """The full name of the document at a relative path."""
        return f"{self.root}/{path}"

    def path(self, name: str) -> str:
        """The relative path of a document's full name."""
        # No project and no database has a slash in its name.
        return name.partition("/documents/")[2]

    def parent(self, collection: str) -> tuple[str, str]:
        """The full name of what holds a collection, and the collection's own id."""
        above, _, collection_id = collection.rpartition("/")
        return (self.document(above) if above else self.root), collection_id


def escape(path: FieldPath) -> str:
    """A field path as masks and projections spell it: simple names joined by dots, all others in backticks."""
    return ".".join(_escape_name(name) for name in path)


def mask_of(paths: Iterable[FieldPath]) -> Message:
    """A mask message, not to be changed; one without paths is still set, which is "no field" and not "all fields"."""
    return _mask(tuple(paths))


@lru_cache(maxsize=1_000)
def _mask(paths: tuple[FieldPath, ...]) -> Message:
    # A migration writes the same few masks a million times.
    return DocumentMask(field_paths=[escape(path) for path in paths])


def _escape_name(name: str) -> str:
    if SIMPLE_NAME.fullmatch(name):
        return name
    return "`" + NEEDS_BACKSLASH.sub(r"\\\1", name) + "`"
