"""The shape of all work: a lane reads records in order, a processor turns them into changes, the lane commits them.

Migrate, sweep, verify and revert are four processors over two kinds of reader; the lane, its journal and its fences are
one piece of code for all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from firelift.api.run import Totals
from firelift.migration.image import Image
from firelift.migration.sentences import sentence
from firelift.migration.store import Verify, Write
from firelift.migration.structs import struct


@struct
class Record:
    """One piece of input. `cursor` names it: reading after it yields what follows. `payload` is the reader's own.

    `entity` is whose record it is, where the reader goes by entities; else None.
    """

    cursor: str
    payload: Any
    entity: str | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """Records in order. `exhausted`: there are none behind the last one. `end` is the cursor behind all that was read.

    `end` may lie behind the last record, where a reader has left out what is not of its cohort. `scanned` counts what
    was looked at, left-out ones included; it is shown as progress and nothing is decided by it. `size` is about how
    many bytes its values have, 0 where nobody has counted.
    """

    records: Sequence[Record]
    end: str
    exhausted: bool
    scanned: int = 0
    size: int = 0


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that cannot move. `rule` is what it broke, such as a CEL rule or ``entityKey``.

    `reason` and `rule` are cut to what the ledger can hold: the letter of one record must not stop all others.
    `payload` is a whole document that a revert has put into quarantine: a map of its fields, as the store dumps it.
    `apart` tells several letters of one record apart, so that none replaces another: the commit time of the image that
    a document in quarantine stood against, or where the part of a source begins that leads to many documents.
    """

    path: str
    reason: str
    rule: str = ""
    payload: bytes = b""
    apart: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "reason", sentence(self.reason))
        object.__setattr__(self, "rule", sentence(self.rule))


@struct
class Change:
    """What one record leads to. `tally` counts it; `writes` and `guards` go into the commit with the journal entry.

    `images` has one for each document that `writes` changes. `example` is a sentence worth showing to a person.
    `provisional`: it rests on an earlier record of the same batch being committed as it was decided.
    `closes` are paths of earlier dead letters of the same record, which stand no longer when it is committed.
    `blind`: it creates a document without having looked for it, so that finding one there tells of no live write.
    `marks`: it writes an entity's marker, which is committed apart from documents.
    """

    tally: Totals
    writes: tuple[Write, ...] = ()
    guards: tuple[Verify, ...] = ()
    images: tuple[Image, ...] = ()
    dead_letter: DeadLetter | None = None
    example: str = ""
    provisional: bool = False
    blind: bool = False
    closes: tuple[str, ...] = ()
    marks: bool = False


class Reader(Protocol):
    """A lane's input."""

    async def read(self, after: str | None) -> Batch:
        """Records behind the cursor `after`, or from the start."""


class Processor(Protocol):
    """What is to be done with records."""

    async def prepare(self, records: Sequence[Record], *, again: bool) -> list[Change]:
        """One change per record, or for the first of them: as many as memory has room for, at least one.

        `again` is set after a conflict: whatever the records carried is stale, and everything is read anew.
        """


@dataclass(slots=True)
class Lane:
    """One lane of a run, as in its lane map. For a scan `start` (exclusive) and `end` (inclusive) are paths.

    A journal lane of `marks` walks just the entries of entity markers, one that is `whole` those and all others.
    A lane of `letters` has the records with dead letters of earlier runs, in the order of their paths.
    For a journal lane `subject` is the run whose lane `subject_lane` is walked. `cursor` is where the reader begins:
    None at the lane's start, for a run that follows another at the seal of the lane that it continues.

    A lane with `buckets` (from, up to) reads the records of the entities in them: those that the list named `listing`
    has, and those that the run's selection names. A scan with a `listing` leaves out the records of whom it lists.

    A scan that is `joined` reads with each source what the run's subjects have written of it.
    A journal lane waits for those of its subject that have a lower `turn`.
    """

    number: int
    start: str | None = None
    end: str | None = None
    subject: str | None = None
    subject_lane: int = 0
    cursor: str | None = None
    buckets: tuple[int, int] | None = None
    listing: str | None = None
    letters: bool = False
    marks: bool = False
    whole: bool = False
    joined: bool = False
    turn: int = 0

    @property
    def by_path(self) -> bool:
        """Whether it reads a source in the order of its paths, so that its journal has images in that order."""
        return self.subject is None and self.buckets is None and not self.letters


@dataclass(slots=True)
class LaneMap:
    """All lanes of a run, made once. `estimate` is the number of records in the source when it was made.

    `closed`: the run had not begun when a successor closed it; it has no lanes and never will.
    """

    lanes: list[Lane] = field(default_factory=list)
    estimate: int = 0
    closed: bool = False
