"""A few writes a minute for each entity, of documents that many records become."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import virtual_time
from tests.counting import CountingStore
from tests.crashing import left_behind, ran_while_dying
from tests.moving import counts, everything, migration, plan, ran, stored
from tests.unit.test_aggregates import CHECKED, DAILY, MORNING, copies
from tests.virtual_time import in_virtual_time

from firelift.api.rollout import PaceSpec
from firelift.api.run import RunKind, RunPlan
from firelift.migration.entities.open_cursor import OpenCursor, is_open
from firelift.migration.entities.order import place
from firelift.migration.entities.pace import MINUTE
from firelift.migration.store import Committed, Create, Delete, Put, Update, Write
from firelift.stores.memory import MemoryStore

FIVE = PaceSpec(max_writes_per_second=1_000, batch_size=50, max_retries=5, per_entity_writes_per_minute=5)
ANY = FIVE.model_copy(update={"per_entity_writes_per_minute": None})
PER_DAY = 3


class Writes:
    """When each entity's statistics were written."""

    def __init__(self, store: MemoryStore) -> None:
        self.times: dict[str, list[float]] = defaultdict(list)
        store.faults.after_commit = self.note

    async def note(self, writes: Sequence[Write], _: Committed) -> None:
        for write in writes:
            if isinstance(write, Create | Update | Delete) and "/daily_stats/" in write.path:
                self.times[write.path.split("/")[1]].append(asyncio.get_running_loop().time())

    def busiest_minute(self) -> int:
        minutes = [
            sum(begin <= time < begin + MINUTE - 0.001 for time in times)
            for times in self.times.values()
            for begin in times
        ]
        return max(minutes, default=0)


def logs(user: str, days: int) -> dict[str, dict[str, object]]:
    """Three records of a user on each of so many days."""
    return {
        f"logs/{user}-{day:03d}-{number}": {
            "userId": user,
            "at": MORNING + timedelta(days=day, hours=number),
            "calories": 100 * number,
            "type": "meal",
        }
        for day in range(days)
        for number in range(PER_DAY)
    }


def filled(users: dict[str, int]) -> MemoryStore:
    store = MemoryStore()
    for user, days in users.items():
        found = [Create(path, stored(fields)) for path, fields in logs(user, days).items()]
        for start in range(0, len(found), 400):
            store.apply(found[start : start + 400])
    return store


def run(kind: RunKind, number: int = 0, **changes: Any) -> RunPlan:
    spec = migration(DAILY, **changes.pop("spec", {}))
    return plan(kind, spec, number, **{"pace": FIVE, "closing": True, "verify": CHECKED, **changes})


@in_virtual_time
async def test_statistics_keep_the_pace_of_their_entities_side_by_side_and_all_the_way_back() -> None:
    users = {f"u{number:02d}": 1 + number % 13 for number in range(80)}
    store = filled(users)
    before, writes = everything(store), Writes(store)
    moved = run(RunKind.MIGRATE)
    assert counts(await ran(store, moved)) == {"read": sum(users.values()), "created": sum(users.values())}
    assert {user: len(times) for user, times in writes.times.items()} == users
    assert writes.busiest_minute() == 5
    took = asyncio.get_running_loop().time()
    assert took < 60 + 3 * 60 + 60, "three minutes for the longest, and 16 users begin when others have ended"

    late = [
        Put(f"logs/late-{user}-{day}", stored(logs(user, day + 1)[f"logs/{user}-{day:03d}-0"]))
        for user in ("u11", "u12", "u25")
        for day in range(11)
    ]
    await store.commit(late)
    writes.times.clear()
    swept = run(RunKind.SWEEP)
    changed = counts(await ran(store, swept))
    assert (changed["updated"], changed["unchanged"]) == (33, sum(users.values()) - 33)
    assert (writes.busiest_minute(), {user: len(times) for user, times in writes.times.items()}) == (
        5,
        dict.fromkeys(("u11", "u12", "u25"), 11),
    )
    subjects = (moved.id, swept.id)
    checked = counts(await ran(store, run(RunKind.VERIFY, subjects=subjects)))
    assert checked == {"read": sum(users.values()), "unchanged": sum(users.values())}
    await ran(store, run(RunKind.REVERT, subjects=subjects))
    assert copies(store) == {}
    assert {path: each for path, each in everything(store).items() if "late" not in path} == before


