"""Locks: one holder, a fair queue, and nothing done twice."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from firelift.migration.errors import LostRace, StaleEpoch
from firelift.migration.ledger import locks, paths
from firelift.migration.ledger.locks import Claimant, Lock
from firelift.stores.memory import MemoryStore

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def who(ledger: str, epoch: int = 1, minutes: int = 0) -> Claimant:
    return Claimant(ledger, f"team/{ledger}", epoch, NOON + timedelta(minutes=minutes))


async def test_a_free_lock_is_held_by_who_asks() -> None:
    store = MemoryStore()
    assert (await locks.acquire(store, "logs", who("a"))).held_by("a")
    assert await locks.read(store, "logs") == Lock("logs", who("a"))


async def test_asking_again_changes_nothing_and_keeps_the_time() -> None:
    store = MemoryStore()
    await locks.acquire(store, "logs", who("a"))
    await locks.acquire(store, "logs", who("a", minutes=5))
    assert len(store.history(paths.lock("logs"))) == 1
    assert (await locks.read(store, "logs")).holder == who("a")


async def test_others_wait_in_the_order_of_their_arrival_and_get_it_in_that_order() -> None:
    store = MemoryStore()
    for ledger in ("a", "b", "c", "b"):
        lock = await locks.acquire(store, "logs", who(ledger))
    assert (lock.held_by("a"), lock.position("a"), lock.position("b"), lock.position("c")) == (True, 0, 1, 2)
    await locks.release(store, "logs", "a")
    assert not (await locks.acquire(store, "logs", who("c"))).held_by("c")
    assert (await locks.acquire(store, "logs", who("b"))).held_by("b")
    await locks.release(store, "logs", "b")
    assert (await locks.acquire(store, "logs", who("c"))).held_by("c")


async def test_who_gives_up_leaves_the_queue() -> None:
    store = MemoryStore()
    for ledger in ("a", "b", "c"):
        await locks.acquire(store, "logs", who(ledger))
    await locks.release(store, "logs", "b")
    await locks.release(store, "logs", "b")
    assert (await locks.read(store, "logs")).position("c") == 1


async def test_a_lock_that_nobody_wants_is_no_document() -> None:
    store = MemoryStore()
    await locks.acquire(store, "logs", who("a"))
    await locks.release(store, "logs", "a")
    await locks.release(store, "logs", "a")
    assert store.snapshot() == {}
    assert await locks.read(store, "logs") == Lock("logs")


async def test_a_former_leader_takes_nothing() -> None:
    store = MemoryStore()
    await locks.acquire(store, "logs", who("a", epoch=2))
    with pytest.raises(StaleEpoch, match="logs"):
        await locks.acquire(store, "logs", who("a", epoch=1))
    assert (await locks.acquire(store, "logs", who("a", epoch=3))).holder == who("a", epoch=3)


async def test_of_many_that_ask_at_once_one_holds_and_the_others_wait() -> None:
    store = MemoryStore()

    async def yield_to_others(_: object) -> None:
        await asyncio.sleep(0)

    store.faults.before_commit = yield_to_others
    await asyncio.gather(*(locks.acquire(store, "logs", who(ledger)) for ledger in "abcd"))
    lock = await locks.read(store, "logs")
    assert sorted([lock.holder.ledger if lock.holder else "", *(each.ledger for each in lock.waiters)]) == list("abcd")


async def test_a_lock_that_others_keep_changing_is_left_for_the_next_turn() -> None:
    store = MemoryStore()
    others = iter(range(100))

    async def interfere(_: object) -> None:
        store.faults.before_commit = None
        await locks.acquire(store, "logs", who(f"other{next(others)}"))
        store.faults.before_commit = interfere

    store.faults.before_commit = interfere
    with pytest.raises(LostRace, match="5 times"):
        await locks.acquire(store, "logs", who("a"))
