"""Filters: what a store answers of a source when only some of its documents are asked for."""

from __future__ import annotations

import pytest
from tests.contract.plain import paths, seed

from firelift.migration.store import FieldPath, Filter, Source, Store

OWNERS: dict[str, object] = {
    "a": "ada",
    "b": "bob",
    "c": "ada",
    "d": 42,
    "e": "42",
    "f": 42.0,
    "g": None,
    "h": {"id": "ada"},
    "i": ["ada"],
    "j": True,
}

WHERE: list[tuple[list[object], str]] = [
    (["ada"], "ac"),
    (["ada", "bob"], "abc"),
    (["ada", "42", 42], "acdef"),
    ([42], "df"),
    (["42"], "e"),
    ([True], "j"),
    (["nobody"], ""),
    ([*(f"n{number}" for number in range(29)), "bob"], "b"),
]


async def owned(store: Store) -> None:
    for name, owner in OWNERS.items():
        await seed(store, f"logs/{name}", f"users/u/logs/{name}", fields={"owner": owner, "in": {"a.b": owner}})
    await seed(store, "logs/z", "other/a", fields={"n": 1})


def source(store: Store, path: FieldPath, values: list[object], **others: object) -> Source:
    return Source("logs", where=[Filter(path, [store.values.encode(value) for value in values])], **others)  # type: ignore[arg-type] # the rest of a source


@pytest.mark.parametrize(("values", "expected"), WHERE)
async def test_a_filter_answers_what_equals_one_of_its_values(
    store: Store, values: list[object], expected: str
) -> None:
    await owned(store)
    for path in (("owner",), ("in", "a.b")):
        asked = source(store, path, values)
        assert await paths(store, asked) == [f"logs/{name}" for name in expected]
        assert await store.count(asked) == len(expected)


async def test_a_filtered_source_has_cursors_ranges_and_groups_like_any_other(store: Store) -> None:
    await owned(store)
    after = source(store, ("owner",), ["ada", "bob"], start="logs/a")
    assert await paths(store, after) == ["logs/b", "logs/c"]
    assert await paths(store, after, limit=1) == ["logs/b"]
    assert await paths(store, source(store, ("owner",), ["ada"], start="logs/a", end="logs/b")) == []
    group = source(store, ("owner",), ["bob", 42], all_descendants=True)
    names = "bdf"
    assert await paths(store, group) == [*(f"logs/{n}" for n in names), *(f"users/u/logs/{n}" for n in names)]


async def test_all_filters_of_a_source_hold(store: Store) -> None:
    await seed(store, "logs/1", fields={"a": "x", "b": True})
    await seed(store, "logs/2", fields={"a": "x", "b": False})
    await seed(store, "logs/3", fields={"a": "y", "b": True})
    encode = store.values.encode
    where = [Filter(("a",), [encode("x"), encode("z")]), Filter(("b",), [encode(True)])]
    assert await paths(store, Source("logs", where=where)) == ["logs/1"]
    page = await store.page(Source("logs", where=where), limit=10, mask=())
    assert page.exhausted


async def test_a_filtered_source_is_cut_where_it_can_be(store: Store) -> None:
    await owned(store)
    points = await store.split_points(source(store, ("owner",), ["ada", "bob"]), 3)
    assert set(points) <= {"logs/a", "logs/b", "logs/c"}
