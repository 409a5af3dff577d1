"""One journal entry: a lane's checkpoint, its fence, and the before-images of what its commit changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from firelift.api.run import FORMAT, Totals
from firelift.migration.image import Image
from firelift.migration.ledger import packing, paths
from firelift.migration.ledger.format import check
from firelift.migration.store import Create, Document, FieldPath, Micros, Value, ValueKit

PLAIN = (
    "format",
    "run",
    "lane",
    "seq",
    "kind",
    "nonce",
    "from",
    "to",
    "complete",
    "totals",
    "scanned",
    "latencyMs",
    "imageCount",
    "parts",
    "examples",
    "marks",
)
"""The fields of an entry without its images: what progress and checkpoints read."""

IMAGES = "images"

PLAIN_MASK: Sequence[FieldPath] = tuple((name,) for name in PLAIN)


class EntryKind(StrEnum):
    """A chunk carries work; a seal ends the lane."""

    CHUNK = "chunk"
    SEAL = "seal"


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a lane, numbered from 1 without gaps.

    `start` and `end` are the cursors before and behind its records (None: the lane's start). `complete`, on a seal:
    the lane has been worked off. `totals` and `scanned` are the lane's so far, this entry included. `latency_ms` is how
    long the commit of its predecessor took, 0 when unknown. `images` is None when they were not read; `commit_time`
    is the `update_time` of each document that its commit changed, 0 before it is committed. `marks`: these are entity
    markers.
    """

    run: str
    lane: int
    seq: int
    kind: EntryKind
    nonce: str
    start: str | None
    end: str | None
    complete: bool = False
    totals: Totals = field(default_factory=Totals)
    scanned: int = 0
    latency_ms: int = 0
    image_count: int = 0
    examples: tuple[str, ...] = ()
    marks: bool = False
    images: tuple[Image, ...] | None = None
    commit_time: Micros = 0

    @property
    def sealed(self) -> bool:
        """Whether nothing can follow in this lane."""
        return self.kind is EntryKind.SEAL

    def weight(self, kit: ValueKit) -> int:
        """About how many bytes the values in its images have; 0 when they were not read."""
        return sum([image.weight(kit) for image in self.images or ()])


def entry_writes(kit: ValueKit, ledger: str, entry: Entry) -> list[Create]:
    """The documents of an entry: itself first, then further parts of its images."""
    first, *more = packing.split(packing.pack(kit, entry.images) if entry.images else b"")
    path = paths.entry(ledger, entry.run, entry.lane, entry.seq)
    fields = {name: kit.encode(value) for name, value in _plain(entry, len(more)).items()}
    fields[IMAGES] = kit.encode(first)
    parts = (Create(paths.part(path, n), {IMAGES: kit.encode(slice_)}) for n, slice_ in enumerate(more, 1))
    return [Create(path, fields), *parts]


def read_entry(kit: ValueKit, document: Document) -> tuple[Entry, int]:
    """The entry without its images, and the number of further parts they have.

    Raises:
        LedgerBroken: when another version of Firelift has written it.
    """
    plain: dict[str, Any] = {name: kit.decode(document.fields[name]) for name in PLAIN if name in document.fields}
    check(document.path, plain.get("format"))
    entry = Entry(
        run=plain["run"],
        lane=plain["lane"],
        seq=plain["seq"],
        kind=EntryKind(plain["kind"]),
        nonce=plain["nonce"],
        start=plain["from"],
        end=plain["to"],
        complete=plain["complete"],
        totals=Totals(**plain["totals"]),
        scanned=plain["scanned"],
        latency_ms=plain["latencyMs"],
        image_count=plain["imageCount"],
        examples=tuple(plain["examples"]),
        marks=plain.get("marks", False),
        commit_time=document.create_time,
    )
    return entry, plain["parts"]


def read_images(kit: ValueKit, slices: Sequence[Value]) -> tuple[Image, ...]:
    """The images whose packed bytes were read in order from an entry and its parts."""
    packed = b"".join(kit.decode(each) for each in slices)
    return packing.unpack(kit, packed) if packed else ()


def _plain(entry: Entry, parts: int) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "run": entry.run,
        "lane": entry.lane,
        "seq": entry.seq,
        "kind": entry.kind.value,
        "nonce": entry.nonce,
        "from": entry.start,
        "to": entry.end,
        "complete": entry.complete,
        "totals": entry.totals.model_dump(exclude_defaults=True),
        "scanned": entry.scanned,
        "latencyMs": entry.latency_ms,
        "imageCount": len(entry.images or ()),
        "parts": parts,
        "examples": list(entry.examples),
        **({"marks": True} if entry.marks else {}),
    }
