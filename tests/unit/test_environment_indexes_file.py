"""`firestore.indexes.json`: what the Firebase CLI writes is read, written again the same, or refused in a sentence."""

import json
from typing import Any

import pytest
from tests.manifests import Manifest

from firelift.environment.indexes_file import read, write
from firelift.environment.unusable import Unusable

_FIELD = {"fieldPath": "owner", "order": "ASCENDING"}
_INDEX = {
    "collectionGroup": "notes",
    "queryScope": "COLLECTION",
    "fields": [_FIELD, {"fieldPath": "tags", "arrayConfig": "CONTAINS"}],
}
_NEAREST = {
    "collectionGroup": "notes",
    "queryScope": "COLLECTION_GROUP",
    "fields": [_FIELD, {"fieldPath": "embedding", "vectorConfig": {"dimension": 768, "flat": {}}}],
}
_ALL = [
    {"order": "ASCENDING", "queryScope": "COLLECTION"},
    {"order": "DESCENDING", "queryScope": "COLLECTION"},
    {"arrayConfig": "CONTAINS", "queryScope": "COLLECTION"},
]
_TTL = {"collectionGroup": "sessions", "fieldPath": "expireAt", "ttl": True, "indexes": []}
_KEPT_TTL = {"collectionGroup": "tokens", "fieldPath": "expireAt", "ttl": True, "indexes": _ALL}
_BLOB = {"collectionGroup": "notes", "fieldPath": "text", "ttl": False, "indexes": []}
_GROUP = {
    "collectionGroup": "notes",
    "fieldPath": "owner",
    "ttl": False,
    "indexes": [{"order": "ASCENDING", "queryScope": "COLLECTION_GROUP"}],
}
_WHOLE = {"indexes": [_INDEX, _NEAREST], "fieldOverrides": [_BLOB, _GROUP, _TTL, _KEPT_TTL]}


def test_a_file_is_read_under_keys_that_are_made_of_its_content() -> None:
    found = read(json.dumps(_WHOLE))
    assert list(found.composite) == [
        "notes(owner ASCENDING,tags CONTAINS)",
        "notes:COLLECTION_GROUP(owner ASCENDING,embedding VECTOR)",
    ]
    assert list(found.fields) == ["notes.text", "notes.owner"]
    assert {key: ttl.keep_indexed for key, ttl in found.ttls.items()} == {
        "sessions.expireAt": False,
        "tokens.expireAt": True,
    }


def _sorted(document: Manifest) -> dict[str, list[Any]]:
    return {name: sorted(entries, key=json.dumps) for name, entries in document.items()}


def test_a_file_that_is_read_and_written_is_the_same_file() -> None:
    written = write(read(json.dumps(_WHOLE)))
    assert _sorted(json.loads(written)) == _sorted(_WHOLE)
    assert write(read(written)) == written


@pytest.mark.parametrize(
    ("entry", "fields"),
    [
        ({"queryScope": "COLLECTION", "density": "SPARSE_ALL", "apiScope": "ANY_API"}, _INDEX["fields"]),
        ({"multikey": False, "unique": False}, _INDEX["fields"]),
        ({}, [*_INDEX["fields"], {"fieldPath": "__name__", "order": "ASCENDING"}]),
    ],
)
def test_what_firestore_implies_makes_no_other_index(entry: Manifest, fields: list[Manifest]) -> None:
    plain = read(json.dumps({"indexes": [_INDEX]}))
    assert read(json.dumps({"indexes": [{"collectionGroup": "notes", **entry, "fields": fields}]})) == plain


def test_a_name_in_a_direction_of_its_own_makes_another_index() -> None:
    fields = [*_INDEX["fields"], {"fieldPath": "__name__", "order": "DESCENDING"}]
    (index,) = read(json.dumps({"indexes": [{**_INDEX, "fields": fields}]})).composite.values()
    assert index.fields[-1].path == "__name__"


def test_a_long_key_is_cut_and_stays_its_own() -> None:
    paths = ["x" * 200 + "a", "x" * 200 + "b"]
    entries = [{"collectionGroup": "c", "fieldPath": path, "indexes": []} for path in paths]
    keys = list(read(json.dumps({"fieldOverrides": entries})).fields)
    assert [len(key) for key in keys] == [120, 120]
    assert len(set(keys)) == 2


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "f.json is no JSON"),
        ("[" * 100_000, "f.json is no JSON"),
        ("[]", "f.json must be an object with `indexes` and `fieldOverrides` and nothing else"),
        ('{"rules": []}', "f.json must be an object with `indexes` and `fieldOverrides` and nothing else"),
        ('{"indexes": {}}', "f.json: `indexes` must be a list"),
        ('{"indexes": [1]}', "f.json: indexes[0] must be an object"),
        ('{"indexes": [{"fields": 1}]}', "f.json: indexes[0] must have a list of objects as `fields`"),
        ('{"indexes": [{"collectionId": "a"}]}', "as an old Firebase CLI wrote it: let `firebase firestore:indexes`"),
        (json.dumps({"indexes": [_INDEX, {**_INDEX, "name": "x"}]}), "f.json: indexes[1] has `name`, which Firelift"),
        (
            json.dumps({"indexes": [{**_INDEX, "apiScope": "MONGODB_COMPATIBLE_API"}]}),
            "f.json: indexes[0] has `apiScope: MONGODB_COMPATIBLE_API`: a FirestoreEnvironment only makes ANY_API",
        ),
        (
            json.dumps({"indexes": [{**_INDEX, "queryScope": "COLLECTION_RECURSIVE"}]}),
            "f.json: indexes[0] is wrong: scope: Input should be 'COLLECTION' or 'COLLECTION_GROUP'",
        ),
        (
            json.dumps({"indexes": [{**_INDEX, "fields": [_FIELD, {"fieldPath": "b"}]}]}),
            "f.json: indexes[0] is wrong: fields.1: a field of an index must have exactly one of `order`",
        ),
        (
            json.dumps({"fieldOverrides": [{"collectionGroup": "a", "fieldPath": "b"}]}),
            "f.json: fieldOverrides[0] says neither `ttl` nor `indexes`, and so nothing: take it out",
        ),
        (
            json.dumps({"fieldOverrides": [{**_TTL, "indexes": _ALL[:1]}]}),
            "f.json: fieldOverrides[0] has a TTL and some indexes: a TTL's field keeps all of Firestore's own indexes",
        ),
        (
            json.dumps({"fieldOverrides": [{**_BLOB, "indexes": [{}]}]}),
            "fieldOverrides[0] is wrong: an index of one field must have exactly one of `order` and `arrayConfig`",
        ),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_the_entry_that_is(text: str, sentence: str) -> None:
    with pytest.raises(Unusable) as refused:
        read(text, "f.json")
    assert sentence in str(refused.value)
