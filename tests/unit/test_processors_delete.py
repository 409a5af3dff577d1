"""Sources go only where their targets hold them, and come back whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from tests.moving import LEDGER, counts, everything, migration, plan, ran, seeded, seen, stored
from tests.unit.test_one_to_many import ORDERS
from tests.virtual_time import in_virtual_time

from firelift.api.migration import MigrationSpec
from firelift.api.run import RunKind, RunPlan, VerifyPlan
from firelift.api.steps.verify import Authority
from firelift.migration.ledger import paths
from firelift.migration.store import Create, Delete, Update, Write
from firelift.stores.memory import MemoryStore

SPEC = migration(transform={"rename": {"type": "logType"}})
SOURCE, TARGET = "fitness_logs/2", "users/u/fitness_logs/2"


def log(number: int) -> dict[str, Any]:
    return {"userId": "u", "type": "run", "n": number}


async def moved(**changes: Any) -> MemoryStore:
    store = await seeded({f"fitness_logs/{number}": log(number) for number in range(5)})
    await ran(store, plan(RunKind.MIGRATE, SPEC, **changes))
    return store


def put(store: MemoryStore, path: str, **values: Any) -> None:
    store.apply([Update(path, stored(values), [(name,) for name in values], None)])


async def deleted(store: MemoryStore, number: int = 0, spec: MigrationSpec = SPEC, **changes: Any) -> dict[str, int]:
    return counts(await ran(store, plan(RunKind.DELETE, spec, number, **changes)))


async def reason(store: MemoryStore, path: str = SOURCE) -> str:
    letter = await seen(store, paths.dead_letter(LEDGER, "delete.0", path))
    assert letter
    return str(letter["reason"])


def verify(number: int, authority: Authority) -> RunPlan:
    compares = VerifyPlan(recheck_seconds=0, authority=authority)
    return plan(RunKind.VERIFY, SPEC, number, subjects=("migrate.0",), verify=compares)


@in_virtual_time
async def test_sources_go_whose_targets_hold_them_and_a_revert_brings_them_back_whole() -> None:
    store = await moved()
    before = everything(store)
    assert await deleted(store) == {"read": 5, "deleted": 5}
    assert {path for path in everything(store) if path.startswith("fitness_logs/")} == set()
    back = plan(RunKind.REVERT, SPEC, subjects=("delete.0",))
    assert counts(await ran(store, back)) == {"read": 5, "created": 5}
    assert everything(store) == before
    checked = plan(RunKind.REVERT_VERIFY, SPEC, subjects=("delete.0",))
    assert counts(await ran(store, checked)) == {"read": 5, "unchanged": 5}


@pytest.mark.parametrize("authority", Authority)
@in_virtual_time
async def test_after_a_delete_the_copies_are_verified_by_the_journal(authority: Authority) -> None:
    store = await moved()
    await deleted(store)
    assert counts(await ran(store, verify(0, authority))) == {"read": 5, "unchanged": 5}
    put(store, TARGET, n=99)
    store.apply([Delete("users/u/fitness_logs/3")])
    assert counts(await ran(store, verify(1, authority))) == {"read": 4, "unchanged": 4}


@in_virtual_time
async def test_a_copy_that_only_the_app_has_changed_since_lives_on_and_its_source_goes() -> None:
    store = await moved()
    put(store, TARGET, n=99)
    assert await deleted(store) == {"read": 5, "deleted": 5}
    assert (await seen(store, TARGET) or {})["n"] == 99


@pytest.mark.parametrize(
    ("writes", "why"),
    [
        ([Delete(TARGET)], f"the source stays: there is no {TARGET}"),
        (
            [Update(SOURCE, stored({"n": 7}), [("n",)], None)],
            f"the source stays: {TARGET} is not what it becomes: n is another integer",
        ),
        (
            [Delete(TARGET), Create(TARGET, stored({"mine": 1}))],
            f"the source stays: {TARGET} is not what it becomes: logType is absent instead of a string; n is absent",
        ),
    ],
)
@in_virtual_time
async def test_a_source_stays_where_something_would_be_lost(writes: list[Write], why: str) -> None:
    store = await moved()
    for write in writes:
        store.apply([write])
    source = await seen(store, SOURCE)
    assert await deleted(store) == {"read": 5, "deleted": 4, "kept": 1}
    assert await seen(store, SOURCE) == source
    assert (await reason(store)).startswith(why)


@in_virtual_time
async def test_a_source_that_was_changed_on_both_sides_alike_goes() -> None:
    store = await moved()
    put(store, SOURCE, n=7)
    put(store, TARGET, n=7, mine=True)
    assert await deleted(store) == {"read": 5, "deleted": 5}


@in_virtual_time
async def test_what_the_app_wrote_in_both_shapes_goes_and_what_only_the_old_one_has_stays() -> None:
    store = await moved()
    store.apply([Create("fitness_logs/both", stored(log(8)))])
    store.apply([Create("users/u/fitness_logs/both", stored({"userId": "u", "logType": "run", "n": 8}))])
    store.apply([Create("fitness_logs/late", stored(log(9)))])
    assert await deleted(store) == {"read": 7, "deleted": 6, "kept": 1}
    assert await reason(store, "fitness_logs/late") == "the source stays: there is no users/u/fitness_logs/late"


@in_virtual_time
async def test_a_target_that_was_only_filled_must_be_equal() -> None:
    store = await seeded({SOURCE: log(2), TARGET: {"n": 50}})
    await ran(store, plan(RunKind.MIGRATE, SPEC))
    assert await deleted(store) == {"read": 1, "kept": 1}


@in_virtual_time
async def test_a_live_write_between_the_look_and_the_commit_keeps_its_source() -> None:
    store = await moved()
    races: list[Write] = [Delete("users/u/fitness_logs/3"), Update(SOURCE, stored({"n": 7}), [("n",)], None)]

    async def race(writes: Sequence[Write]) -> None:
        if races and any(isinstance(write, Delete) for write in writes):
            store.apply([races.pop()])

    store.faults.before_commit = race
    assert await deleted(store) == {"read": 5, "deleted": 3, "kept": 2, "conflicts": 2}
    assert (await seen(store, SOURCE) or {})["n"] == 7
    assert await seen(store, "fitness_logs/3") == log(3)


@in_virtual_time
async def test_what_the_app_made_anew_stays_on_a_revert() -> None:
    store = await moved()
    await deleted(store)
    store.apply([Create(SOURCE, stored({"userId": "u", "mine": 1}))])
    back = plan(RunKind.REVERT, SPEC, subjects=("delete.0",))
    assert counts(await ran(store, back)) == {"read": 5, "created": 4, "kept": 1}
    assert await seen(store, SOURCE) == {"userId": "u", "mine": 1}


@in_virtual_time
async def test_a_source_of_many_documents_goes_when_all_of_them_hold_it() -> None:
    spec = migration(ORDERS)
    store = await seeded({f"orders/{n}": {"items": [{"sku": "a"}, {"sku": "b"}]} for n in range(3)})
    store.apply([Create("orders/empty", stored({"items": []}))])
    await ran(store, plan(RunKind.MIGRATE, spec))
    store.apply([Delete("orders/1/items/b")])
    assert await deleted(store, spec=spec) == {"read": 4, "deleted": 2, "kept": 1, "skipped": 1}
    assert await reason(store, "orders/1") == "the source stays: there is no orders/1/items/b"
    assert await seen(store, "orders/empty") == {"items": []}
