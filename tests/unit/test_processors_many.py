"""Whole runs, one-to-many: late changes, what has gone, who was first, and sources that no single commit can take."""

from __future__ import annotations

from typing import Any

import pytest
from tests.moving import LEDGER, counts, everything, migration, plain, plan, ran, seeded, seen, stored
from tests.unit.test_one_to_many import ORDERS
from tests.virtual_time import in_virtual_time

from firelift.api.run import RunKind, RunPlan, VerifyPlan
from firelift.api.steps.verify import Authority
from firelift.migration.errors import InvalidData
from firelift.migration.ledger import paths
from firelift.migration.ledger.journal import Journal
from firelift.migration.store import Create, Delete, Update
from firelift.stores.memory import MemoryStore


def items(*skus: str, **values: Any) -> dict[str, Any]:
    return {"items": [{"sku": sku, **values} for sku in skus]}


def put(store: MemoryStore, path: str, **values: Any) -> None:
    """The app writes some fields."""
    store.apply([Update(path, stored(values), [(name,) for name in values], None)])


def made(kind: RunKind, number: int = 0, **changes: Any) -> RunPlan:
    overwrite = migration(ORDERS, onExisting="Overwrite")
    subjects = changes.pop("subjects", ("migrate.0", "sweep.0") if kind in {RunKind.REVERT, RunKind.VERIFY} else ())
    verify = VerifyPlan(recheck_seconds=0, authority=changes.pop("authority", Authority.SOURCE))
    return plan(kind, overwrite, number, verify=verify, subjects=subjects, **changes)


def letters(store: MemoryStore, run: str) -> list[dict[str, Any]]:
    """The dead letters of a run."""
    below = f"{paths.collection(LEDGER, paths.DEAD_LETTERS)}/{run}."
    return [plain(fields) for path, fields in sorted(store.snapshot().items()) if path.startswith(below)]


async def moved(**orders: dict[str, Any]) -> MemoryStore:
    store = await seeded({f"orders/{name}": fields for name, fields in orders.items()})
    await ran(store, made(RunKind.MIGRATE))
    return store


@in_virtual_time
async def test_documents_are_counted_one_by_one_and_a_source_without_any_is_skipped() -> None:
    store = await seeded({"orders/1": items("a", "b"), "orders/2": {"items": []}, "orders/3": {"items": 5}})
    assert counts(await ran(store, made(RunKind.MIGRATE))) == {"read": 4, "created": 2, "skipped": 1, "dead_letters": 1}
    letter = await seen(store, paths.dead_letter(LEDGER, "migrate.0", "orders/3"))
    assert letter
    assert letter["reason"] == "it must lead to a list, found a int"
    assert await seen(store, "orders/1/items/b") == {"sku": "b"}


@in_virtual_time
async def test_on_invalid_fail_stops_before_the_source() -> None:
    store = await seeded({"orders/1": {"items": 5}})
    with pytest.raises(InvalidData, match=r"orders/1 broke target\.forEach"):
        await ran(store, plan(RunKind.MIGRATE, migration(ORDERS, onInvalid="Fail")))


@in_virtual_time
async def test_all_documents_of_a_source_are_in_one_commit() -> None:
    store = await moved(**{f"o{number}": items("a", "b", "c") for number in range(4)})
    entries = await Journal(store, LEDGER).entries("migrate.0", 0, newest_first=False, start=None)
    by_entry = [{str(image.source) for image in entry.images} for entry in entries if entry.images]
    assert sorted(source for sources in by_entry for source in sources) == [f"orders/o{n}" for n in range(4)]


@in_virtual_time
async def test_a_source_beyond_one_commit_is_moved_in_parts_and_found_again_by_a_sweep_and_a_revert() -> None:
    skus = [f"s{number:02d}" for number in range(11)]
    store = await moved(big=items(*skus), big2=items("x"))
    put(store, "orders/big", **items(*skus[:9], "late", n=1))
    swept = counts(await ran(store, made(RunKind.SWEEP)))
    assert swept == {"read": 13, "updated": 9, "created": 1, "deleted": 2, "unchanged": 1}
    verified = counts(await ran(store, made(RunKind.VERIFY)))
    assert verified == {"read": 11, "unchanged": 11}
    assert counts(await ran(store, made(RunKind.REVERT)))["deleted"] == 11
    assert {path for path in everything(store) if "/items/" in path} == set()


