"""`firestore.indexes.json`, the file that the Firebase CLI writes: read into a spec's words, and written of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import ValidationError

from firelift.api.base import Model
from firelift.api.environment.indexes import (
    DOCUMENT_NAME,
    ArrayConfig,
    CompositeIndex,
    FieldOverride,
    IndexField,
    Order,
    Scope,
    SingleFieldIndex,
    TtlSpec,
)
from firelift.environment.unusable import Unusable

_LONGEST_KEY = 120
_OF_FIRESTORE = (
    SingleFieldIndex(order=Order.ASCENDING),
    SingleFieldIndex(order=Order.DESCENDING),
    SingleFieldIndex(array_config=ArrayConfig.CONTAINS),
)
"""What a field has without an override."""
_IMPLIED: Mapping[str, Any] = {"apiScope": "ANY_API", "density": "SPARSE_ALL", "multikey": False, "unique": False}
_INDEX_NAMES = {"collectionGroup", "queryScope", "fields", *_IMPLIED}
_OVERRIDE_NAMES = {"collectionGroup", "fieldPath", "indexes", "ttl"}

_M = TypeVar("_M", bound=Model)


@dataclass(frozen=True, slots=True)
class IndexesFile:
    """What a file declares, by keys that are made of the content, so that the order in the file means nothing."""

    composite: Mapping[str, CompositeIndex] = field(default_factory=dict)
    fields: Mapping[str, FieldOverride] = field(default_factory=dict)
    ttls: Mapping[str, TtlSpec] = field(default_factory=dict)


def read(text: str, name: str = "firestore.indexes.json") -> IndexesFile:
    """Read a file.

    Raises:
        Unusable: it is no such file, or it declares what a spec has no words for; the sentence names the entry.
    """
    document = _document(text, name)
    composite = [_index(_entry(each, f"{name}: indexes[{i}]")) for i, each in enumerate(document.get("indexes", []))]
    overrides = [
        _override(_entry(each, f"{name}: fieldOverrides[{i}]"))
        for i, each in enumerate(document.get("fieldOverrides", []))
    ]
    return IndexesFile(
        composite={composite_key(index): index for index in composite},
        fields={field_key(each): each for each in overrides if isinstance(each, FieldOverride)},
        ttls={field_key(each): each for each in overrides if isinstance(each, TtlSpec)},
    )


def write(declared: IndexesFile) -> str:
    """The same as the Firebase CLI writes it, in one order whatever the keys are."""
    fields = [*map(_written_field, declared.fields.values()), *map(_written_field, declared.ttls.values())]
    document = {
        "indexes": sorted(map(_written_index, declared.composite.values()), key=json.dumps),
        "fieldOverrides": sorted(fields, key=json.dumps),
    }
    return json.dumps(document, indent=2) + "\n"


def without_implied_name(index: CompositeIndex) -> CompositeIndex:
    """The index without a last `__name__` in the direction that Firestore appends by itself."""
    *others, last = index.fields
    if last.path != DOCUMENT_NAME or not others:
        return index
    implied = others[-1].order or Order.ASCENDING
    return index.model_copy(update={"fields": tuple(others)}) if last.order is implied else index


def composite_key(index: CompositeIndex) -> str:
    """The key of an index of a file, such as ``telemetry(tenant_id ASCENDING,timestamp_ms DESCENDING)``."""
    scope = "" if index.scope is Scope.COLLECTION else f":{index.scope}"
    return _bounded(f"{index.collection}{scope}({','.join(map(_field_text, index.fields))})")


def field_key(each: FieldOverride | TtlSpec) -> str:
    """The key of a field of a file, such as ``telemetry.expireAt``."""
    return _bounded(f"{each.collection}.{each.path}")


def _field_text(each: IndexField) -> str:
    return f"{each.path} {each.order or each.array_config or 'VECTOR'}"


def _bounded(key: str) -> str:
    if len(key) <= _LONGEST_KEY:
        return key
    return f"{key[: _LONGEST_KEY - 9]}~{hashlib.sha256(key.encode()).hexdigest()[:8]}"


@dataclass(frozen=True, slots=True)
class _Entry:
    """One object of the file, and where it stands."""

    place: str
    content: Mapping[str, Any]

    def refuse(self, why: str) -> Unusable:
        return Unusable(f"{self.place} {why}")

    def only(self, names: set[str]) -> None:
        if unknown := sorted(set(self.content) - names):
            raise self.refuse(f"has {', '.join(f'`{name}`' for name in unknown)}, which Firelift does not know")

    def model(self, kind: type[_M], values: Mapping[str, Any]) -> _M:
        said = {name: value for name, value in values.items() if value is not None}
        try:
            return kind.model_validate(said)
        except ValidationError as refused:
            error = refused.errors()[0]
            where = ".".join(map(str, error["loc"]))
            raise self.refuse(f"is wrong: {where + ': ' if where else ''}{_words(error['msg'])}") from None


def _words(message: str) -> str:
    return message.removeprefix("Value error, ")


def _document(text: str, name: str) -> Mapping[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as broken:
        raise Unusable(f"{name} is no JSON: {broken}") from None
    lists = {"indexes", "fieldOverrides"}
    if not isinstance(document, dict) or not set(document) <= lists:
        raise Unusable(f"{name} must be an object with `indexes` and `fieldOverrides` and nothing else")
    if wrong := sorted(key for key in document if not isinstance(document[key], list)):
        raise Unusable(f"{name}: `{wrong[0]}` must be a list")
    return document


def _entry(content: Any, place: str) -> _Entry:
    if not isinstance(content, dict):
        raise Unusable(f"{place} must be an object")
    if "collectionId" in content:
        raise Unusable(
            f"{place} has `collectionId`, as an old Firebase CLI wrote it: let `firebase firestore:indexes` write the"
            " file anew"
        )
    return _Entry(place, content)


def _index(entry: _Entry) -> CompositeIndex:
    entry.only(_INDEX_NAMES)
    for name, implied in _IMPLIED.items():
        if entry.content.get(name, implied) != implied:
            raise entry.refuse(f"has `{name}: {entry.content[name]}`: a FirestoreEnvironment only makes {implied}")
    values = {
        "collection": entry.content.get("collectionGroup"),
        "scope": entry.content.get("queryScope"),
        "fields": [_index_field(each) for each in _listed(entry, "fields")],
    }
    return without_implied_name(entry.model(CompositeIndex, values))


def _index_field(found: Mapping[str, Any]) -> dict[str, Any]:
    vector = found.get("vectorConfig")
    values = {
        "path": found.get("fieldPath"),
        "order": found.get("order"),
        "arrayConfig": found.get("arrayConfig"),
        "vector": {"dimension": vector.get("dimension")} if isinstance(vector, dict) else vector,
    }
    return {name: value for name, value in values.items() if value is not None}


def _override(entry: _Entry) -> FieldOverride | TtlSpec:
    entry.only(_OVERRIDE_NAMES)
    place = {"collection": entry.content.get("collectionGroup"), "path": entry.content.get("fieldPath")}
    indexes = [
        entry.model(
            SingleFieldIndex,
            {"order": each.get("order"), "arrayConfig": each.get("arrayConfig"), "scope": each.get("queryScope")},
        )
        for each in _listed(entry, "indexes")
    ]
    if entry.content.get("ttl"):
        return entry.model(TtlSpec, {**place, "keepIndexed": _keeps(entry, indexes)})
    if "indexes" not in entry.content:
        raise entry.refuse("says neither `ttl` nor `indexes`, and so nothing: take it out")
    return entry.model(FieldOverride, {**place, "indexed": bool(indexes), "indexes": indexes})


def _keeps(entry: _Entry, indexes: list[SingleFieldIndex]) -> bool:
    if "indexes" not in entry.content or set(indexes) == set(_OF_FIRESTORE):
        return True
    if indexes:
        raise entry.refuse(
            "has a TTL and some indexes: a TTL's field keeps all of Firestore's own indexes or none; write `indexes:"
            " []` or leave `indexes` out"
        )
    return False


def _listed(entry: _Entry, name: str) -> Iterable[Mapping[str, Any]]:
    found = entry.content.get(name, [])
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise entry.refuse(f"must have a list of objects as `{name}`")
    return found


def _written_index(index: CompositeIndex) -> dict[str, Any]:
    return {
        "collectionGroup": index.collection,
        "queryScope": index.scope.value,
        "fields": [_written_index_field(each) for each in index.fields],
    }


def _written_index_field(each: IndexField) -> dict[str, Any]:
    if each.vector:
        return {"fieldPath": each.path, "vectorConfig": {"dimension": each.vector.dimension, "flat": {}}}
    return {"fieldPath": each.path, **_written_kind(each)}


def _written_kind(each: IndexField | SingleFieldIndex) -> dict[str, str]:
    kinds = {"order": each.order, "arrayConfig": each.array_config}
    return {name: kind.value for name, kind in kinds.items() if kind}


def _written_field(each: FieldOverride | TtlSpec) -> dict[str, Any]:
    expires = isinstance(each, TtlSpec)
    indexes = (_OF_FIRESTORE if each.keep_indexed else ()) if isinstance(each, TtlSpec) else each.indexes
    return {
        "collectionGroup": each.collection,
        "fieldPath": each.path,
        "ttl": expires,
        "indexes": [{**_written_kind(index), "queryScope": index.scope.value} for index in indexes],
    }
