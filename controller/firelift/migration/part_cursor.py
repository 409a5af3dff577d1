"""Cursors within one source: where a source becomes more documents than a commit can take.

Such a cursor has the one behind the source in it, whatever its reader makes of it, and is put before what follows the
source by that one. No path and no other cursor begins with two slashes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

MARK = "//"


@dataclass(frozen=True, slots=True)
class PartCursor:
    """The cursor behind the first `done` documents of the source at `path`; `behind` is the one behind all of it."""

    done: int
    path: str
    behind: str

    def text(self) -> str:
        """As it stands in the journal."""
        return MARK + json.dumps([self.done, self.path, self.behind], ensure_ascii=False, separators=(",", ":"))


def parse(cursor: str) -> PartCursor | None:
    """The inverse of `PartCursor.text`; None for any other cursor."""
    return PartCursor(*json.loads(cursor[len(MARK) :])) if cursor.startswith(MARK) else None


def whole(cursor: str) -> str:
    """The cursor behind the source that a cursor is in, or any other cursor itself."""
    part = parse(cursor)
    return part.behind if part else cursor


def continues(cursor: str, source: str) -> bool:
    """Whether more documents of this very source lie behind the cursor."""
    part = parse(cursor)
    return part is not None and part.path == source
