"""Whole runs on the Firestore emulator: nothing is harmed that memory would not show."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest_asyncio
from google.type.latlng_pb2 import LatLng
from tests.moving import COPY, IN_PLACE, KIT, LEDGER, counts, migration, plan, ran

from firelift.api.migration import MigrationSpec
from firelift.api.run import RunKind, RunPlan, VerifyPlan
from firelift.migration.clock import SystemClock
from firelift.migration.ledger.letters import Letters
from firelift.migration.ledger.progress import RunProgress
from firelift.migration.store import Create, Delete, Fields, Source, Update
from firelift.stores.firestore.proto import Value
from firelift.stores.firestore.store import FirestoreStore, open_firestore

Database = dict[str, dict[str, bytes]]

EVERY_TYPE: dict[str, Any] = {
    "name": "x",
    "ts": 1_700_000_000,
    "none": None,
    "yes": True,
    "nan": float("nan"),
    "zero": -0.0,
    "bytes": b"a\0\xff",
    "time": datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    "point": Value(geo_point_value=LatLng(latitude=1.5, longitude=-2)),
    "ref": Value(reference_value="projects/elsewhere/databases/(default)/documents/users/ada"),
    "vector": KIT.new_map({"__type__": KIT.encode("__vector__"), "value": KIT.encode([1.0, 2.0])}),
    "deep": {"a.b": {"old": 1, "`": 2}, "empty": {}},
    "list": [1, "a", {"b": [None]}],
    "a.b": "dotted",
    "0": "digit first",
}


@pytest_asyncio.fixture
async def store(emulator: str) -> AsyncIterator[FirestoreStore]:
    opened = open_firestore(f"moving-{secrets.token_hex(6)}", emulator_host=emulator)
    yield opened
    await opened.close()


async def filled(store: FirestoreStore, collection: str, count: int = 25) -> Database:
    fields = {name: KIT.encode(value) for name, value in EVERY_TYPE.items()}
    await store.commit([Create(f"{collection}/d{n:03d}", {**fields, "n": KIT.encode(n)}) for n in range(count)])
    return await contents(store, collection)


async def contents(store: FirestoreStore, collection: str, *, group: bool = False) -> Database:
    page = await store.page(Source(collection, all_descendants=group), limit=1000)
    return {document.path: packed(document.fields) for document in page.documents}


def packed(fields: Fields) -> dict[str, bytes]:
    return {name: KIT.dumps(value) for name, value in fields.items()}


async def done(store: FirestoreStore, made: RunPlan) -> RunProgress:
    return await ran(store, made, SystemClock())


def following(kind: RunKind, spec: MigrationSpec) -> RunPlan:
    return plan(kind, spec, subjects=("migrate.0",), verify=VerifyPlan(recheck_seconds=0))


async def test_copies_are_whole_verified_and_taken_back(store: FirestoreStore) -> None:
    sources = await filled(store, "flat")
    transform = {
        "rename": {"point": "where.exactly", "`a.b`": "plain", "deep.`a.b`.`\\``": "tick"},
        "set": {"createdAt": "timestamp(doc.ts)", "size": "doc.bytes.size()"},
        "remove": ["ts", "deep.`a.b`.old"],
    }
    target = {"document": "users/{doc.name}/logs/{id}"}
    spec = migration(COPY, source={"collection": "flat"}, target=target, entityKey=None, transform=transform)
    assert counts(await done(store, plan(RunKind.MIGRATE, spec))) == {"read": 25, "created": 25}
    copy = (await contents(store, "logs", group=True))["users/x/logs/d007"]
    source = sources["flat/d007"]
    kept = source.keys() - {"ts", "point", "a.b", "deep"}
    assert {name: copy[name] for name in kept} == {name: source[name] for name in kept}
    assert KIT.entries(KIT.loads(copy["where"]))["exactly"] == EVERY_TYPE["point"]
    assert KIT.decode(KIT.loads(copy["deep"])) == {"a.b": {}, "empty": {}}
    assert [KIT.decode(KIT.loads(copy[name])) for name in ("size", "tick", "plain")] == [3, 2, "dotted"]
    assert counts(await done(store, following(RunKind.VERIFY, spec))) == {"read": 25, "unchanged": 25}
    assert counts(await done(store, following(RunKind.REVERT, spec))) == {"read": 25, "deleted": 25}
    assert await contents(store, "logs", group=True) == {}
    assert await contents(store, "flat") == sources


async def test_changes_in_place_leave_every_other_byte_and_are_taken_back(store: FirestoreStore) -> None:
    before = await filled(store, "flat")
    transform = {
        "rename": {"name": "deep.`a.b`.name", "vector": "0v"},
        "set": {"made.up": "doc.time", "`a.b`": "doc.`a.b` + '!'"},
        "remove": ["deep.`a.b`.old", "none"],
    }
    spec = migration(IN_PLACE, source={"collection": "flat"}, appliesWhen="has(doc.name)", transform=transform)
    assert counts(await done(store, plan(RunKind.MIGRATE, spec))) == {"read": 25, "updated": 25}
    after = await contents(store, "flat")
    touched = {"name", "vector", "0v", "made", "a.b", "deep", "none"}
    for path, fields in before.items():
        assert {n: v for n, v in after[path].items() if n not in touched} == {
            n: v for n, v in fields.items() if n not in touched
        }
        assert after[path]["0v"] == fields["vector"]
        deep = {"a.b": {"`": 2, "name": "x"}, "empty": {}}
        assert KIT.decode(KIT.loads(after[path]["deep"])) == deep
    assert counts(await done(store, following(RunKind.VERIFY, spec))) == {"read": 25, "unchanged": 25}
    live = {"mine": KIT.encode("the app's")}
    await store.commit([Update("flat/d003", live, [("mine",)], None)])
    assert counts(await done(store, following(RunKind.REVERT, spec))) == {"read": 25, "updated": 25}
    assert await contents(store, "flat") == before | {"flat/d003": before["flat/d003"] | packed(live)}
    assert counts(await done(store, following(RunKind.REVERT_VERIFY, spec))) == {"read": 25, "unchanged": 25}


async def test_dead_letters_are_found_again_closed_and_retried_once(store: FirestoreStore) -> None:
    await filled(store, "flat")
    strict = migration(
        COPY,
        source={"collection": "flat"},
        target={"document": "users/{doc.name}/logs/{id}"},
        entityKey=None,
        validate=[{"rule": "out.n % 5 != 0", "message": "n must not be a multiple of five"}],
    )
    first, second = plan(RunKind.MIGRATE, strict), plan(RunKind.SWEEP, strict, letters=("migrate.0",))
    assert counts(await done(store, first)) == {"read": 25, "created": 20, "dead_letters": 5}
    await store.commit([Update("flat/d005", {"n": KIT.encode(6)}, [("n",)], None), Delete("flat/d010")])
    swept = counts(await done(store, second))
    assert swept == {"read": 25, "unchanged": 20, "created": 1, "skipped": 1, "dead_letters": 3, "closed_letters": 5}
    fixed = strict.model_copy(update={"validate_": ()})
    letters = ("migrate.0", "sweep.0")
    third = plan(RunKind.MIGRATE, fixed, 1, follows="migrate.0", letters=letters, attempt=2)
    assert counts(await done(store, third)) == {"read": 3, "created": 3, "closed_letters": 3}
    assert await Letters(store, LEDGER, (*letters, third.id)).records() == frozenset()