@in_virtual_time
async def test_a_sweep_follows_what_was_added_changed_and_removed() -> None:
    store = await moved(one=items("a", "b"), two=items("c"))
    put(store, "orders/one", **items("b", "d", n=2))
    assert counts(await ran(store, made(RunKind.VERIFY, subjects=("migrate.0",)))) == {
        "read": 4,
        "unchanged": 1,
        "missing": 1,
        "different": 1,
        "extra": 1,
    }
    swept = counts(await ran(store, made(RunKind.SWEEP)))
    assert swept == {"read": 4, "updated": 1, "created": 1, "deleted": 1, "unchanged": 1}
    assert await seen(store, "orders/one/items/a") is None
    assert await seen(store, "orders/one/items/b") == {"sku": "b", "n": 2}
    assert counts(await ran(store, made(RunKind.VERIFY, 1))) == {"read": 3, "unchanged": 3}


@in_virtual_time
async def test_what_has_gone_from_its_source_stays_where_the_app_has_changed_it() -> None:
    store = await moved(one=items("a", "b"))
    put(store, "orders/one/items/a", mine="the app's")
    put(store, "orders/one", **items("b"))
    assert counts(await ran(store, made(RunKind.SWEEP))) == {"read": 2, "unchanged": 1, "kept": 1}
    letter = await seen(store, paths.dead_letter(LEDGER, "sweep.0", "orders/one"))
    assert letter
    assert letter["reason"].endswith("so they stay: orders/one/items/a")
    assert counts(await ran(store, made(RunKind.VERIFY))) == {"read": 2, "unchanged": 1, "extra": 1}


@in_virtual_time
async def test_each_part_of_a_source_has_a_letter_of_its_own_and_a_retry_closes_them_all() -> None:
    skus = [f"s{number:02d}" for number in range(9)]
    store = await moved(big=items(*skus))
    for sku in skus[1:]:
        put(store, f"orders/big/items/{sku}", mine="the app's")
    put(store, "orders/big", **items("s00"))
    assert counts(await ran(store, made(RunKind.SWEEP))) == {"read": 9, "unchanged": 1, "kept": 8}
    reasons = [letter["reason"] for letter in letters(store, "sweep.0")]
    assert len(reasons) == 3
    named = " ".join(reasons)
    assert all(f"orders/big/items/{sku}" in named for sku in ("s01", "s04", "s08"))
    again = counts(await ran(store, made(RunKind.SWEEP, 1, letters=("sweep.0",))))
    assert again == {"read": 9, "unchanged": 1, "kept": 8, "closed_letters": 3}
    assert all(letter["closedByRun"] == "sweep.1" for letter in letters(store, "sweep.0"))


@in_virtual_time
async def test_what_the_app_has_deleted_stays_deleted_and_what_we_deleted_comes_back_with_its_element() -> None:
    store = await moved(one=items("a", "b"))
    store.apply([Delete("orders/one/items/a")])
    put(store, "orders/one", **items("a"))
    assert counts(await ran(store, made(RunKind.SWEEP))) == {"read": 2, "skipped": 1, "deleted": 1}
    put(store, "orders/one", **items("a", "b"))
    assert counts(await ran(store, made(RunKind.SWEEP, 1))) == {"read": 2, "skipped": 1, "created": 1}
    switched = made(RunKind.VERIFY, authority=Authority.TARGET, subjects=("migrate.0", "sweep.0", "sweep.1"))
    assert counts(await ran(store, switched)) == {"read": 2, "skipped": 1, "unchanged": 1}


