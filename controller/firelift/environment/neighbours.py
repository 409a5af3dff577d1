"""Environments whose states are in buckets, where two of them can be given the same place."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Neighbour:
    """An environment whose state is in a bucket."""

    namespace: str
    name: str
    uid: str
    created: datetime
    bucket: str
    prefix: str
    """As the spec has it: empty for the default."""

    @property
    def place(self) -> str:
        """Where its state is, however that is spelt."""
        prefix = posixpath.normpath(prefix_of(self.namespace, self.name, self.prefix)).lstrip("/")
        return f"gs://{self.bucket}/{prefix}"

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


def prefix_of(namespace: str, name: str, prefix: str) -> str:
    """The folder of an environment's state in its bucket."""
    return prefix or f"{namespace}/{name}"


def elder(uid: str, listed: Iterable[Neighbour]) -> Neighbour | None:
    """Whose state this one would share: the oldest that has it, unless that is this one itself."""
    every = sorted(listed, key=lambda each: (each.created, str(each), each.uid))
    own = next((each for each in every if each.uid == uid), None)
    oldest = next((each for each in every if own is not None and each.place == own.place), own)
    return oldest if oldest is not own else None
