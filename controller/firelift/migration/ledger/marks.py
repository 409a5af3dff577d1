"""A journal's entries with entity markers apart from those with documents: a marker goes back before what it speaks of.

Markers are committed in entries of their own, so that an entry's plain fields tell whether it has any.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from firelift.migration.ledger.journal import Journal
from firelift.migration.readers import EntryImages, JournalReader

WALK = 50
"""Entries without images of one call."""


@dataclass(frozen=True, slots=True)
class JustMarks:
    """The entries of a journal, those of documents without their images. Only backwards, as a revert goes."""

    journal: Journal

    async def entries(self, run: str, lane: int, *, newest_first: bool, start: int | None) -> list[EntryImages]:  # noqa: ARG002 - a revert walks back
        """As `JournalReader.entries`."""
        start = await self.journal.end(run, lane) if start is None else start
        plain = await self.journal.walk_back(run, lane, before=start + 1, limit=WALK)
        found: list[EntryImages] = []
        for each in plain:
            entry = await self.journal.entry(run, lane, each.seq, images=True) if each.marks else None
            found.append(EntryImages(each.seq, each.commit_time, (entry and entry.images) or (), marks=each.marks))
        return found


@dataclass(frozen=True, slots=True)
class WithoutMarks:
    """The entries of a journal, those of markers without their images."""

    journal: JournalReader

    async def entries(self, run: str, lane: int, *, newest_first: bool, start: int | None) -> list[EntryImages]:
        """As `JournalReader.entries`."""
        found = await self.journal.entries(run, lane, newest_first=newest_first, start=start)
        return [replace(each, images=()) if each.marks else each for each in found]
