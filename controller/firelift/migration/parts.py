"""One-to-many, read: a source is one record, or several where one commit cannot take all of its documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from firelift.migration.ledger.history import SourceHistory, Written
from firelift.migration.part_cursor import PartCursor, parse
from firelift.migration.processors.retry import LetterRecord
from firelift.migration.refusal import Refused
from firelift.migration.store import Document, Store
from firelift.migration.transform.one_to_many import Elements, OneToMany, Outcome
from firelift.migration.transform.transform import LeftAlone, Result
from firelift.migration.work import Batch, Reader, Record

PART_BYTES = 2 * 2**20
"""Of the documents of one part: a commit has to carry their before-images too."""


SOURCES = 100
"""That are derived at once."""


@dataclass(frozen=True, slots=True)
class Part:
    """Some of what a source leads to, from number `start` until before `stop` (None: to the end).

    Its elements count first, then what it does not lead to any more. `written` is what a sweep finds written before.
    """

    source: Document
    outcome: Outcome
    written: Mapping[str, Written] = field(default_factory=dict)
    start: int = 0
    stop: int | None = None

    @property
    def results(self) -> Sequence[Result]:
        """The documents of this part; none when the source has no elements."""
        return self._all[self.start : self.stop]

    @property
    def gone(self) -> Sequence[str]:
        """Targets of this part that were written from the source, and that it does not lead to any more."""
        if not isinstance(self.outcome, Elements):
            return ()
        kept = {result.target for result in self._all}
        gone = [path for path, written in self.written.items() if not written.gone and path not in kept]
        behind = len(self._all)
        return gone[max(0, self.start - behind) : None if self.stop is None else max(0, self.stop - behind)]

    @property
    def letter(self) -> LeftAlone | Refused | None:
        """Why the source leads to nothing."""
        return None if isinstance(self.outcome, Elements) else self.outcome

    @property
    def _all(self) -> Sequence[Result]:
        return self.outcome.results if isinstance(self.outcome, Elements) else ()


@dataclass(frozen=True, slots=True)
class Deriving:
    """Makes the whole of what a source leads to; `history` is what a sweep asks."""

    splitting: OneToMany
    history: SourceHistory | None

    async def __call__(self, source: Document) -> Part:
        """One part with all of it.

        Raises:
            StoreError: when the ledger cannot be read.
        """
        written = await self.history.of(source.path) if self.history else {}
        return Part(source, self.splitting.attempt(source), written)


@dataclass(slots=True)
class PartReader:
    """What a reader of documents reads, in parts. `most` is how many documents one part may write.

    The payload is a `Part`, or the `Missing` that the other reader had; in a lane of `letters` a `LetterRecord` with
    either, the letters in the last part. The cursor is the other reader's, within a source of several parts a
    `PartCursor`: whoever goes on there derives it anew.
    """

    store: Store
    documents: Reader
    derive: Deriving
    most: int
    letters: bool
    _ahead: Batch | None = field(default=None, init=False)
    """What was read of the documents and is not derived yet; all that comes of a page would be much at once."""
    _at: str | None = field(default=None, init=False)

    async def read(self, after: str | None) -> Batch:
        """The parts of the next documents, or what is left of a document that was left in the middle."""
        inside = parse(after) if after else None
        if inside is not None:
            return await self._rest(inside)
        if self._ahead is None or self._at != after:
            self._ahead = await self.documents.read(after)
        batch, few = self._ahead, self._ahead.records[:SOURCES]
        left = batch.records[SOURCES:]
        records = [part for record in few for part in await self._of_record(record)]
        if not left:
            self._ahead = None
            return replace(batch, records=records)
        # What the scan has left out is counted with its last documents.
        self._ahead, self._at = replace(batch, records=left, scanned=batch.scanned - len(few)), few[-1].cursor
        return Batch(records, few[-1].cursor, exhausted=False, scanned=len(few))

    async def _rest(self, inside: PartCursor) -> Batch:
        (document,) = await self.store.get([inside.path])
        found = Record(inside.behind, LetterRecord((), document) if self.letters else document)
        records = await self._parts(found, document, inside.done) if isinstance(document, Document) else []
        return Batch(records, inside.behind, exhausted=False)

    async def _of_record(self, record: Record) -> list[Record]:
        payload = record.payload
        source = payload.source if isinstance(payload, LetterRecord) else payload
        return await self._parts(record, source) if isinstance(source, Document) else [record]

    async def _parts(self, record: Record, document: Document, start: int = 0) -> list[Record]:
        """The parts of a document from a number on, each as large as a commit can take."""
        whole = replace(await self.derive(document), start=start)
        cuts = self._cuts(whole)
        parts = [
            replace(whole, start=begin, stop=end) for begin, end in zip([start, *cuts], [*cuts, None], strict=True)
        ]
        cursors = [PartCursor(cut, document.path, record.cursor).text() for cut in cuts]
        payloads = _with_letters(record.payload, parts)
        return [
            replace(record, cursor=cursor, payload=payload)
            for cursor, payload in zip([*cursors, record.cursor], payloads, strict=True)
        ]

    def _cuts(self, whole: Part) -> list[int]:
        sizes = [self.store.values.sizes(result.fields.values()) for result in whole.results]
        cuts: list[int] = []
        count = size = 0
        for number, more in enumerate([*sizes, *[0] * len(whole.gone)], whole.start):
            if count and (count == self.most or size + more > PART_BYTES):
                cuts.append(number)
                count = size = 0
            count, size = count + 1, size + more
        return cuts


def _with_letters(payload: Any, parts: Sequence[Part]) -> Sequence[Any]:
    if not isinstance(payload, LetterRecord):
        return parts
    return [LetterRecord(payload.letters if part is parts[-1] else (), part) for part in parts]
