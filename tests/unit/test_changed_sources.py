"""A sweep carries a change of a source on to the copy that nobody has touched, and leaves the app's own words alone."""

from __future__ import annotations

from typing import Any

import pytest
from tests.moving import COPY, KIT, counts, everything, migration, plan, ran, seeded, seen, stored
from tests.unit.test_one_to_many import ORDERS

from firelift.api.migration import OnExisting
from firelift.api.run import RunKind, VerifyPlan
from firelift.migration.store import Delete, Put, Update
from firelift.stores.memory import MemoryStore

SOURCE, TARGET = "fitness_logs/1", "users/ada/fitness_logs/1"
LOG = {"userId": "ada", "kcal": 5, "note": "old"}


async def put(store: MemoryStore, path: str, fields: dict[str, Any]) -> None:
    await store.commit([Put(path, stored(fields))])


async def touch(store: MemoryStore, path: str, **fields: object) -> None:
    await store.commit([Update(path, stored(fields), [(name,) for name in fields], None)])


async def swept(store: MemoryStore, number: int = 0, **changes: Any) -> dict[str, int]:
    return counts(await ran(store, plan(RunKind.SWEEP, migration(COPY, **changes), number)))


@pytest.mark.parametrize("policy", [OnExisting.FILL_MISSING, OnExisting.SKIP])
async def test_a_changed_source_reaches_its_untouched_copy_whole(policy: OnExisting) -> None:
    store = await seeded({SOURCE: LOG})
    await ran(store, plan(RunKind.MIGRATE, migration(COPY, onExisting=policy)))
    await put(store, SOURCE, {"userId": "ada", "kcal": 6, "more": True})
    assert await swept(store, onExisting=policy) == {"read": 1, "updated": 1}
    assert await seen(store, TARGET) == {"userId": "ada", "kcal": 6, "more": True}
    await touch(store, SOURCE, kcal=7)
    assert await swept(store, 1, onExisting=policy) == {"read": 1, "updated": 1}
    assert (await seen(store, TARGET) or {})["kcal"] == 7
    left = {"unchanged": 1} if policy is OnExisting.FILL_MISSING else {"skipped": 1}
    assert await swept(store, 2, onExisting=policy) == {"read": 1, **left}


async def test_what_the_app_has_touched_stays_the_apps_but_for_what_is_absent() -> None:
    store = await seeded({SOURCE: LOG})
    await ran(store, plan(RunKind.MIGRATE, migration()))
    await touch(store, TARGET, kcal=50)
    await touch(store, SOURCE, kcal=6, more=1)
    assert await swept(store) == {"read": 1, "updated": 1}
    assert await seen(store, TARGET) == {**LOG, "kcal": 50, "more": 1}
    await touch(store, SOURCE, kcal=7, more=2)
    assert await swept(store, 1) == {"read": 1, "updated": 1}
    assert await seen(store, TARGET) == {**LOG, "kcal": 50, "more": 2}, "only what we have filled is ours"


async def test_a_document_that_was_there_before_keeps_what_it_had() -> None:
    store = await seeded({SOURCE: LOG, TARGET: {"kcal": 1}})
    await ran(store, plan(RunKind.MIGRATE, migration()))
    await touch(store, SOURCE, kcal=9, note="new")
    assert await swept(store) == {"read": 1, "updated": 1}
    assert await seen(store, TARGET) == {"kcal": 1, "userId": "ada", "note": "new"}


async def test_a_copy_that_the_app_made_anew_is_the_apps() -> None:
    store = await seeded({SOURCE: LOG})
    await ran(store, plan(RunKind.MIGRATE, migration()))
    await put(store, TARGET, {"userId": "ada", "kcal": 70, "note": "mine"})
    await touch(store, SOURCE, kcal=6)
    assert await swept(store) == {"read": 1, "unchanged": 1}


@pytest.mark.parametrize("policy", [OnExisting.FILL_MISSING, OnExisting.SKIP])
async def test_a_source_made_anew_reaches_its_untouched_copy_too(policy: OnExisting) -> None:
    store = await seeded({SOURCE: LOG})
    await ran(store, plan(RunKind.MIGRATE, migration(COPY, onExisting=policy)))
    await store.commit([Delete(SOURCE)])
    await put(store, SOURCE, {"userId": "ada", "kcal": 6})
    assert await swept(store, onExisting=policy) == {"read": 1, "updated": 1}
    assert await seen(store, TARGET) == {"userId": "ada", "kcal": 6}


async def test_what_was_carried_on_verifies_and_goes_back_to_where_it_was() -> None:
    store = await seeded({SOURCE: LOG})
    before = everything(store)
    await ran(store, plan(RunKind.MIGRATE, migration()))
    await touch(store, SOURCE, kcal=6)
    await swept(store)
    runs = ("migrate.0", "sweep.0")
    checks = VerifyPlan(recheck_seconds=0)
    assert counts(await ran(store, plan(RunKind.VERIFY, migration(), subjects=runs, verify=checks))) == {
        "read": 1,
        "unchanged": 1,
    }
    await ran(store, plan(RunKind.REVERT, migration(), subjects=runs))
    left = everything(store)
    assert left.keys() == before.keys()
    assert KIT.decode(KIT.loads(left[SOURCE]["kcal"])) == 6


@pytest.mark.parametrize("policy", [OnExisting.FILL_MISSING, OnExisting.SKIP])
async def test_a_changed_element_reaches_its_untouched_document_and_no_other(policy: OnExisting) -> None:
    """One-to-many: each document by itself, however many its source has."""
    store = await seeded({"orders/1": {"items": [{"sku": "a", "n": 1}, {"sku": "b", "n": 1}]}})
    await ran(store, plan(RunKind.MIGRATE, migration(ORDERS, onExisting=policy)))
    await touch(store, "orders/1/items/b", mine=True)
    await touch(store, "orders/1", items=[{"sku": "a", "n": 2}, {"sku": "b", "n": 2}])
    found = counts(await ran(store, plan(RunKind.SWEEP, migration(ORDERS, onExisting=policy))))
    left = {"unchanged": 1} if policy is OnExisting.FILL_MISSING else {"skipped": 1}
    assert found == {"read": 2, "updated": 1, **left}
    assert await seen(store, "orders/1/items/a") == {"sku": "a", "n": 2}
    assert await seen(store, "orders/1/items/b") == {"sku": "b", "n": 1, "mine": True}