@settings(max_examples=20, deadline=None)
@given(
    per_minute=st.integers(1, 6),
    days=st.lists(st.integers(0, 15), min_size=1, max_size=6),
    listed=st.booleans(),
    dying=st.sampled_from([0, 0, 7, 12]),
)
def test_no_minute_of_an_entity_has_more_statistics_than_it_may_have(
    per_minute: int,
    days: list[int],
    listed: bool,  # noqa: FBT001 - drawn by Hypothesis
    dying: int,
) -> None:
    async def move() -> None:
        users = {f"u{number}": count for number, count in enumerate(days)}
        store, other = filled(users), filled(users)
        for each in (store, other):
            each.apply([Create(f"users/{user}", {}) for user in users])
        spec = {"entityCollection": "users"} if listed else {}
        pace = FIVE.model_copy(update={"per_entity_writes_per_minute": per_minute})
        writes = Writes(store)
        made = run(RunKind.MIGRATE, spec=spec, pace=pace)
        await ran_while_dying(store, made, dying) if dying else await ran(store, made)
        await ran(other, run(RunKind.MIGRATE, spec=spec, pace=ANY))
        assert everything(store) == everything(other)
        assert writes.busiest_minute() <= per_minute
        assert dying or writes.busiest_minute() == min(per_minute, max(days))

    virtual_time.run(move())


@pytest.mark.parametrize(("first", "second"), [(FIVE, ANY), (ANY, FIVE), (FIVE, FIVE)])
@in_virtual_time
async def test_a_later_attempt_goes_on_whatever_the_pace_was(first: PaceSpec, second: PaceSpec) -> None:
    users = {f"u{number:02d}": 9 for number in range(20)}
    store = filled(users)
    made = run(RunKind.MIGRATE, pace=first.model_copy(update={"batch_size": 7}))
    seals = await left_behind(store, made, 10)
    done = sum(entry.totals.created for entry in seals)
    assert 0 < done < 180
    assert any(is_open(entry.end) for entry in seals) is (first is FIVE)
    again = run(RunKind.MIGRATE, 1, follows=made.id, attempt=2, pace=second)
    left = counts(await ran(store, again))
    assert (left["created"], left["read"]) == (180 - done, 180 - done)
    checked = run(RunKind.VERIFY, subjects=(made.id, again.id))
    assert counts(await ran(store, checked)) == {"read": 180, "unchanged": 180}


@in_virtual_time
async def test_who_waits_is_read_anew_each_minute_and_a_sweep_that_finds_all_as_it_is_reads_once() -> None:
    users = {f"u{number:02d}": 12 for number in range(20)}
    store = CountingStore(filled(users))
    records = 20 * 12 * PER_DAY
    await ran(store, run(RunKind.MIGRATE, spec={"entityCollection": None}))
    assert store.queried["logs", "filtered"] == 3 * records
    store.queried.clear()
    assert counts(await ran(store, run(RunKind.SWEEP))) == {"read": 240, "unchanged": 240}
    assert store.queried["logs", "filtered"] == records


def test_an_entity_can_follow_an_open_cursor_while_it_is_open_or_not_yet_opened() -> None:
    names = sorted("abcdef", key=lambda name: place("seed", name))
    cursor = OpenCursor(names[3], {names[1]: "users/x/d/5", names[2]: None})
    assert [cursor.within("seed", place("seed", name)) for name in names] == [False, True, True, False, True, True]
