"""Dead letters of earlier runs, taken up again: their records as they are now, decided like any other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from firelift.api.run import Totals
from firelift.migration.bounded import get_some
from firelift.migration.ledger.letters import Letter, Letters
from firelift.migration.path_order import order
from firelift.migration.store import Store
from firelift.migration.work import Batch, Change, Processor, Reader, Record

WINDOW = 5_000
"""Letters that are kept in order at once; they lie in no order, so that each window reads them all."""

LIMIT = 500
"""Records of one batch."""


@dataclass(frozen=True, slots=True)
class LetterRecord:
    """The payload of a record that has dead letters: its document as it is now, or `parts.Part` of what it leads to."""

    letters: tuple[str, ...]
    source: Any


@dataclass(slots=True)
class LetterReader:
    """The records with an open letter, in the order of their paths. The cursor is the record's path."""

    store: Store
    letters: Letters
    _window: list[Letter] = field(default_factory=list, init=False)

    async def read(self, after: str | None) -> Batch:
        """The next records as they are now."""
        behind = [letter for letter in self._window if after is None or order(letter.record) > order(after)]
        self._window = behind or await self.letters.after(after, WINDOW)
        chosen, self._window = self._window[:LIMIT], self._window[LIMIT:]
        sources = await get_some(self.store, [letter.record for letter in chosen])
        chosen, self._window = chosen[: len(sources)], [*chosen[len(sources) :], *self._window]
        records = [
            Record(letter.record, LetterRecord(letter.letters, source))
            for letter, source in zip(chosen, sources, strict=True)
        ]
        return Batch(records, chosen[-1].record if chosen else after or "", not chosen, scanned=len(records))


@dataclass(frozen=True, slots=True)
class Retry:
    """The processor. `inner` decides; each decision closes the letters that its record had before."""

    inner: Processor

    async def prepare(self, records: Sequence[Record], *, again: bool) -> list[Change]:
        """One change per record."""
        found: list[LetterRecord] = [record.payload for record in records]
        sources = [Record(record.cursor, each.source) for record, each in zip(records, found, strict=True)]
        changes = await self.inner.prepare(sources, again=again)
        return [_closing(change, each.letters) for change, each in zip(changes, found, strict=True)]


@dataclass(frozen=True, slots=True)
class CloseLetters:
    """The processor where all groups were computed anew: what is still wrong with one has a letter of this run."""

    async def prepare(self, records: Sequence[Record], *, again: bool) -> list[Change]:  # noqa: ARG002 - nothing is decided
        """One change per record."""
        found: list[LetterRecord] = [record.payload for record in records]
        return [_closing(Change(Totals()), each.letters) for each in found]


@dataclass(slots=True)
class WithoutLetters:
    """A scan that leaves out the records with dead letters that another lane of the run takes up, or has taken up."""

    scan: Reader
    letters: Letters
    run: str
    _left_out: frozenset[str] | None = field(default=None, init=False)

    async def read(self, after: str | None) -> Batch:
        """The kept documents of the next page."""
        if self._left_out is None:
            self._left_out = await self.letters.records(closer=self.run)
        batch = await self.scan.read(after)
        return replace(batch, records=[record for record in batch.records if record.payload.path not in self._left_out])


def _closing(change: Change, letters: tuple[str, ...]) -> Change:
    return replace(change, closes=letters, tally=change.tally.plus(Totals(closed_letters=len(letters))))