@in_virtual_time
async def test_a_revert_of_the_sweep_alone_brings_back_what_it_deleted() -> None:
    store = await moved(one=items("a", "b"))
    put(store, "orders/one", **items("b"))
    await ran(store, made(RunKind.SWEEP))
    back = made(RunKind.REVERT, subjects=("sweep.0",))
    assert counts(await ran(store, back)) == {"read": 1, "created": 1}
    assert await seen(store, "orders/one/items/a") == {"sku": "a"}


@in_virtual_time
async def test_a_revert_of_all_runs_leaves_nothing_of_what_came_and_went() -> None:
    store = await moved(one=items("a", "b"))
    put(store, "orders/one", **items("b", "c"))
    await ran(store, made(RunKind.SWEEP))
    assert counts(await ran(store, made(RunKind.REVERT))) == {"read": 4, "deleted": 2, "unchanged": 2}
    checked = made(RunKind.REVERT_VERIFY, subjects=("migrate.0", "sweep.0"))
    assert counts(await ran(store, checked)) == {"read": 4, "unchanged": 4}
    assert set(everything(store)) == {"orders/one"}


@in_virtual_time
async def test_two_sources_for_one_target_leave_the_second_source_a_dead_letter_with_nothing_written() -> None:
    spec = migration(ORDERS, target={"document": "items/{item.sku}", "forEach": "doc.items"})
    store = await seeded({"orders/1": items("a", "b"), "orders/2": items("c", "b"), "orders/3": items("d")})
    migrated = counts(await ran(store, plan(RunKind.MIGRATE, spec)))
    assert migrated == {"read": 4, "created": 3, "dead_letters": 1}
    letter = await seen(store, paths.dead_letter(LEDGER, "migrate.0", "orders/2"))
    assert letter
    assert letter["reason"] == "two sources for one target: items/b is the copy of orders/1"
    assert await seen(store, "items/c") is None
    swept = counts(await ran(store, plan(RunKind.SWEEP, spec)))
    assert swept == {"read": 4, "unchanged": 3, "dead_letters": 1}
    verify = plan(RunKind.VERIFY, spec, subjects=("migrate.0", "sweep.0"), verify=VerifyPlan(recheck_seconds=0))
    assert counts(await ran(store, verify))["dead_letters"] == 1


@in_virtual_time
async def test_a_source_that_was_a_dead_letter_is_taken_up_again_with_all_of_its_parts() -> None:
    store = await moved(bad={"items": 5}, good=items("a"))
    put(store, "orders/bad", **items(*(f"s{number:02d}" for number in range(10))))
    swept = (await ran(store, made(RunKind.SWEEP, letters=("migrate.0",)))).totals
    assert (swept.created, swept.unchanged, swept.closed_letters) == (10, 1, 1)


@in_virtual_time
async def test_rehearsals_count_documents_and_write_none() -> None:
    store = await seeded({"orders/1": items("a", "b"), "orders/2": items("c"), "orders/3": {"items": 5}})
    before = everything(store)
    for kind, done in ((RunKind.DRY_RUN, "created"), (RunKind.VALIDATE, "unchanged")):
        assert counts(await ran(store, made(kind))) == {"read": 4, done: 3, "dead_letters": 1}
    assert everything(store) == before


@in_virtual_time
async def test_a_target_that_the_app_made_is_filled_and_given_back() -> None:
    store = await seeded({"orders/1": items("a", n=1)})
    store.apply([Create("orders/1/items/a", stored({"mine": True}))])
    spec = migration(ORDERS)
    assert counts(await ran(store, plan(RunKind.MIGRATE, spec)))["updated"] == 1
    assert await seen(store, "orders/1/items/a") == {"mine": True, "sku": "a", "n": 1}
    put(store, "orders/1", items=[])
    assert counts(await ran(store, plan(RunKind.SWEEP, spec))) == {"read": 1, "skipped": 1}
    await ran(store, plan(RunKind.REVERT, spec, subjects=("migrate.0",)))
    assert await seen(store, "orders/1/items/a") == {"mine": True}
