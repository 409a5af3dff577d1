"""Chunks: as many records as one commit can take, with all that the commit is made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from firelift.api.run import Totals
from firelift.migration.image import Image
from firelift.migration.ledger.packing import PART_BYTES
from firelift.migration.store import Fields, Micros, ValueKit, Verify, Write
from firelift.migration.work import Change, DeadLetter, Record

MAX_WRITES = 500
"""Of one commit, guards, journal and dead letters included. Source: the limit that Firestore long had and that its
client libraries keep to."""

MAX_BYTES = int(9.5 * 2**20)
"""Of one commit; an API request may have 10 MiB. Source: the Firestore quotas page."""

WRITE_OVERHEAD = 256
"""Bytes of a write besides its values, roughly: names, mask, precondition."""

NO_FIELDS: Fields = {}
"""Of a write that deletes or verifies."""

HASH_BYTES = 64
"""Of an image for each path, roughly: its name, and a hash of 16 bytes written as text."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Records that are committed together. `end` is the cursor behind them; `scanned` was looked at for them."""

    records: Sequence[Record]
    changes: Sequence[Change]
    end: str
    scanned: int

    def prefix(self, count: int) -> Chunk:
        """The first `count` records; all of them are the chunk itself."""
        if count >= len(self.records):
            return self
        return Chunk(self.records[:count], self.changes[:count], self.records[count - 1].cursor, count)

    def behind(self, count: int) -> Chunk:
        """What is left after the first `count` records."""
        return Chunk(self.records[count:], self.changes[count:], self.end, self.scanned - count)

    def half(self) -> Chunk:
        """The first half, at least one record."""
        return self.prefix(max(1, len(self.records) // 2))

    def decided(self, kit: ValueKit, changes: Sequence[Change], batch_size: int, most_bytes: int) -> Chunk:
        """The same records with other changes, as many of them as a commit can take."""
        return replace(self, changes=changes).prefix(fitting(kit, changes, batch_size, most_bytes))

    @property
    def writes(self) -> list[Write]:
        """Guards first, each one once, then what changes documents."""
        guards = dict.fromkeys(guard for change in self.changes for guard in change.guards)
        return [*guards, *(write for change in self.changes for write in change.writes)]

    @property
    def cost(self) -> int:
        """Documents that its commit writes, the journal entry included: what the pace counts."""
        return 1 + sum(
            len(change.writes) + (change.dead_letter is not None) + len(change.closes) for change in self.changes
        )

    @property
    def marks(self) -> bool:
        """Whether it has entity markers, and so no documents."""
        return any(change.marks for change in self.changes)

    @property
    def images(self) -> tuple[Image, ...]:
        """Of all changes in order."""
        return tuple(image for change in self.changes for image in change.images)

    @property
    def tally(self) -> Totals:
        """The sum over all changes."""
        return total(change.tally for change in self.changes)


def total(tallies: Iterable[Totals]) -> Totals:
    """The sum, made at once: a model per document would cost more than its transform."""
    counts = dict.fromkeys(Totals.model_fields, 0)
    for tally in tallies:
        for name in tally.model_fields_set:
            counts[name] += getattr(tally, name)
    return Totals(**counts)


def size(kit: ValueKit, changes: Iterable[Change]) -> int:
    """About how many bytes a commit of these changes has."""
    measure = _Measure(kit, MAX_WRITES, MAX_BYTES)
    for change in changes:
        measure.add(change)
    return measure.bytes


def fitting(kit: ValueKit, changes: Sequence[Change], batch_size: int, most_bytes: int = MAX_BYTES) -> int:
    """How many leading changes one commit can take, at least one when there is any.

    At most `batch_size` documents are changed, and no document is touched by two records: the second would be
    decided on what the first one changes. Entity markers and documents are not mixed.
    """
    measure = _Measure(kit, batch_size, most_bytes)
    count = 0
    for change in changes:
        if not measure.add(change) and count:
            break
        count += 1
    return count


class _Measure:
    """What a growing commit amounts to."""

    def __init__(self, kit: ValueKit, batch_size: int, most_bytes: int) -> None:
        self._kit = kit
        self._batch_size = batch_size
        self._most_bytes = most_bytes
        self._data = 0
        self._writes = 1
        self.bytes = 0
        self._image_bytes = 0
        self._changed: set[str] = set()
        self._guarded: dict[str, Micros | None] = {}
        self._marks: bool | None = None

    def add(self, change: Change) -> bool:
        """Whether it still fits with this change."""
        fresh = [guard for guard in change.guards if not self._guards(guard)] if change.guards else ()
        clash = self._marks is (not change.marks)
        for each in (*change.writes, *fresh):
            clash = clash or each.path in self._changed or each.path in self._guarded
        self._marks = change.marks
        self._count(change, fresh)
        parts = self._image_bytes // PART_BYTES
        fits = self._data <= self._batch_size and self._writes + parts <= MAX_WRITES and self.bytes <= self._most_bytes
        return fits and not clash

    def _guards(self, guard: Verify) -> bool:
        return guard.path in self._guarded and self._guarded[guard.path] == guard.update_time

    def _count(self, change: Change, fresh: Sequence[Verify]) -> None:
        self._data += len(change.writes)
        self._writes += len(change.writes) + len(fresh)
        for image in change.images:
            size = _image_size(self._kit, image)
            self._image_bytes += size
            self.bytes += size
        for write in change.writes:
            self._changed.add(write.path)
            self.bytes += _size(self._kit, write)
        for guard in fresh:
            self._guarded[guard.path] = guard.update_time
            self.bytes += WRITE_OVERHEAD + len(guard.path)
        if change.dead_letter:
            self._writes += 1
            self.bytes += _letter_size(change.dead_letter)
        for letter in change.closes:
            self._writes += 1
            self.bytes += WRITE_OVERHEAD + len(letter)


def _size(kit: ValueKit, write: Write) -> int:
    fields: Fields = getattr(write, "fields", NO_FIELDS)
    return WRITE_OVERHEAD + len(write.path) + kit.weight(fields)


def _letter_size(letter: DeadLetter) -> int:
    texts = (letter.path, letter.reason, letter.rule)
    return WRITE_OVERHEAD + len(letter.payload) + sum(len(text.encode()) for text in texts)


def _image_size(kit: ValueKit, image: Image) -> int:
    return WRITE_OVERHEAD + len(image.path) + HASH_BYTES * len(image.after) + image.weight(kit)
