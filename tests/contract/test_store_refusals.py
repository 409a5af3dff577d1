"""What a store refuses to hold, and that a refusal leaves nothing behind."""

from __future__ import annotations

from typing import Any

import pytest
from tests.contract.plain import paths, read, stored

from firelift.migration.errors import Poison
from firelift.migration.store import Create, Source, Store
from firelift.stores.firestore.proto import Value


def deep(levels: int) -> dict[str, Any]:
    nested: Any = 1
    for _ in range(levels):
        nested = {"a": nested}
    return {"a": nested}


REFUSED = {
    "a value of no kind": {"a": Value()},
    "an array in an array": {"a": [[1]]},
    "an array in an array below a map": {"a": {"b": [1, [2]]}},
    "an empty name": {"": 1},
    "an empty name in a map": {"a": {"": 1}},
    "a reserved name": {"__a__": 1},
    "a name of 1,501 bytes": {"x" * 1501: 1},
    "nested names of 1,501 bytes": {"x" * 1000: {"y" * 500: 1}},
    "a map of 21 levels": deep(21),
    "a string that is too long": {"a": "x" * 1_048_488},
    "bytes that are too long": {"a": b"x" * 1_048_488},
    "a document of more than a mebibyte": {"a": "x" * 600_000, "b": "y" * 600_000},
}


@pytest.mark.parametrize("what", REFUSED)
async def test_data_that_cannot_be_stored_is_poison_to_the_whole_commit(store: Store, what: str) -> None:
    with pytest.raises(Poison) as refusal:
        await store.commit([Create("good/one", {}), Create("bad/one", stored(store, REFUSED[what]))])
    assert refusal.value.code == "INVALID_ARGUMENT"
    assert await read(store, "good/one") is None


ACCEPTED = {
    "a map of 20 levels": deep(20),
    "a name of 1,500 bytes": {"x" * 1500: 1},
    "nested names of 1,500 bytes": {"x" * 1000: {"y" * 499: 1}},
    "a long string": {"a": "x" * 1_048_000},
    "an array in a map in an array": {"a": [{"b": [1]}]},
}


@pytest.mark.parametrize("what", ACCEPTED)
async def test_data_just_inside_the_limits_is_stored(store: Store, what: str) -> None:
    await store.commit([Create("good/one", stored(store, ACCEPTED[what]))])
    assert await read(store, "good/one") == ACCEPTED[what]


async def test_a_commit_above_ten_mebibytes_is_poison_and_not_a_call_to_slow_down(store: Store) -> None:
    large = stored(store, {"text": "x" * 1_000_000})
    with pytest.raises(Poison):
        await store.commit([Create(f"large/{n}", large) for n in range(11)])
    assert await paths(store, Source("large")) == []


@pytest.mark.parametrize(
    "path", ["users", "users/ada/logs", "users/", "users//logs/1", "users/.", "users/..", "users/__x__", "/ada", ""]
)
async def test_a_path_that_names_no_document_is_poison_and_is_quoted(store: Store, path: str) -> None:
    with pytest.raises(Poison, match="document path") as refusal:
        await store.commit([Create(path, {})])
    assert repr(path) in str(refusal.value)
    with pytest.raises(Poison):
        await store.get([path])


async def test_an_id_of_1500_bytes_fits_and_one_more_is_poison(store: Store) -> None:
    fits = "\u00e9" * 750
    await store.commit([Create(f"users/{fits}", {})])
    assert await paths(store, Source("users")) == [f"users/{fits}"]
    with pytest.raises(Poison, match="1501 bytes"):
        await store.commit([Create(f"users/{fits}x", {})])
