"""One commit of the in-memory store: preconditions and effects, collected until all have passed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from firelift.migration.errors import AlreadyExists, FailedPrecondition, NotFound, Poison
from firelift.migration.store import Create, Delete, Fields, Micros, Put, Update, Value, Verify, Write
from firelift.stores.firestore.values import FirestoreValues
from firelift.stores.memory.limits import check_fields
from firelift.stores.memory.masks import merge
from firelift.stores.paths import check_document

KIT = FirestoreValues()


@dataclass(frozen=True, slots=True)
class Version:
    """A document from `update_time` on; `fields` None after a deletion."""

    fields: Fields | None
    create_time: Micros
    update_time: Micros


@dataclass(slots=True)
class Staged:
    """The versions that a commit at `at` will add. A write sees what the writes before it in the commit did."""

    latest: Callable[[str], Version | None]
    at: Micros
    versions: dict[str, Version] = field(default_factory=dict)

    def write(self, write: Write) -> Micros:
        """Stage one write and answer its update time.

        Raises:
            Conflict: when its precondition does not hold.
            Poison: when Firestore would refuse the path or the fields.
        """
        check_document(write.path)
        now = self._now(write.path)
        match write:
            case Create():
                _require_absent(write.path, now)
                return self._store(write.path, None, write.fields)
            case Put():
                return self._store(write.path, now, write.fields)
            case Update():
                before = _unchanged(write.path, now, write.update_time)
                return self._store(write.path, before, merge(before.fields or {}, write.fields, write.mask))
            case Delete():
                return self._delete(write, now)
            case Verify():
                return _verify(write, now)

    def _now(self, path: str) -> Version | None:
        version = self.versions.get(path) or self.latest(path)
        return version if version and version.fields is not None else None

    def _store(self, path: str, before: Version | None, fields: Fields) -> Micros:
        if before and before.fields is not None and _bytes(before.fields) == _bytes(fields):
            return before.update_time
        check_fields(path, fields)
        created = before.create_time if before else self.at
        self.versions[path] = Version(_copy(fields), created, self.at)
        return self.at

    def _delete(self, write: Delete, now: Version | None) -> Micros:
        if write.update_time is not None:
            _unchanged(write.path, now, write.update_time)
        if now:
            self.versions[write.path] = Version(None, 0, self.at)
        return 0


def _verify(write: Verify, now: Version | None) -> Micros:
    if write.update_time is None:
        _require_absent(write.path, now)
        return 0
    return _unchanged(write.path, now, write.update_time).update_time


def _require_absent(path: str, now: Version | None) -> None:
    if now:
        raise AlreadyExists("ALREADY_EXISTS", f"there is a document {path} already")


def _unchanged(path: str, now: Version | None, update_time: Micros | None) -> Version:
    if now is None and update_time is None:
        raise NotFound("NOT_FOUND", f"there is no document {path} to update")
    if now and update_time is not None and update_time > now.update_time:
        raise Poison("INVALID_ARGUMENT", f"{path} is at version {now.update_time} and was never at {update_time}")
    if now is None or update_time not in {None, now.update_time}:
        stored = now.update_time if now else "gone"
        raise FailedPrecondition("FAILED_PRECONDITION", f"{path} was read at version {update_time} and is {stored}")
    return now


def _copy(fields: Fields) -> dict[str, Value]:
    return KIT.entries(KIT.new_map(fields))


def _bytes(fields: Fields) -> bytes:
    return KIT.dumps(KIT.new_map(fields))
