"""What reads answer, in which order and of which time, on every store."""

from __future__ import annotations

import itertools

import pytest
from tests.contract.plain import paths, plain, read, seed, stored

from firelift.migration.errors import StoreError
from firelift.migration.store import Delete, Document, FieldPath, Missing, Put, Source, Store

# In Firestore's order: numbers of old Datastore ids first, then by the bytes of UTF-8 (where U+FFFD precedes emoji,
# which UTF-16 would turn round).
ODD_IDS = [
    "__id-7__", "__id5__", "__id12__", " ", "!", "%2F", "-", ".a", "10", "2", "A", "__", "_a", "a", "a b", "a!", "a.b",
    "a`b", "aa", "b\\", "{x}", "~", "\u00e9", "\u4e2d", "\ufffd", "\U0001f600",
]  # fmt: skip


async def test_get_answers_each_path_in_the_order_asked_at_one_time(store: Store) -> None:
    await seed(store, "users/ada", "users/bob")
    answers = await store.get(["users/none", "users/bob", "users/ada", "users/bob"])
    assert [answer.path for answer in answers] == ["users/none", "users/bob", "users/ada", "users/bob"]
    assert [type(answer) for answer in answers] == [Missing, Document, Document, Document]
    assert len({answer.read_time for answer in answers}) == 1


@pytest.mark.parametrize(("most", "count"), [(1, 2), (2_500, 4), (1_000_000, 7)])
async def test_get_answers_the_first_paths_where_all_would_be_too_much(store: Store, most: int, count: int) -> None:
    asked = ["users/none", *(f"users/u{number}" for number in range(5, -1, -1))]
    await seed(store, *asked[1:], fields={"text": "x" * 1_000})
    answers = await store.get(asked, most=most)
    assert [answer.path for answer in answers] == asked[:count]
    assert len({answer.read_time for answer in answers}) == 1
    again = await store.get(asked[count:], most=most, read_time=answers[0].read_time) if count < len(asked) else []
    assert [answer.path for answer in again] == asked[count : count + len(again)]


async def test_get_of_nothing_answers_nothing(store: Store) -> None:
    assert await store.get([]) == []


async def test_a_read_time_is_not_before_the_commit_that_was_read(store: Store) -> None:
    at = await seed(store, "users/ada")
    [answer] = await store.get(["users/ada"])
    [listed] = (await store.page(Source("users"), limit=1)).documents
    assert min(answer.read_time, listed.read_time) >= at


MASKS: list[tuple[list[FieldPath], dict[str, object]]] = [
    ([], {}),
    ([("n",)], {"n": 1}),
    ([("n",), ("absent",)], {"n": 1}),
    ([("m", "a")], {"m": {"a": 1}}),
    ([("m", "a"), ("m", "b", "c")], {"m": {"a": 1, "b": {"c": 2}}}),
    ([("m", "absent")], {}),
    ([("n", "x")], {}),
    ([("m",)], {"m": {"a": 1, "b": {"c": 2}}}),
    ([("odd.name", "a`b\\c")], {"odd.name": {"a`b\\c": 3}}),
]


@pytest.mark.parametrize(("mask", "expected"), MASKS)
async def test_a_mask_answers_just_its_paths(store: Store, mask: list[FieldPath], expected: dict[str, object]) -> None:
    fields = {"n": 1, "m": {"a": 1, "b": {"c": 2}}, "odd.name": {"a`b\\c": 3, "d": 4}}
    await seed(store, "users/ada", fields=fields)
    [got] = await store.get(["users/ada"], mask=mask)
    [listed] = (await store.page(Source("users"), limit=1, mask=mask)).documents
    assert plain(store, got) == expected
    assert plain(store, listed) == expected


async def test_documents_come_in_the_order_of_their_names(store: Store) -> None:
    await seed(store, *(f"users/{name}" for name in reversed(ODD_IDS)))
    assert await paths(store, Source("users")) == [f"users/{name}" for name in ODD_IDS]


async def test_a_cursor_leads_from_any_document_to_the_next(store: Store) -> None:
    await seed(store, *(f"users/{name}" for name in ODD_IDS))
    for before, after in itertools.pairwise(ODD_IDS):
        assert await paths(store, Source("users", start=f"users/{before}"), limit=1) == [f"users/{after}"]


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (None, None, "abcde"),
        ("b", None, "cde"),
        (None, "b", "ab"),
        ("b", "d", "cd"),
        ("b", "b", ""),
        ("d", "b", ""),
        ("bb", "cc", "c"),
        ("e", None, ""),
    ],
)
async def test_a_range_leaves_out_its_start_and_has_its_end(
    store: Store, start: str | None, end: str | None, expected: str
) -> None:
    await seed(store, *(f"users/{name}" for name in "abcde"))
    source = Source("users", start=start and f"users/{start}", end=end and f"users/{end}")
    assert await paths(store, source) == [f"users/{name}" for name in expected]
    assert await store.count(source) == len(expected)


async def test_a_collection_has_neither_its_descendants_nor_its_namesakes(store: Store) -> None:
    await seed(store, "logs/1", "logs/1/logs/2", "users/ada/logs/3", "logs/1/other/4")
    assert await paths(store, Source("logs")) == ["logs/1"]
    assert await paths(store, Source("users/ada/logs")) == ["users/ada/logs/3"]


