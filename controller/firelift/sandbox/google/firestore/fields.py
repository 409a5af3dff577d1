"""Single-field settings: index overrides and TTLs; fields that nobody touched are answered as inheriting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from firelift.sandbox.google.firestore.indexes import ADMIN
from firelift.sandbox.google.resources import Json, Resources, precondition
from firelift.sandbox.google.values import invalid

if TYPE_CHECKING:
    from firelift.sandbox.google.firestore.builds import Builds
    from firelift.sandbox.google.operations import Operation, Operations

_DEFAULT = "collectionGroups/__default__/fields/*"
_HALVES = frozenset({"indexConfig", "ttlConfig"})
_KINDS: tuple[Json, ...] = ({"order": "ASCENDING"}, {"order": "DESCENDING"}, {"arrayConfig": "CONTAINS"})
_FILTERS = {"indexConfig.usesAncestorConfig:false": "indexConfig", "ttlConfig:*": "ttlConfig"}
_TTL_STATES = {"READY": "ACTIVE"}


class Fields:
    """The fields that were changed, by full name; all others inherit from the database's default."""

    def __init__(self, operations: Operations, builds: Builds) -> None:
        self._operations = operations
        self._builds = builds
        self._kept = Resources()

    def get(self, name: str) -> Json:
        """Return a field as it is now."""
        field = self._kept.get(name) if name in self._kept else {}
        answer: Json = {"name": name, "indexConfig": self._index_config(name, field)}
        if "ttlConfig" in field:
            state = self._builds.state(f"{name}/ttlConfig")
            answer["ttlConfig"] = {**field["ttlConfig"], "state": _TTL_STATES.get(state, state)}
        return answer

    def list(self, parent: str, filter_: str = "") -> list[Json]:
        """Return the fields of a collection group that have an override or a TTL; the group `-` stands for all.

        Raises RefusedError (INVALID_ARGUMENT) for a filter of other words than Firestore's two, joined by OR.
        """
        words = filter_.split(" OR ") if filter_ else list(_FILTERS)
        if not _FILTERS.keys() >= set(words):
            raise invalid(f"filter {filter_!r} is not served: {' OR '.join(_FILTERS)}")
        halves = {_FILTERS[word] for word in words}
        return [self.get(field["name"]) for field in self._kept.below(f"{parent}/fields") if halves & field.keys()]

    def update(self, name: str, body: Json, mask: Sequence[str] | None) -> Operation:
        """Change a field; returns the operation.

        Without a mask both halves are replaced: the one that the body lacks goes back to its default.

        Raises RefusedError: INVALID_ARGUMENT for a mask of anything else or an index of no kind, FAILED_PRECONDITION
        for a second TTL in one collection group.
        """
        halves = {path.partition(".")[0] for path in mask or _HALVES}
        if halves - _HALVES:
            raise invalid(f"updateMask {','.join(sorted(halves))} names more than indexConfig and ttlConfig")
        before = self._kept.get(name) if name in self._kept else {"name": name}
        after = {key: value for key, value in before.items() if key not in halves}
        after |= {half: self._read(name, half, body[half]) for half in halves if body.get(half) is not None}
        self._check_ttl(name, after)
        self._keep(name, before, after)
        return self._build(name, before, after)

    def forget(self, database: str) -> None:
        """Drop the fields of a database that is gone."""
        self._kept.remove_below(database)

    def _read(self, name: str, half: str, given: Json) -> Json:
        if half == "ttlConfig":
            offset = given.get("expirationOffset") or given.get("expiration_offset")
            return {"expirationOffset": offset} if offset else {}
        return {"indexes": [_override(name, index) for index in given.get("indexes") or []]}

    def _check_ttl(self, name: str, field: Json) -> None:
        others = self._kept.below(name.rpartition("/")[0]) if "ttlConfig" in field else []
        for other in others:
            if "ttlConfig" in other and other["name"] != name:
                raise precondition(f"{other['name']} is the collection group's TTL; a group has at most one")

    def _keep(self, name: str, before: Json, after: Json) -> None:
        if _HALVES.isdisjoint(after):
            if name in self._kept:
                self._kept.remove(name)
            self._builds.forget(name)
            return
        self._kept.put(name, after)
        if "ttlConfig" in after and "ttlConfig" not in before:
            self._builds.begin(f"{name}/ttlConfig", self._builds.times.ttl_seconds)
        if after.get("indexConfig") != before.get("indexConfig"):
            self._builds.begin(f"{name}/indexConfig", self._builds.times.field_seconds)

    def _index_config(self, name: str, field: Json) -> Json:
        ancestor = f"{name.split('/collectionGroups/', maxsplit=1)[0]}/{_DEFAULT}"
        if "indexConfig" not in field:
            indexes = [_index("*", kind, "COLLECTION") for kind in _KINDS]
            config: Json = {"indexes": [{**index, "state": "READY"} for index in indexes]}
            return config if name == ancestor else {"usesAncestorConfig": True, "ancestorField": ancestor, **config}
        state = self._builds.state(f"{name}/indexConfig")
        indexes = [{**index, "state": state} for index in field["indexConfig"]["indexes"]]
        return {"ancestorField": ancestor} | ({"indexes": indexes} if indexes else {})

    def _build(self, name: str, before: Json, after: Json) -> Operation:
        times = self._builds.times
        changed = [half for half in sorted(_HALVES) if before.get(half) != after.get(half)]
        seconds = max(
            times.field_seconds if "indexConfig" in changed else 0,
            times.ttl_seconds if "ttlConfig" in changed else 0,
        )
        told = {"@type": f"type.googleapis.com/{ADMIN}.FieldOperationMetadata", "field": name, **_deltas(before, after)}

        def metadata(fraction: float) -> Json:
            state = "SUCCESSFUL" if fraction >= 1 else "PROCESSING" if fraction else "INITIALIZING"
            return {**told, "state": state, "progressDocuments": self._builds.progress(fraction)}

        response = {"@type": f"type.googleapis.com/{ADMIN}.Field", **self.get(name)}
        return self._operations.start(name.split("/collectionGroups/", maxsplit=1)[0], metadata, response, seconds)


def _index(path: str, kind: Json, scope: str) -> Json:
    return {"queryScope": scope, "fields": [{"fieldPath": path, **kind}]}


def _override(name: str, index: Json) -> Json:
    fields = index.get("fields") or []
    if len(fields) != 1 or not {"order", "arrayConfig"} & set(fields[0]):
        raise invalid("an index of a single field has exactly one field, with an order or an arrayConfig")
    kind: Any = {key: fields[0][key] for key in ("order", "arrayConfig") if key in fields[0]}
    return _index(name.rpartition("/")[2], kind, index.get("queryScope", "COLLECTION"))


def _deltas(before: Json, after: Json) -> Json:
    """Say what changes, as FieldOperationMetadata does."""
    old, new = (side.get("indexConfig", {}).get("indexes", []) for side in (before, after))
    deltas = [{"changeType": "ADD", "index": index} for index in new if index not in old]
    deltas += [{"changeType": "REMOVE", "index": index} for index in old if index not in new]
    answer: Json = {"indexConfigDeltas": deltas} if deltas else {}
    if ("ttlConfig" in before) != ("ttlConfig" in after):
        answer["ttlConfigDelta"] = {"changeType": "ADD" if "ttlConfig" in after else "REMOVE"}
    return answer
