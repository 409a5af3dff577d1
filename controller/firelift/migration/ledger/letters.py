"""The dead letters of earlier runs: found again in the order of their records, and closed by the run that retries them.

A letter is open until a later run has taken its record up. What cannot move then either has a letter of that run, so
that each record has one open letter at most.
"""

from __future__ import annotations

import heapq
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from firelift.migration.ledger import paths
from firelift.migration.path_order import order
from firelift.migration.store import FieldPath, Source, Store

PAGE = 1_000
CLOSED_BY = "closedByRun"
MASK: Sequence[FieldPath] = (("path",), (CLOSED_BY,))


@dataclass(frozen=True, slots=True)
class Letter:
    """The open letters of one record, by their own paths."""

    record: str
    letters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Letters:
    """The dead letters that some runs have left."""

    store: Store
    ledger: str
    runs: Sequence[str]

    async def count(self) -> int:
        """How many there are, open or not.

        Raises:
            StoreError: when the ledger cannot be read.
        """
        return sum([await self.store.count(self._source(run)) for run in self.runs])

    async def records(self, *, closer: str = "") -> frozenset[str]:
        """The records that have an open letter, or one that the run `closer` has closed.

        Raises:
            StoreError: when the ledger cannot be read.
        """
        return frozenset([record async for record, _ in self._open(closer)])

    async def after(self, record: str | None, limit: int) -> list[Letter]:
        """The first `limit` records with an open letter behind this one, in the order of their paths.

        Raises:
            StoreError: when the ledger cannot be read.
        """
        found: dict[str, tuple[str, ...]] = {}
        async for each, letter in self._open():
            if record is None or order(each) > order(record):
                found[each] = (*found.get(each, ()), letter)
            if len(found) > 2 * limit:
                found = {each: found[each] for each in heapq.nsmallest(limit, found, key=order)}
        return [Letter(each, found[each]) for each in heapq.nsmallest(limit, found, key=order)]

    async def _open(self, closer: str = "") -> AsyncIterator[tuple[str, str]]:
        """The record and the path of each letter that is open, or that the run `closer` has closed."""
        for run in self.runs:
            after, exhausted = "", False
            while not exhausted:
                page = await self.store.page(self._source(run, after), limit=PAGE, mask=MASK)
                for letter in page.documents:
                    by = letter.fields.get(CLOSED_BY)
                    if by is None or (closer and self.store.values.decode(by) == closer):
                        yield self.store.values.decode(letter.fields["path"]), letter.path
                exhausted = page.exhausted
                after = page.documents[-1].path if page.documents else after

    def _source(self, run: str, after: str = "") -> Source:
        collection = paths.collection(self.ledger, paths.DEAD_LETTERS)
        # The names of a run's letters go on with a digest in lower hexadecimal digits.
        return Source(collection, start=after or f"{collection}/{run}.", end=f"{collection}/{run}.g")
