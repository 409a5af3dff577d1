"""Writes together with the before-images that take them back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from firelift.migration import fields as paths
from firelift.migration.fields import Difference
from firelift.migration.image import Image, Operation, hash_of, value_hash
from firelift.migration.store import Create, Delete, Document, FieldPath, Fields, Micros, Update, Value, ValueKit, Write
from firelift.migration.structs import struct

MAX_LEAVES = 100
"""Hashes of what is in one new map. A larger one is a value like any other: changed by the app, it is a conflict."""

MOST_DUMPED = 16 * 1024
"""Bytes of the values that an image keeps beside these themselves; to make them again is nothing to larger ones."""


@struct
class Imaged:
    """A write and its image."""

    write: Write
    image: Image


@dataclass(frozen=True, slots=True)
class Imager:
    """Makes writes for one migration. `ignored` paths are the app's own, and no part of what we answer for."""

    kit: ValueKit
    ignored: tuple[FieldPath, ...] = ()

    def create(self, path: str, fields: Fields, source: str | None, *, again: Micros = 0) -> Imaged:
        """A new document. Its image hashes the shallowest paths that hold none of the ignored ones.

        `again` is when the deleted one was created that is made again.
        """
        fields = self.kit.whole(fields)
        if self.ignored:
            kept = paths.covering_paths(self.kit, fields, self.ignored)
            after = {kept_path: self.digest(fields, kept_path) for kept_path in kept}
        else:
            after = {(name,): hash_of(data) for name, data in self.kit.dumped(fields).items()}
        return Imaged(Create(path, fields), Image(path, Operation.CREATE, source, again, 0, {}, after))

    def update(
        self, document: Document, wanted: Fields, mask: Iterable[FieldPath], source: str | None = None
    ) -> Imaged | None:
        """A masked update of a document as it was read; None when the mask is empty."""
        return self._updated(
            document,
            [(path, paths.get(self.kit, document.fields, path), paths.get(self.kit, wanted, path)) for path in mask],
            source,
        )

    def change(self, document: Document, wanted: Fields) -> Imaged | None:
        """An update of just what differs; None when nothing does."""
        return self._updated(document, list(paths.differences(self.kit, document.fields, wanted)), None)

    def _updated(self, document: Document, touched: Sequence[Difference], source: str | None) -> Imaged | None:
        if not touched:
            return None
        kit, fields = self.kit, dict[str, Value]()
        before: dict[FieldPath, Value | None] = {}
        after: dict[FieldPath, bytes | None] = {}
        # A renamed value is the very one that it was, and known by itself when it comes again under its new name.
        known = {id(old): kit.dumps(old) for _, old, _ in touched if old is not None}
        dumped: list[bytes | None] = []
        for path, old, new in touched:
            before[path] = old
            dumped.append(None if old is None else known[id(old)])
            if new is None:
                after[path] = None
                continue
            after[path] = hash_of(known.get(id(new)) or kit.dumps(new))
            if old is None and kit.is_map(new):
                after |= self._inside(new, path)
            fields[path[0]] = new if len(path) == 1 else paths.put(kit, fields, path, new)[path[0]]
        write = Update(document.path, fields, tuple(before), document.update_time)
        times = (document.create_time, document.update_time)
        few = sum([len(data) for data in dumped if data is not None]) <= MOST_DUMPED
        return Imaged(
            write, Image(document.path, Operation.UPDATE, source, *times, before, after, dumped if few else None)
        )

    def _inside(self, made: Value, at: FieldPath) -> dict[FieldPath, bytes | None]:
        """The leaves of a new map, so that a revert can tell them from what the app has put there since."""
        leaves = list(islice(paths.leaves(self.kit, made), MAX_LEAVES + 1))
        if len(leaves) > MAX_LEAVES:
            return {}
        return {(*at, *path): value_hash(self.kit, value) for path, value in leaves}

    def delete(self, document: Document) -> Imaged:
        """A deletion of a document as it was read, with the whole of it in the image."""
        before: dict[FieldPath, Value | None] = {(name,): value for name, value in document.fields.items()}
        after: dict[FieldPath, bytes | None] = dict.fromkeys(before)
        times = (document.create_time, document.update_time)
        image = Image(document.path, Operation.DELETE, None, *times, before, after)
        return Imaged(Delete(document.path, document.update_time), image)

    def digests(self, fields: Fields, at: Collection[FieldPath]) -> dict[FieldPath, bytes | None]:
        """`digest` of each path."""
        if len(at) < len(fields) or any(len(path) > 1 for path in at):
            return {path: self.digest(fields, path) for path in at}
        dumped = self.kit.dumped(self.kit.whole(fields))
        return {path: hash_of(dumped[path[0]]) if path[0] in dumped else None for path in at}

    def digest(self, fields: Fields, path: FieldPath) -> bytes | None:
        """The hash of the value at a path, None when there is none."""
        value = paths.get(self.kit, fields, path)
        return None if value is None else value_hash(self.kit, value)
