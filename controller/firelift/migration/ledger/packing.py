"""Before-images as bytes: a header of JSON, then values as the store dumps them and hashes, compressed.

A value never passes through anything but the store's own `dumps` and `loads`, so every type comes back unharmed. The
images of one commit mostly touch the same paths, which are therefore written once.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Sequence
from typing import Any

from firelift.migration.image import Image, Operation
from firelift.migration.store import ValueKit

LEVEL = 1
"""Of zlib: hashes do not shrink at any level, and for the rest this one takes a third of the time of the default."""

LENGTH_BYTES = 4

PART_BYTES = 900 * 1024
"""How much of a journal document images may fill. Firestore's limit for a document is 1 MiB."""

ABSENT = -1
"""The length of what is not there."""


def pack(kit: ValueKit, images: Iterable[Image]) -> bytes:
    """All images of an entry; the inverse of `unpack`."""
    blobs: list[bytes] = []
    shapes: dict[tuple[Any, ...], int] = {}
    rows = [_row(kit, image, shapes, blobs) for image in images]
    encoded = json.dumps([list(shapes), rows], ensure_ascii=False, separators=(",", ":")).encode()
    return zlib.compress(b"".join([len(encoded).to_bytes(LENGTH_BYTES, "big"), encoded, *blobs]), LEVEL)


def unpack(kit: ValueKit, packed: bytes) -> tuple[Image, ...]:
    """The images as they were packed."""
    data = zlib.decompress(packed)
    start = LENGTH_BYTES + int.from_bytes(data[:LENGTH_BYTES], "big")
    shapes, rows = json.loads(data[LENGTH_BYTES:start])
    known = [(Operation(each), _paths(before), _paths(after)) for each, before, after in shapes]
    blobs = _Blobs(data, start)
    return tuple(_image(kit, known[row[0]], row, blobs) for row in rows)


def split(packed: bytes) -> list[bytes]:
    """Slices that each fit a document; at least one."""
    return [packed[at : at + PART_BYTES] for at in range(0, max(len(packed), 1), PART_BYTES)]


def _row(kit: ValueKit, image: Image, shapes: dict[tuple[Any, ...], int], blobs: list[bytes]) -> list[Any]:
    """The image less its values and hashes, which go to `blobs`, and less what it shares with others, its shape."""
    shape = (image.operation, tuple(image.before), tuple(image.after))
    found = [*image.values(kit), *image.after.values()]
    blobs += [each for each in found if each is not None]
    lengths = [ABSENT if each is None else len(each) for each in found]
    number = shapes.setdefault(shape, len(shapes))
    return [number, image.path, image.source, image.create_time, image.update_time, lengths]


def _paths(written: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    return [tuple(path) for path in written]


class _Blobs:
    """The values behind the header, taken in order."""

    def __init__(self, data: bytes, start: int) -> None:
        self._data = data
        self._at = start

    def take(self, length: int) -> bytes | None:
        if length == ABSENT:
            return None
        self._at += length
        return self._data[self._at - length : self._at]


def _image(kit: ValueKit, shape: tuple[Operation, Any, Any], row: Sequence[Any], blobs: _Blobs) -> Image:
    operation, before, after = shape
    _, path, source, create_time, update_time, lengths = row
    found = [blobs.take(length) for length in lengths]
    return Image(
        path=path,
        operation=operation,
        source=source,
        create_time=create_time,
        update_time=update_time,
        before={p: None if each is None else kit.loads(each) for p, each in zip(before, found, strict=False)},
        after=dict(zip(after, found[len(before) :], strict=True)),
    )
