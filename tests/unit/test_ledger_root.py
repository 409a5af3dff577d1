"""The ledger's root: whoever loses a race has changed nothing."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest
from tests.simple_work import LEDGER

from firelift.migration.errors import LostRace
from firelift.migration.ledger import root
from firelift.migration.ledger.root import Root, RootOwner
from firelift.migration.store import Micros
from firelift.stores.memory import MemoryStore

ME = RootOwner("cluster-1", "uid-1", "team/move", 1)
YOU = RootOwner("cluster-2", "uid-2", "team/move", 7)
THEN = datetime(2027, 1, 1, tzinfo=UTC)


async def there(store: MemoryStore) -> Root:
    found = await root.read_root(store, LEDGER)
    assert found is not None
    return found


async def test_there_is_no_root_before_it_is_made() -> None:
    assert await root.read_root(MemoryStore(), LEDGER) is None


async def test_a_root_is_read_as_it_was_made() -> None:
    store = MemoryStore()
    time = await root.create_root(store, LEDGER, ME, "db-1", '{"attempt": 1}')
    assert await there(store) == Root(ME, "db-1", '{"attempt": 1}', time)


async def test_a_ledger_is_made_once() -> None:
    store = MemoryStore()
    await root.create_root(store, LEDGER, ME, "db-1")
    with pytest.raises(LostRace, match=LEDGER):
        await root.create_root(store, LEDGER, YOU, "db-2")
    assert (await there(store)).owner == ME


async def test_each_write_of_the_state_gives_the_time_for_the_next() -> None:
    store = MemoryStore()
    time = await root.create_root(store, LEDGER, ME, "db-1")
    for state in ("one", "two", "two", "three"):
        time = await root.write_state(store, LEDGER, state, time)
    assert await there(store) == Root(ME, "db-1", "three", time)


@pytest.mark.parametrize(
    "change",
    [
        lambda store, time: root.write_state(store, LEDGER, "mine", time),
        lambda store, time: root.claim(store, LEDGER, ME, time),
        lambda store, time: root.release(store, LEDGER, time),
    ],
    ids=["write_state", "claim", "release"],
)
async def test_who_has_not_seen_the_last_change_changes_nothing(
    change: Callable[[MemoryStore, Micros], Awaitable[Micros]],
) -> None:
    store = MemoryStore()
    old = await root.create_root(store, LEDGER, YOU, "db-1")
    await root.write_state(store, LEDGER, "theirs", old)
    before = await there(store)
    with pytest.raises(LostRace):
        await change(store, old)
    assert await there(store) == before


async def test_a_ledger_is_given_back_and_claimed_again() -> None:
    store = MemoryStore()
    time = await root.create_root(store, LEDGER, ME, "db-1", "state")
    time = await root.release(store, LEDGER, time, expire_at=THEN)
    assert await there(store) == Root(None, "db-1", "state", time, THEN)
    time = await root.claim(store, LEDGER, YOU, time)
    assert await there(store) == Root(YOU, "db-1", "state", time)
    time = await root.claim(store, LEDGER, YOU, time, database_uid="db-2")
    assert (await there(store)).database_uid == "db-2"