async def test_a_collection_group_has_all_namesakes_in_the_order_of_their_paths(store: Store) -> None:
    members = ["logs/1", "logs/1/logs/2", "logs/1!/logs/2", "logs/2", "users/ada/logs/1", "users/ada/logs/3"]
    members += ["users/ada!/logs/0", "users/bob/logs/0"]
    await seed(store, *reversed(members), "logs2/1", "users/ada")
    source = Source("logs", all_descendants=True)
    assert await paths(store, source) == members
    assert await store.count(source) == len(members)
    part = Source("logs", all_descendants=True, start="logs/1/logs/2", end="users/ada!/logs/0")
    assert await paths(store, part) == members[2:7]
    assert await store.count(part) == 5


async def test_children_of_a_parent_that_never_was_are_found(store: Store) -> None:
    await seed(store, "users/ghost/logs/1")
    assert await read(store, "users/ghost") is None
    assert await paths(store, Source("users")) == []
    assert await paths(store, Source("users/ghost/logs")) == ["users/ghost/logs/1"]
    assert await paths(store, Source("logs", all_descendants=True)) == ["users/ghost/logs/1"]


async def test_reads_at_a_time_answer_what_was_true_then(store: Store) -> None:
    first = await seed(store, "users/ada", "users/bob")
    second = await seed(store, "users/ada", fields={"n": 2})
    await store.commit([Delete("users/bob"), Put("users/eve", {})])
    assert [await read(store, "users/ada", at) for at in (first, second - 1, second)] == [{"n": 1}, {"n": 1}, {"n": 2}]
    then = (await store.page(Source("users"), limit=10, read_time=second)).documents
    assert [(document.path, plain(store, document)) for document in then] == [
        ("users/ada", {"n": 2}),
        ("users/bob", {"n": 1}),
    ]
    assert [document.read_time for document in then] == [second, second]
    assert await store.count(Source("users"), read_time=first) == 2
    assert await paths(store, Source("users")) == ["users/ada", "users/eve"]


async def test_a_read_in_the_future_is_refused(store: Store) -> None:
    at = await seed(store, "users/ada")
    with pytest.raises(StoreError, match="future"):
        await store.get(["users/ada"], read_time=at + 10**9)


async def test_pages_led_by_cursors_meet_every_document_once(store: Store) -> None:
    total = 3_000
    for start in range(0, total, 500):
        writes = [Put(f"users/{n * 7919 % 100_003}", stored(store, {"n": n})) for n in range(start, start + 500)]
        await store.commit(writes)
    one_page = await store.page(Source("users"), limit=10_000)
    assert (len(one_page.documents), one_page.exhausted) == (total, True)
    seen: list[str] = []
    exhausted = False
    while not exhausted:
        page = await store.page(Source("users", start=seen[-1] if seen else None), limit=1_100, mask=())
        seen += [document.path for document in page.documents]
        exhausted = page.exhausted
    assert seen == [document.path for document in one_page.documents]
    assert await store.count(Source("users")) == total


async def test_an_empty_source_is_exhausted_at_once(store: Store) -> None:
    page = await store.page(Source("users"), limit=10)
    assert (list(page.documents), page.exhausted) == ([], True)
    assert await store.count(Source("users")) == 0
    assert await store.split_points(Source("users"), 4) == []


async def test_a_full_page_does_not_claim_to_be_the_last(store: Store) -> None:
    await seed(store, "users/ada", "users/bob")
    assert not (await store.page(Source("users"), limit=1)).exhausted
    assert (await store.page(Source("users"), limit=3)).exhausted


async def test_a_page_of_large_documents_ends_early(store: Store) -> None:
    large = stored(store, {"text": "x" * 900_000})
    for batch in range(7):
        await store.commit([Put(f"users/{batch}{n}", large) for n in range(3)])
    sizes, start, exhausted = [], None, False
    while not exhausted:
        page = await store.page(Source("users", start=start), limit=100)
        sizes.append(len(page.documents))
        start = page.documents[-1].path if page.documents else start
        exhausted = page.exhausted
    assert sizes == [3, 3, 3, 3, 3, 3, 3, 0]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (Source("users"), 40),
        (Source("users", start="users/u09", end="users/u29"), 20),
        (Source("logs", all_descendants=True), 40),
    ],
)
async def test_split_points_cut_a_source_into_similar_ranges(store: Store, source: Source, expected: int) -> None:
    await seed(store, *(f"users/u{n:02}" for n in range(40)), *(f"users/u{n:02}/logs/1" for n in range(40)))
    points = await store.split_points(source, 4)
    edges = [source.start, *points, source.end]
    counts = [
        await store.count(Source(source.collection, source.all_descendants, start, end))
        for start, end in itertools.pairwise(edges)
    ]
    assert counts == [expected // 4] * 4


async def test_a_source_smaller_than_its_parts_is_cut_where_it_can_be(store: Store) -> None:
    await seed(store, "users/ada", "users/bob")
    points = await store.split_points(Source("users"), 8)
    assert set(points) <= {"users/ada", "users/bob"}
    assert await store.split_points(Source("users"), 1) == []
