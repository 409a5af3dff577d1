"""Composite indexes: completed by the server as Firestore does it, built over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc

from firelift.sandbox.google.resources import Ids, Json, Resources
from firelift.sandbox.google.values import RefusedError, invalid

if TYPE_CHECKING:
    from firelift.sandbox.google.firestore.builds import Builds
    from firelift.sandbox.google.operations import Operation, Operations

ADMIN = "google.firestore.admin.v1"
_MAX_FIELDS = 100
_NAME = "__name__"
_KINDS = ("order", "arrayConfig", "vectorConfig", "searchConfig")
_LEFT_OUT = {"apiScope": "ANY_API", "multikey": False, "unique": False}
"""Values that Firestore's answers leave out."""


class Indexes:
    """The composite indexes of all databases by full name."""

    def __init__(self, ids: Ids, operations: Operations, builds: Builds) -> None:
        self._ids = ids
        self._operations = operations
        self._builds = builds
        self._kept = Resources()

    def create(self, parent: str, body: Json, *, edition: str = "STANDARD") -> Operation:
        """Create an index of the collection group `parent`; returns the operation that builds it.

        Raises RefusedError: INVALID_ARGUMENT for wrong fields, ALREADY_EXISTS (409) when there is one of the same
        fields, the implied `__name__` included, the same scope and the same API.
        """
        index = _completed(body, edition)
        if any(_identity(index) == _identity(other) for other in self._kept.below(f"{parent}/indexes")):
            raise RefusedError(grpc.StatusCode.ALREADY_EXISTS, "index already exists")
        name = f"{parent}/indexes/CICAgJ{self._ids.number()}"
        index = self._kept.add(name, {"name": name, **index})
        return self._build(index)

    def get(self, name: str) -> Json:
        """Return an index as it is now, or raise RefusedError (NOT_FOUND)."""
        return self._told(self._kept.get(name))

    def list(self, parent: str) -> list[Json]:
        """Return the indexes of a collection group as they are now; the group `-` stands for all."""
        return [self._told(index) for index in self._kept.below(f"{parent}/indexes")]

    def delete(self, name: str) -> Json:
        """Delete an index, or raise RefusedError (NOT_FOUND)."""
        self._kept.remove(name)
        self._builds.forget(name)
        return {}

    def forget(self, database: str) -> None:
        """Drop the indexes of a database that is gone."""
        self._kept.remove_below(database)
        self._builds.forget(database)

    def _told(self, index: Json) -> Json:
        return {**index, "state": self._builds.state(index["name"])}

    def _build(self, index: Json) -> Operation:
        """The answer says CREATING even when the operation is over, as Firestore's does: done is not READY."""
        name, seconds = index["name"], self._builds.times.index_seconds
        self._builds.begin(name, seconds)
        response = {"@type": f"type.googleapis.com/{ADMIN}.Index", **index, "state": "CREATING"}
        told = f"type.googleapis.com/{ADMIN}.IndexOperationMetadata"

        def metadata(fraction: float) -> Json:
            state = "SUCCESSFUL" if fraction >= 1 else "PROCESSING" if fraction else "INITIALIZING"
            progress = self._builds.progress(fraction)
            return {"@type": told, "index": name, "state": state, "progressDocuments": progress}

        return self._operations.start(name.split("/collectionGroups/")[0], metadata, response, seconds)


def _completed(body: Json, edition: str) -> Json:
    """Append the implied `__name__`, before a vector, in the direction of the last ordered field."""
    fields = [dict(field) for field in body.get("fields") or []]
    _check(fields, edition)
    vectors = [field for field in fields if "vectorConfig" in field]
    others = [field for field in fields if "vectorConfig" not in field]
    if not any(field["fieldPath"] == _NAME for field in others):
        others.append({"fieldPath": _NAME, "order": others[-1].get("order", "ASCENDING") if others else "ASCENDING"})
    completed = {"queryScope": "COLLECTION", "density": "SPARSE_ALL", **body, "fields": [*others, *vectors]}
    return {key: value for key, value in completed.items() if value is not None and _LEFT_OUT.get(key) != value}


def _check(fields: list[Json], edition: str) -> None:
    if not fields or len(fields) > _MAX_FIELDS:
        raise invalid(f"an index has 1 to {_MAX_FIELDS} fields, this one {len(fields)}")
    for field in fields:
        if not field.get("fieldPath") or sum(kind in field for kind in _KINDS) != 1:
            raise invalid(f"field {field.get('fieldPath', '')!r} needs exactly one of {', '.join(_KINDS)}")
    alone = [field for field in fields if field["fieldPath"] != _NAME]
    if edition == "STANDARD" and len(alone) == 1 and "vectorConfig" not in alone[0]:
        raise invalid("this index is not necessary, configure using single field index controls")


def _identity(index: Json) -> tuple[Any, ...]:
    fields = tuple(repr(sorted(field.items())) for field in index["fields"])
    return fields, index["queryScope"], index.get("apiScope", "ANY_API")
