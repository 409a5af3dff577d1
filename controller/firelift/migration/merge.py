"""The three-way merge of a revert: what we changed, what stands there now, and what goes back without losing a write.

Pure. Everything is told by the server's times and by hashes: a document whose `update_time` is our commit's has not
been touched since, one whose `create_time` is another is not the one that we changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from firelift.migration import fields as paths
from firelift.migration.carrying import Rename, carried_back, made_map, taken_apart
from firelift.migration.fields import overlap, written
from firelift.migration.ignored import respecting
from firelift.migration.image import Image, Operation, value_hash
from firelift.migration.store import Document, FieldPath, Fields, Micros, Missing, Value, ValueKit


@dataclass(frozen=True, slots=True)
class Restore:
    """The document should become these fields."""

    fields: Fields


@dataclass(frozen=True, slots=True)
class Remove:
    """The document should go."""


@dataclass(frozen=True, slots=True)
class Recreate:
    """The document should be there again, in the place of the one that was created at `create_time`."""

    fields: Fields
    create_time: Micros


@dataclass(frozen=True, slots=True)
class Nothing:
    """There is nothing (more) to take back."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """The app has changed what we did. `forced` is what would take it back all the same."""

    reason: str
    forced: Restore | Remove


Verdict = Restore | Remove | Recreate | Nothing | Conflict


@dataclass(frozen=True, slots=True)
class Merge:
    """The merge for one migration. `renames` are its own, `ignored` the paths that the app may change freely."""

    kit: ValueKit
    renames: tuple[Rename, ...]
    ignored: tuple[FieldPath, ...]

    def decide(
        self, image: Image, commit_time: Micros, current: Document | Missing, earlier: Sequence[Image] = ()
    ) -> Verdict:
        """What becomes of a document that a commit of ours at `commit_time` changed.

        `earlier` are the updates of it before that one, the newest first: what they have taken back is not done again.
        """
        match image.operation, current:
            case Operation.DELETE, Missing():
                return Recreate(_whole(image), image.create_time)
            case Operation.DELETE, Document():
                return self._deleted(image, current)
            case _, Missing():
                return Nothing()
            case Operation.CREATE, Document():
                return self._created(image, commit_time, current)
            case _:
                return self._updated(image, commit_time, current, earlier)
        raise AssertionError("a document is there or missing")

    def _deleted(self, image: Image, current: Document) -> Verdict:
        before = _whole(image)
        if not list(paths.changed_paths(self.kit, current.fields, before)):
            return Nothing()
        return Conflict("it was deleted by the migration and has been made anew since", Restore(before))

    def _created(self, image: Image, commit_time: Micros, current: Document) -> Verdict:
        if current.create_time != commit_time:
            return Conflict("it was created by the migration, deleted and made anew since", Remove())
        if current.update_time == commit_time:
            return Remove()
        kept = paths.covering_paths(self.kit, current.fields, self.ignored)
        now = {path: self._hash(current.fields, path) for path in kept}
        changed = [path for path in now.keys() | image.after.keys() if now.get(path) != image.after.get(path)]
        if not changed:
            return Remove()
        return Conflict(f"the copy has been changed since, at {_listed(changed)}", Remove())

    def _updated(self, image: Image, commit_time: Micros, current: Document, earlier: Sequence[Image]) -> Verdict:
        forced = Restore(self._restored(current.fields, image.before, force=True))
        if current.create_time != image.create_time:
            return Conflict("it has been deleted and made anew since the migration changed it", forced)
        if current.update_time == commit_time:
            return forced
        return self._by_group(image, current, forced, earlier)

    def _by_group(self, image: Image, current: Document, forced: Restore, earlier: Sequence[Image]) -> Verdict:
        fields = current.fields
        for group in self._groups(image):
            if earlier and self._all_back(image, group, fields, earlier):
                continue
            restored = self._group(image, group, fields)
            if restored is None and self.ignored:
                restored = self._rest(image, group, fields)
            if restored is None:
                return Conflict(f"the app has changed {_listed(group)} since", forced)
            fields = restored
        changed = any(paths.changed_paths(self.kit, current.fields, fields))
        return Restore(fields) if changed else Nothing()

    def _all_back(self, image: Image, group: tuple[FieldPath, ...], fields: Fields, earlier: Sequence[Image]) -> bool:
        """Whether a group is as it was before the earliest of several changes."""
        back = self._restored(fields, {path: image.before[path] for path in group}, force=True)
        for each in earlier:
            touched = {path: old for path, old in each.before.items() if any(overlap(path, one) for one in group)}
            back = self._restored(back, touched, force=True)
        return not any(paths.changed_paths(self.kit, fields, back))

    def _group(self, image: Image, group: tuple[FieldPath, ...], fields: Fields) -> Fields | None:
        """The fields with one group taken back; None where the app has changed it."""
        before = {path: image.before[path] for path in group}
        now = {path: self._hash(fields, path) for path in group}
        if now == {path: self._value_hash(value) for path, value in before.items()}:
            return fields
        rename = self._rename(image, group)
        if rename and now[rename[1]] == self._value_hash(before[rename[1]]):
            return fields
        if any(self._parent_gone(fields, path, value) for path, value in before.items()):
            return None
        if now == {path: image.after[path] for path in group}:
            return self._restored(fields, before)
        made = made_map(image, group, self.renames)
        if made:
            return taken_apart(self.kit, image, *made, fields)
        return carried_back(self.kit, fields, rename, before[rename[0]]) if rename else None

    def _rest(self, image: Image, group: tuple[FieldPath, ...], fields: Fields) -> Fields | None:
        """The fields with what is ours of a group taken back, where the app may have changed the ignored part of it."""
        ours = tuple(path for path in group if not self._free(path) or self._hash(fields, path) == image.after[path])
        inside = [path for path in self.ignored if any(path != one and path[: len(one)] == one for one in ours)]
        restored = self._group(image, ours, respecting(self.kit, fields, {}, inside))
        return None if restored is None else respecting(self.kit, restored, fields, inside)

    def _free(self, path: FieldPath) -> bool:
        return any(path[: len(other)] == other for other in self.ignored)

    def _parent_gone(self, fields: Fields, path: FieldPath, before: Value | None) -> bool:
        """Whether a map that the value was in is no longer there to take it back."""
        if len(path) == 1:
            return False
        parent = paths.get(self.kit, fields, path[:-1])
        return before is not None and (parent is None or not self.kit.is_map(parent))

    def _restored(self, fields: Fields, before: Mapping[FieldPath, Value | None], *, force: bool = False) -> Fields:
        for path, value in before.items():
            if value is None:
                fields = paths.remove(self.kit, fields, path)
            else:
                fields = paths.put(self.kit, fields, path, value, force=force)
        return fields

    def _rename(self, image: Image, group: tuple[FieldPath, ...]) -> Rename | None:
        """The rename that the group is, when it is just that: an old name that went, and a new one."""
        for old, new in self.renames:
            if set(group) == {old, new} and image.after[old] is None:
                return old, new
        return None

    def _groups(self, image: Image) -> Iterator[tuple[FieldPath, ...]]:
        """The touched paths, those of one rename together."""
        left = dict.fromkeys(image.before)
        while left:
            group = [next(iter(left))]
            for path in group:
                left.pop(path, None)
                group.extend(other for other in left if other not in group and self._together(path, other))
            yield tuple(group)

    def _together(self, one: FieldPath, other: FieldPath) -> bool:
        return any(
            any(overlap(path, one) for path in rename) and any(overlap(path, other) for path in rename)
            for rename in self.renames
        )

    def _hash(self, fields: Fields, path: FieldPath) -> bytes | None:
        return self._value_hash(paths.get(self.kit, fields, path))

    def _value_hash(self, value: Value | None) -> bytes | None:
        return None if value is None else value_hash(self.kit, value)


def _whole(image: Image) -> dict[str, Value]:
    return {path[0]: value for path, value in image.before.items()}


def _listed(changed: list[FieldPath] | tuple[FieldPath, ...]) -> str:
    return ", ".join(sorted(written(path) for path in changed))
