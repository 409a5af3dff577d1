"""Sources are deleted on the emulator under the versions of their targets, and come back with every type."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator

import pytest_asyncio
from tests.integration.test_moving_on_firestore import contents, done, filled
from tests.moving import COPY, KIT, counts, migration, plan

from firelift.api.run import RunKind, VerifyPlan
from firelift.migration.store import Update
from firelift.stores.firestore.store import FirestoreStore, open_firestore

SPEC = migration(
    COPY,
    source={"collection": "flat"},
    target={"document": "users/{doc.name}/logs/{id}"},
    entityKey=None,
    transform={"rename": {"point": "where"}},
)


@pytest_asyncio.fixture
async def store(emulator: str) -> AsyncIterator[FirestoreStore]:
    opened = open_firestore(f"delete-{secrets.token_hex(6)}", emulator_host=emulator)
    yield opened
    await opened.close()


async def test_sources_go_with_their_targets_verified_and_come_back_with_every_type(store: FirestoreStore) -> None:
    before = await filled(store, "flat")
    await done(store, plan(RunKind.MIGRATE, SPEC))
    await store.commit([Update("flat/d003", {"ts": KIT.encode(5)}, [("ts",)], None)])
    await store.commit([Update("users/x/logs/d004", {"ts": KIT.encode(5)}, [("ts",)], None)])
    assert counts(await done(store, plan(RunKind.DELETE, SPEC))) == {"read": 25, "deleted": 24, "kept": 1}
    assert set(await contents(store, "flat")) == {"flat/d003"}
    compares = VerifyPlan(recheck_seconds=0)
    verify = plan(RunKind.VERIFY, SPEC, subjects=("migrate.0",), verify=compares)
    assert counts(await done(store, verify)) == {"read": 25, "unchanged": 24, "different": 1}
    back = counts(await done(store, plan(RunKind.REVERT, SPEC, subjects=("delete.0",))))
    assert back == {"read": 24, "created": 24}
    after = await contents(store, "flat")
    assert after | {"flat/d003": before["flat/d003"]} == before
    assert counts(await done(store, plan(RunKind.REVERT_VERIFY, SPEC, subjects=("delete.0",)))) == {
        "read": 24,
        "unchanged": 24,
    }
