"""The faults and the clock of the store in memory."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from firelift.migration.errors import Pressure, UnknownOutcome
from firelift.migration.store import Committed, Create, Delete, Put, Source, Write
from firelift.stores.memory import Faults, MemoryStore

ADA = Create("users/ada", {})


async def lose_the_reply(_writes: Sequence[Write], _committed: Committed) -> None:
    raise UnknownOutcome("DEADLINE_EXCEEDED", "the reply was lost")


async def refuse(_writes: Sequence[Write]) -> None:
    raise Pressure("ABORTED", "too much contention")


async def test_a_commit_whose_reply_is_lost_has_happened() -> None:
    store = MemoryStore(faults=Faults(after_commit=lose_the_reply))
    with pytest.raises(UnknownOutcome):
        await store.commit([ADA])
    assert await store.count(Source("users")) == 1


async def test_a_commit_that_is_refused_has_not_happened() -> None:
    store = MemoryStore(faults=Faults(before_commit=refuse))
    with pytest.raises(Pressure):
        await store.commit([ADA])
    assert await store.count(Source("users")) == 0


async def test_a_live_writer_can_come_between_a_decision_and_its_commit() -> None:
    store = MemoryStore()

    async def live_writer(writes: Sequence[Write]) -> None:
        if ADA in writes:
            store.apply([Put("users/ada", {"from": store.values.encode("the app")})])

    store.faults.before_commit = live_writer
    with pytest.raises(Exception, match="there is a document users/ada already"):
        await store.commit([ADA])


async def test_every_read_can_fail_by_its_name() -> None:
    calls: list[str] = []

    async def note(call: str) -> None:
        calls.append(call)

    store = MemoryStore(faults=Faults(before_read=note))
    await store.get(["users/ada"])
    await store.page(Source("users"), limit=1)
    await store.count(Source("users"))
    await store.split_points(Source("users"), 2)
    assert calls == ["get", "page", "count", "split_points"]


async def test_two_runs_have_the_same_times() -> None:
    async def run() -> tuple[Committed, Committed]:
        store = MemoryStore()
        first = await store.commit([ADA])
        await store.get(["users/ada"])
        return first, await store.commit([Delete("users/ada")])

    assert await run() == await run()


async def test_history_and_snapshot_tell_all_that_was() -> None:
    store = MemoryStore()
    one = store.values.encode(1)
    first = store.apply([Put("users/ada", {"n": one})]).commit_time
    second = store.apply([Delete("users/ada"), Put("users/bob", {})]).commit_time
    versions = [(version.update_time, version.fields) for version in store.history("users/ada")]
    assert versions == [(first, {"n": one}), (second, None)]
    assert store.snapshot() == {"users/bob": {}}
    assert store.snapshot(first) == {"users/ada": {"n": one}}
