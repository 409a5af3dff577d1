"""Writes together with the before-images that take them back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from firelift.migration import fields as paths
from firelift.migration.image import Image, Operation, value_hash
from firelift.migration.store import Create, Delete, Document, FieldPath, Fields, Update, Value, ValueKit, Write

MAX_LEAVES = 100
"""Hashes of what is in one new map. A larger one is a value like any other: changed by the app, it is a conflict."""


@dataclass(frozen=True, slots=True)
class Imaged:
    """A write and its image."""

    write: Write
    image: Image


@dataclass(frozen=True, slots=True)
class Imager:
    """Makes writes for one migration. `ignored` paths are the app's own, and no part of what we answer for."""

    kit: ValueKit
    ignored: tuple[FieldPath, ...] = ()

    def create(self, path: str, fields: Fields, source: str | None) -> Imaged:
        """A new document. Its image hashes the shallowest paths that hold none of the ignored ones."""
        kept = paths.covering_paths(self.kit, fields, self.ignored)
        after = {kept_path: self.digest(fields, kept_path) for kept_path in kept}
        return Imaged(Create(path, fields), Image(path, Operation.CREATE, source, 0, 0, {}, after))

    def update(
        self, document: Document, wanted: Fields, mask: Iterable[FieldPath], source: str | None = None
    ) -> Imaged | None:
        """A masked update of a document as it was read; None when the mask is empty."""
        mask = tuple(mask)
        if not mask:
            return None
        write = Update(document.path, paths.pick(self.kit, wanted, mask), mask, document.update_time)
        before: dict[FieldPath, Value | None] = {path: paths.get(self.kit, document.fields, path) for path in mask}
        after = {path: self.digest(wanted, path) for path in mask}
        for path in mask:
            if before[path] is None:
                after |= {inner: self.digest(wanted, inner) for inner in self._inside(wanted, path)}
        times = (document.create_time, document.update_time)
        return Imaged(write, Image(document.path, Operation.UPDATE, source, *times, before, after))

    def _inside(self, wanted: Fields, made: FieldPath) -> list[FieldPath]:
        """The leaves of a new map, so that a revert can tell them from what the app has put there since."""
        value = paths.get(self.kit, wanted, made)
        leaves = list(islice(paths.leaf_paths(self.kit, value), MAX_LEAVES + 1)) if value is not None else []
        return [(*made, *leaf) for leaf in leaves] if len(leaves) <= MAX_LEAVES else []

    def change(self, document: Document, wanted: Fields) -> Imaged | None:
        """An update of just what differs; None when nothing does."""
        return self.update(document, wanted, paths.changed_paths(self.kit, document.fields, wanted))

    def delete(self, document: Document) -> Imaged:
        """A deletion of a document as it was read, with the whole of it in the image."""
        before: dict[FieldPath, Value | None] = {(name,): value for name, value in document.fields.items()}
        after: dict[FieldPath, bytes | None] = dict.fromkeys(before)
        times = (document.create_time, document.update_time)
        image = Image(document.path, Operation.DELETE, None, *times, before, after)
        return Imaged(Delete(document.path, document.update_time), image)

    def digest(self, fields: Fields, path: FieldPath) -> bytes | None:
        """The hash of the value at a path, None when there is none."""
        value = paths.get(self.kit, fields, path)
        return None if value is None else value_hash(self.kit, value)
