"""Document paths: their rules, and which of them a source covers."""

from __future__ import annotations

import re

from firelift.migration.errors import Poison
from firelift.migration.path_order import NUMERIC_ID, PLAIN, order
from firelift.migration.store import Source

MAX_ID_BYTES = 1_500
"""Of one segment. Source: the Firestore quotas page, "document ID"."""


RESERVED = re.compile(r"__.*__", re.DOTALL)


def is_reserved(name: str) -> bool:
    """Whether a collection, document or field name has the form ``__name__``, which Firestore keeps for itself."""
    return RESERVED.fullmatch(name) is not None


def segment_fault(segment: str) -> str | None:
    """Why Firestore refuses this collection or document id, None when it is fine."""
    if not segment:
        return "it is empty"
    if segment in {".", ".."}:
        return f"{segment!r} is reserved"
    if "/" in segment:
        return f"{segment!r} holds a slash"
    if is_reserved(segment) and not NUMERIC_ID.fullmatch(segment):
        return f"{segment!r} is reserved: it has the form __name__"
    size = len(segment.encode(errors="surrogatepass"))
    if size > MAX_ID_BYTES:
        return f"it has {size} bytes, more than {MAX_ID_BYTES}"
    return None


def check_document(path: str) -> str:
    """The path itself when it can name a document.

    Raises:
        Poison: naming the segment and what is wrong with it.
    """
    if PLAIN.fullmatch(path):
        return path
    segments = path.split("/")
    if len(segments) % 2:
        raise Poison("INVALID_ARGUMENT", f"{path!r} names a collection: a document path has an even number of segments")
    for position, segment in enumerate(segments, start=1):
        fault = segment_fault(segment)
        if fault:
            raise Poison("INVALID_ARGUMENT", f"segment {position} of the document path {path!r}: {fault}")
    return path


def covers(source: Source, path: str) -> bool:
    """Whether a document belongs to a source, its range included."""
    collection = path.rpartition("/")[0]
    inside = collection.rpartition("/")[2] if source.all_descendants else collection
    if inside != source.collection:
        return False
    position = order(path)
    after_start = source.start is None or order(source.start) < position
    return after_start and (source.end is None or position <= order(source.end))
