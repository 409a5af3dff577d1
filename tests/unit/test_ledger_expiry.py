"""When a ledger expires: marked and unmarked a portion at a time, however often that is broken off."""

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from tests.simple_work import LEDGER

from firelift.migration.errors import LostRace, MoreToDo, UnknownOutcome
from firelift.migration.ledger import expiry, paths, root
from firelift.migration.ledger.root import RootOwner
from firelift.migration.store import Micros, Put
from firelift.stores.memory import MemoryStore

ME = RootOwner("cluster-1", "uid-1", "team/move", 1)
YOU = RootOwner("cluster-2", "uid-2", "team/move", 7)
THEN = datetime(2027, 1, 1, tzinfo=UTC)
LATER = datetime(2027, 2, 1, tzinfo=UTC)
PORTIONS = 3


@pytest.fixture
async def store(monkeypatch: pytest.MonkeyPatch) -> MemoryStore:
    """A ledger whose documents make a few portions, in two collections."""
    monkeypatch.setattr(expiry, "BATCH", 10)
    monkeypatch.setattr(expiry, "PAGES", 4)
    made = MemoryStore()
    for name, count in ((paths.RUNS, 15), (paths.JOURNAL, 75)):
        for number in range(count):
            path = f"{paths.collection(LEDGER, name)}/e{number:04d}"
            made.apply([Put(path, {"format": made.values.encode(1)})])
    return made


def expiring(store: MemoryStore) -> list[datetime]:
    found = (document.get("expireAt") for path, document in store.snapshot().items() if path.count("/") > 1)
    return [store.values.decode(each) for each in found if each is not None]


async def to_the_end(store: MemoryStore, time: Micros, when: datetime = THEN) -> tuple[Micros, int]:
    portions, done = 0, False
    while not done:
        time, done = await root.expire(store, LEDGER, time, when)
        portions += 1
    return time, portions


async def claimed(store: MemoryStore, time: Micros) -> int:
    """How many portions a claim takes; until the last one the ledger is not the claimant's."""
    for portions in range(1, 20):
        with suppress(MoreToDo):
            await root.claim(store, LEDGER, YOU, time)
            return portions
        found = await root.read_root(store, LEDGER)
        assert found is not None
        assert found.owner != YOU
        time = found.update_time
    raise AssertionError("a claim has no end")


async def test_each_portion_goes_on_where_the_last_one_ended(store: MemoryStore) -> None:
    time = await root.create_root(store, LEDGER, ME, "db-1")
    time, done = await root.expire(store, LEDGER, time, THEN)
    assert (len(expiring(store)), done) == (35, False)
    time, portions = await to_the_end(store, time)
    assert (len(expiring(store)), portions) == (90, PORTIONS - 1)
    time = await root.release(store, LEDGER, time, expire_at=THEN)
    found = await root.read_root(store, LEDGER)
    assert found is not None
    assert (found.owner, found.expire_at, found.marking) == (None, THEN, None)


async def test_a_portion_that_broke_off_is_done_again(store: MemoryStore) -> None:
    time = await root.create_root(store, LEDGER, ME, "db-1")
    commits = 2

    async def break_off(_: object) -> None:
        nonlocal commits
        commits -= 1
        if commits < 0:
            raise UnknownOutcome("UNAVAILABLE", "gone")

    store.faults.before_commit = break_off
    with pytest.raises(UnknownOutcome):
        await root.expire(store, LEDGER, time, THEN)
    store.faults.before_commit = None
    await to_the_end(store, time)
    assert expiring(store) == [THEN] * 90


async def test_another_time_begins_anew(store: MemoryStore) -> None:
    time = await root.create_root(store, LEDGER, ME, "db-1")
    time, _ = await root.expire(store, LEDGER, time, THEN)
    await to_the_end(store, time, LATER)
    assert expiring(store) == [LATER] * 90


async def test_who_has_not_seen_the_last_portion_records_none(store: MemoryStore) -> None:
    old = await root.create_root(store, LEDGER, ME, "db-1")
    await root.expire(store, LEDGER, old, THEN)
    with pytest.raises(LostRace):
        await root.expire(store, LEDGER, old, LATER)


async def test_a_claim_takes_every_time_away_before_anything_is_owned(store: MemoryStore) -> None:
    time, _ = await to_the_end(store, await root.create_root(store, LEDGER, ME, "db-1"))
    time = await root.release(store, LEDGER, time, expire_at=THEN)
    assert await claimed(store, time) == PORTIONS
    assert expiring(store) == []
    found = await root.read_root(store, LEDGER)
    assert found is not None
    assert (found.owner, found.expires) == (YOU, False)


async def test_a_marking_that_is_under_way_is_taken_back_whole(store: MemoryStore) -> None:
    time = await root.create_root(store, LEDGER, ME, "db-1")
    time, _ = await root.expire(store, LEDGER, time, THEN)
    assert expiring(store)
    await claimed(store, time)
    assert expiring(store) == []
