"""Documents that only the app wrote in the new shape go back on the emulator, with every type."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator

import pytest_asyncio
from tests.integration.test_moving_on_firestore import EVERY_TYPE, contents, done, filled, packed
from tests.moving import COPY, KIT, counts, migration, plan

from firelift.api.run import RunKind
from firelift.migration.store import Create, Update
from firelift.stores.firestore.store import FirestoreStore, open_firestore

SPEC = migration(
    COPY,
    source={"collection": "flat"},
    target={"document": "users/{doc.name}/flat/{id}"},
    entityKey="name",
    transform={"rename": {"point": "where", "vector": "embedding"}},
    reverse={},
)


@pytest_asyncio.fixture
async def store(emulator: str) -> AsyncIterator[FirestoreStore]:
    opened = open_firestore(f"reverse-{secrets.token_hex(6)}", emulator_host=emulator)
    yield opened
    await opened.close()


async def test_they_move_back_out_of_a_group_that_the_source_is_part_of(store: FirestoreStore) -> None:
    before = await filled(store, "flat")
    await done(store, plan(RunKind.MIGRATE, SPEC))
    old = {name: KIT.encode(value) for name, value in EVERY_TYPE.items()}
    new = {**old, "where": old["point"], "embedding": old["vector"]}
    del new["point"], new["vector"]
    await store.commit([Create(f"users/x/flat/new{n}", new) for n in range(7)])
    await store.commit([Create("flat/mine", old)])
    await store.commit([Update("users/x/flat/d003", {"mine": KIT.encode(1)}, [("mine",)], None)])
    reverted = counts(await done(store, plan(RunKind.REVERT, SPEC, subjects=("migrate.0",))))
    assert reverted == {"read": 25 + 14, "created": 7, "deleted": 24 + 7, "kept": 1}
    back = {f"flat/new{n}": packed(old) for n in range(7)}
    assert await contents(store, "flat") == before | back | {"flat/mine": packed(old)}
    assert set(await contents(store, "flat", group=True)) - set(await contents(store, "flat")) == {"users/x/flat/d003"}
    checked = counts(await done(store, plan(RunKind.REVERT_VERIFY, SPEC, subjects=("migrate.0",))))
    assert checked == {"read": 25, "unchanged": 24, "kept": 1}
