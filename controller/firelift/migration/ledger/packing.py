"""Before-images as bytes: a header of JSON, then the values as the store dumps them, compressed.

A value never passes through anything but the store's own `dumps` and `loads`, so every type comes back unharmed.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Sequence
from typing import Any

from firelift.migration.image import Image, Operation
from firelift.migration.store import ValueKit

LEVEL = 3
"""Of zlib: most of the gain at a quarter of the time of its default."""

LENGTH_BYTES = 4

PART_BYTES = 900 * 1024
"""How much of a journal document images may fill. Firestore's limit for a document is 1 MiB."""


def pack(kit: ValueKit, images: Iterable[Image]) -> bytes:
    """All images of an entry; the inverse of `unpack`."""
    blobs: list[bytes] = []
    header = json.dumps([_header(kit, image, blobs) for image in images], ensure_ascii=False, separators=(",", ":"))
    encoded = header.encode()
    return zlib.compress(b"".join([len(encoded).to_bytes(LENGTH_BYTES, "big"), encoded, *blobs]), LEVEL)


def unpack(kit: ValueKit, packed: bytes) -> tuple[Image, ...]:
    """The images as they were packed."""
    data = zlib.decompress(packed)
    start = LENGTH_BYTES + int.from_bytes(data[:LENGTH_BYTES], "big")
    blobs = _Blobs(data, start)
    return tuple(_image(kit, each, blobs) for each in json.loads(data[LENGTH_BYTES:start]))


def split(packed: bytes) -> list[bytes]:
    """Slices that each fit a document; at least one."""
    return [packed[at : at + PART_BYTES] for at in range(0, max(len(packed), 1), PART_BYTES)]


def _header(kit: ValueKit, image: Image, blobs: list[bytes]) -> list[Any]:
    before: list[Any] = []
    for path, value in image.before.items():
        blob = None if value is None else kit.dumps(value)
        before.append([path, None if blob is None else len(blob)])
        blobs.append(blob or b"")
    after = [[path, digest.hex() if digest is not None else None] for path, digest in image.after.items()]
    return [image.path, image.operation, image.source, image.create_time, image.update_time, before, after]


class _Blobs:
    """The values behind the header, taken in order."""

    def __init__(self, data: bytes, start: int) -> None:
        self._data = data
        self._at = start

    def take(self, length: int) -> bytes:
        self._at += length
        return self._data[self._at - length : self._at]


def _image(kit: ValueKit, header: Sequence[Any], blobs: _Blobs) -> Image:
    path, operation, source, create_time, update_time, before, after = header
    return Image(
        path=path,
        operation=Operation(operation),
        source=source,
        create_time=create_time,
        update_time=update_time,
        before={tuple(p): None if size is None else kit.loads(blobs.take(size)) for p, size in before},
        after={tuple(p): None if digest is None else bytes.fromhex(digest) for p, digest in after},
    )
