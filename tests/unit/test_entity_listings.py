"""Lists of entities: made once by whoever comes first, in parts that fit documents, by bucket."""

from __future__ import annotations

import asyncio
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.counting import CountingStore
from tests.moving import LEDGER, seeded, stored
from tests.virtual_time import VirtualClock, in_virtual_time

from firelift.api.cohort import bucket
from firelift.migration.entities.closing import ListedOnce
from firelift.migration.entities.order import groups, keys, place
from firelift.migration.entities.packed import PackedEntities
from firelift.migration.errors import LedgerBroken, StoreError
from firelift.migration.ledger import listings, paths
from firelift.migration.ledger.listings import CLAIM_SECONDS, Listings
from firelift.migration.store import Delete, Put, Source, Write
from firelift.stores.memory import MemoryStore

USERS = Source("users")
NAMES = [f"u{number}" for number in range(1_200)] + ["Zoë", "用户", "__id7__", "42", "-0"]


async def users() -> MemoryStore:
    return await seeded({f"users/{name}": {} for name in NAMES})


@in_virtual_time
async def test_a_list_in_parts_answers_any_range_of_buckets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listings, "PART_BYTES", 500)
    lists = Listings(await users(), LEDGER, "seed")
    made = await lists.ensure("all", USERS, VirtualClock().sleep)
    assert (made.total, len(made.firsts) > 10) == (len(NAMES), True)
    in_order = sorted(NAMES, key=lambda name: place("seed", name))
    for start, end in [(0, 10_000), (0, 100), (100, 1_000), (9_999, 10_000), (5_000, 5_000), (0, 1)]:
        expected = [name for name in in_order if start <= bucket("seed", name) < end]
        assert await lists.entities("all", start, end) == expected


@in_virtual_time
async def test_workers_that_come_at_once_list_once() -> None:
    store = CountingStore(await users())
    made = await asyncio.gather(*(Listings(store, LEDGER, "seed").ensure("all", USERS, _yield) for _ in range(4)))
    assert made == [made[0]] * 4


async def _yield(_: float) -> None:
    await asyncio.sleep(0)


@in_virtual_time
async def test_another_maker_is_waited_for_until_nothing_has_been_heard_of_it_for_long() -> None:
    store, waited = await users(), 0
    claim = {"maker": "another", "pages": 3}
    await store.commit([Put(paths.listing_claim(LEDGER, "all"), stored(claim))])
    counting = CountingStore(store)

    async def pause(seconds: float) -> None:
        nonlocal waited
        waited += 1
        store.now += round(seconds * 1_000_000)

    await Listings(counting, LEDGER, "seed").ensure("all", USERS, pause)
    assert waited == CLAIM_SECONDS
    assert counting.queried["users", "names"] == len(NAMES)


@pytest.mark.parametrize("at", range(1, 5))
@in_virtual_time
async def test_a_maker_that_fails_goes_on_with_its_own_claim(at: int) -> None:
    store, commits = await users(), 0

    async def fails(_: object) -> None:
        nonlocal commits
        commits += 1
        if commits == at:
            raise StoreError("INTERNAL", "a bad moment")

    store.faults.before_commit = fails
    lists = Listings(store, LEDGER, "seed")
    if at < 4:
        with pytest.raises(StoreError):
            await lists.ensure("all", USERS, _yield)
    await lists.ensure("all", USERS, _yield)
    assert len(await lists.entities("all", 0, 10_000)) == len(NAMES)


@in_virtual_time
async def test_a_list_that_has_lost_a_part_is_said() -> None:
    store = await users()
    lists = Listings(store, LEDGER, "seed")
    made = await lists.ensure("all", USERS, _yield)
    gone: list[Write] = [Delete(paths.listing_part(LEDGER, "all", made.nonce, 0))]
    await store.commit(gone)
    with pytest.raises(LedgerBroken, match="gone, and with it entities"):
        await lists.entities("all", 0, 10_000)
    with pytest.raises(LedgerBroken, match="the list of entities other is gone"):
        await lists.entities("other", 0, 10_000)


@pytest.mark.parametrize(
    ("entity", "expected"),
    [
        ("ada", ("ada",)),
        ("42", ("42", 42)),
        ("-7", ("-7", -7)),
        ("0", ("0", 0)),
        ("007", ("007",)),
        ("-0", ("-0",)),
        ("+1", ("+1",)),
        ("4 2", ("4 2",)),
        ("٤", ("٤",)),
        (str(2**63 - 1), (str(2**63 - 1), 2**63 - 1)),
        (str(2**63), (str(2**63),)),
    ],
)
def test_a_key_may_be_stored_as_text_or_as_the_integer_that_reads_like_it(
    entity: str, expected: tuple[object, ...]
) -> None:
    assert keys(entity) == expected


def test_a_group_asks_for_thirty_values_and_no_entity_is_left_out() -> None:
    names = [str(number) if number % 3 else f"u{number}" for number in range(400)]
    made = list(groups(names))
    assert [name for group in made for name in group] == names
    assert {sum(len(keys(name)) for name in group) for group in made[:-1]} <= {29, 30}


def packed(*names: str) -> PackedEntities:
    entities = PackedEntities("seed")
    entities.add(names)
    return entities


def test_cuts_are_buckets_between_entities() -> None:
    names = [f"u{number}" for number in range(1_000)]
    made, buckets = packed(*names).cuts(4), [bucket("seed", name) for name in names]
    sizes = [sum(start <= at < end for at in buckets) for start, end in zip([0, *made], [*made, 10_000], strict=True)]
    assert len(made) == 3
    assert all(240 <= size <= 260 for size in sizes)
    assert packed().cuts(4) == packed("ada").cuts(4) == packed(*names).cuts(1) == []


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=60), st.text(max_size=3))
def test_packed_entities_are_a_set_in_order(names: list[str], other: str) -> None:
    entities = packed(*names, *names)
    assert list(entities) == sorted(set(names), key=lambda name: place("seed", name))
    assert entities.total == len(set(names))
    assert all(name in entities for name in names)
    assert (other in entities) == (other in names)


def test_a_hundred_thousand_entities_take_little_more_than_their_ids() -> None:
    entities = PackedEntities("seed")
    tracemalloc.start()
    entities.add(f"{number:020d}" for number in range(100_000))
    held, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert entities.total == 100_000
    assert held < 40 * 100_000
    assert most < 41 * 100_000


@in_virtual_time
async def test_lanes_of_one_worker_read_a_list_once_even_when_the_first_fails() -> None:
    once, asked = ListedOnce(), 0

    async def read() -> PackedEntities:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0)
        if asked == 1:
            raise StoreError("UNAVAILABLE", "a bad moment")
        return packed("ada")

    found = await asyncio.gather(*(once.of(read) for _ in range(4)), return_exceptions=True)
    assert [type(each) for each in found] == [StoreError, *[PackedEntities] * 3]
    assert asked == 2
