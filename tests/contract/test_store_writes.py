"""What a commit does, and what makes it fail, on every store."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from tests.contract.plain import found, read, seed, stored

from firelift.migration.errors import AlreadyExists, FailedPrecondition, NotFound, Poison, StoreError
from firelift.migration.store import Create, Delete, FieldPath, Put, Store, Update, Verify, Write


async def test_all_writes_of_a_commit_share_its_time(store: Store) -> None:
    await seed(store, "users/old")
    committed = await store.commit(
        [
            Create("users/new", stored(store, {"n": 1})),
            Put("users/put", stored(store, {"n": 2})),
            Update("users/old", stored(store, {"n": 3}), [("n",)], None),
        ]
    )
    assert set(committed.update_times) == {committed.commit_time}
    for path in ("users/new", "users/put", "users/old"):
        assert (await found(store, path)).update_time == committed.commit_time


async def test_a_created_document_has_one_time_and_an_updated_one_keeps_its_creation(store: Store) -> None:
    first = await seed(store, "users/ada")
    second = await seed(store, "users/ada", fields={"n": 2})
    document = await found(store, "users/ada")
    assert (document.create_time, document.update_time) == (first, second)
    assert second > first


async def test_a_document_created_again_has_a_new_creation(store: Store) -> None:
    first = await seed(store, "users/ada")
    await store.commit([Delete("users/ada")])
    again = await seed(store, "users/ada")
    assert (await found(store, "users/ada")).create_time == again > first


@pytest.mark.parametrize("write", ["put", "update", "update at version", "empty mask"])
async def test_a_write_that_changes_nothing_keeps_the_time(store: Store, write: str) -> None:
    at = await seed(store, "users/ada", fields={"n": 1, "m": {"a": 1}})
    fields = stored(store, {"n": 1, "m": {"a": 1}})
    same: dict[str, Write] = {
        "put": Put("users/ada", fields),
        "update": Update("users/ada", fields, [("n",), ("m", "a")], None),
        "update at version": Update("users/ada", fields, [("n",), ("m", "absent")], at),
        "empty mask": Update("users/ada", stored(store, {"n": 2}), [], at),
    }
    committed = await store.commit([same[write]])
    assert committed.update_times == [at]
    assert committed.commit_time > at
    assert (await found(store, "users/ada")).update_time == at


async def test_a_put_replaces_all_fields(store: Store) -> None:
    await seed(store, "users/ada", fields={"n": 1, "gone": True})
    await seed(store, "users/ada", fields={"n": 2})
    assert await read(store, "users/ada") == {"n": 2}


@pytest.mark.parametrize(
    ("changes", "mask", "after"),
    [
        ({"n": 2}, [("n",)], {"n": 2, "m": {"a": 1, "b": {"c": 2}}}),
        ({"n": 2, "m": {"a": 9}}, [("n",)], {"n": 2, "m": {"a": 1, "b": {"c": 2}}}),
        ({}, [("n",)], {"m": {"a": 1, "b": {"c": 2}}}),
        ({"m": {"a": 9}}, [("m", "a")], {"n": 1, "m": {"a": 9, "b": {"c": 2}}}),
        ({"m": {"a": 9}}, [("m",)], {"n": 1, "m": {"a": 9}}),
        ({}, [("m", "b", "c")], {"n": 1, "m": {"a": 1, "b": {}}}),
        ({"m": {"b": {"d": 3}}}, [("m", "b", "d"), ("m", "a")], {"n": 1, "m": {"b": {"c": 2, "d": 3}}}),
        ({"new": {"x": {"y": 1}}}, [("new", "x", "y")], {"n": 1, "m": {"a": 1, "b": {"c": 2}}, "new": {"x": {"y": 1}}}),
        ({"n": {"x": 1}}, [("n", "x")], {"n": {"x": 1}, "m": {"a": 1, "b": {"c": 2}}}),
        ({}, [("absent", "x"), ("n", "x")], {"n": 1, "m": {"a": 1, "b": {"c": 2}}}),
    ],
)
async def test_an_update_touches_the_masked_paths_and_no_others(
    store: Store, changes: dict[str, object], mask: Sequence[FieldPath], after: dict[str, object]
) -> None:
    at = await seed(store, "users/ada", fields={"n": 1, "m": {"a": 1, "b": {"c": 2}}})
    await store.commit([Update("users/ada", stored(store, changes), mask, at)])
    assert await read(store, "users/ada") == after


async def test_a_delete_leaves_nothing_and_answers_no_time(store: Store) -> None:
    at = await seed(store, "users/ada", "users/bob")
    committed = await store.commit([Delete("users/ada", at), Delete("users/bob"), Delete("users/never-there")])
    assert committed.update_times == [0, 0, 0]
    assert await read(store, "users/ada") is await read(store, "users/bob") is None


async def test_deleting_a_parent_leaves_its_children(store: Store) -> None:
    await seed(store, "users/ada", "users/ada/logs/1")
    await store.commit([Delete("users/ada")])
    assert await read(store, "users/ada/logs/1") == {"n": 1}


async def test_guards_that_hold_change_nothing(store: Store) -> None:
    at = await seed(store, "users/ada")
    committed = await store.commit([Verify("users/ada", at), Verify("users/absent", None), Create("users/new", {})])
    assert committed.update_times == [at, 0, committed.commit_time]
    assert (await found(store, "users/ada")).update_time == at
    assert await read(store, "users/absent") is None


STALE = -1


@pytest.mark.parametrize(
    ("write", "error"),
    [
        (Create("users/ada", {}), AlreadyExists),
        (Update("users/absent", {}, [("n",)], None), NotFound),
        (Update("users/absent", {}, [("n",)], STALE), FailedPrecondition),
        (Update("users/ada", {}, [("n",)], STALE), FailedPrecondition),
        (Update("users/deleted", {}, [("n",)], STALE), FailedPrecondition),
        (Delete("users/ada", STALE), FailedPrecondition),
        (Delete("users/absent", STALE), FailedPrecondition),
        (Verify("users/ada", STALE), FailedPrecondition),
        (Verify("users/absent", STALE), FailedPrecondition),
        (Verify("users/deleted", STALE), FailedPrecondition),
        (Verify("users/ada", None), AlreadyExists),
    ],
)
async def test_one_failed_precondition_undoes_the_whole_commit(
    store: Store, write: Write, error: type[StoreError]
) -> None:
    stale = await seed(store, "users/ada", "users/deleted", "users/other")
    at = await seed(store, "users/ada", fields={"n": 2})
    await store.commit([Delete("users/deleted")])
    with pytest.raises(error):
        await store.commit([Put("users/before", {}), _at_version(write, stale), Put("users/other", {})])
    assert (await found(store, "users/ada")).update_time == at
    assert await read(store, "users/before") is None
    assert await read(store, "users/other") == {"n": 1}


def _at_version(write: Write, stale: int) -> Write:
    """The table cannot know times, so it says STALE."""
    match write:
        case Update(update_time=-1):
            return Update(write.path, write.fields, write.mask, stale)
        case Delete(update_time=-1):
            return Delete(write.path, stale)
        case Verify(update_time=-1):
            return Verify(write.path, stale)
        case _:
            return write


async def test_a_document_that_was_created_again_is_not_the_one_that_was_read(store: Store) -> None:
    at = await seed(store, "users/ada")
    await store.commit([Delete("users/ada")])
    await seed(store, "users/ada")
    with pytest.raises(FailedPrecondition):
        await store.commit([Verify("users/ada", at)])


async def test_writes_to_one_document_take_effect_in_order(store: Store) -> None:
    await store.commit(
        [
            Create("users/ada", stored(store, {"n": 1})),
            Update("users/ada", stored(store, {"m": 2}), [("m",)], None),
            Delete("users/ada"),
            Create("users/ada", stored(store, {"n": 3})),
        ]
    )
    assert await read(store, "users/ada") == {"n": 3}


async def test_a_commit_refuses_to_verify_what_it_also_writes(store: Store) -> None:
    at = await seed(store, "users/ada")
    with pytest.raises(Poison):
        await store.commit([Update("users/ada", stored(store, {"n": 2}), [("n",)], at), Verify("users/ada", at)])
    assert await read(store, "users/ada") == {"n": 1}


async def test_five_hundred_writes_fit_in_a_commit(store: Store) -> None:
    committed = await store.commit([Create(f"users/{n}", stored(store, {"n": n})) for n in range(500)])
    assert list(committed.update_times) == [committed.commit_time] * 500


@pytest.mark.parametrize("kind", [Delete, Verify])
async def test_a_version_that_a_document_never_had_is_poison(store: Store, kind: type[Delete | Verify]) -> None:
    at = await seed(store, "users/ada")
    later = await seed(store, "users/bob")
    assert later > at
    with pytest.raises(Poison):
        await store.commit([kind("users/ada", later)])
