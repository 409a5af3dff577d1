"""The cursor of a lane that reads several entities side by side."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from firelift.migration.entities.order import Cursor, Place, place
from firelift.migration.entities.order import parse as parse_in_order
from firelift.migration.path_order import order


@dataclass(frozen=True, slots=True)
class OpenCursor:
    """All entities up to `last` are read but those in `open`, each of which is read up to its path (None: not yet)."""

    last: str
    open: Mapping[str, str | None]

    def text(self) -> str:
        """As it stands in the journal."""
        return json.dumps({"last": self.last, "open": self.open}, ensure_ascii=False, separators=(",", ":"))

    def before(self, seed: str, at: Place, path: str) -> bool:
        """Whether a record of the entity that stands there lies behind the position."""
        if at > place(seed, self.last):
            return True
        read = next((read for entity, read in self.open.items() if place(seed, entity) == at), path)
        return read is None or order(read) < order(path)

    def within(self, seed: str, at: Place) -> bool:
        """Whether records of the entity that stands there can follow the position."""
        return at > place(seed, self.last) or any(place(seed, entity) == at for entity in self.open)


def is_open(text: str | None) -> bool:
    """Whether the text is that of an `OpenCursor`."""
    return bool(text) and str(text).startswith("{")


def parse(text: str) -> Cursor | OpenCursor:
    """The inverse of either cursor's text."""
    return OpenCursor(**json.loads(text)) if is_open(text) else parse_in_order(text)
