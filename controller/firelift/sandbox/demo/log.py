"""What the app was told is written, in the order in which it was told: the other half of every check."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

import click

Change = dict[str, Any]


class WriteLog:
    """One line of JSON for each acknowledged write. Values are text, integers and booleans: JSON keeps them."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def record(self, path: str, change: Change | None) -> None:
        """The document has these fields changed (None: it is deleted)."""
        self._file.write(json.dumps({"path": path, "change": change}) + "\n")
        self._file.flush()


def read(file: Path) -> dict[str, list[Change | None]]:
    """All changes by path, oldest first."""
    changes: dict[str, list[Change | None]] = defaultdict(list)
    for entry in _lines(file):
        changes[entry["path"]].append(entry["change"])
    return dict(changes)


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    with click.open_file(str(file)) as opened:
        yield from map(json.loads, opened)
