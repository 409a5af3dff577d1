"""Cohorts that go by entities: what they move, what they leave, and what they cost."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from tests.counting import CountingStore
from tests.moving import (
    COPY,
    EVERYBODY,
    IN_PLACE,
    KIT,
    LEDGER,
    counts,
    everything,
    migration,
    plan,
    ran,
    seeded,
    seen,
    stored,
)
from tests.virtual_time import in_virtual_time

from firelift.api.cohort import Selection, bucket
from firelift.api.migration import MigrationSpec
from firelift.api.rollout import PaceSpec
from firelift.api.run import RunKind, RunPlan, VerifyPlan
from firelift.migration.entities.reader import ByKey, EntityReader
from firelift.migration.ledger.journal import Journal
from firelift.migration.store import Create, Delete, Put, Source
from firelift.stores.memory import MemoryStore

SEED = "seed"
BY_ENTITY = {**COPY, "entityCollection": "users"}
EDGES = (0, 100, 1_000, 5_000, 10_000)
INSIDE = {
    **BY_ENTITY,
    "target": {"inPlace": {}},
    "appliesWhen": "!has(doc.moved)",
    "transform": {"set": {"moved": "true"}},
}
FAST = PaceSpec(max_writes_per_second=100_000, batch_size=200, max_retries=5)


def phase(number: int, spec: MigrationSpec, **changes: Any) -> RunPlan:
    """The run of one of four phases: 1, 10, 50 and 100 %."""
    start, end = EDGES[number], EDGES[number + 1]
    selection = Selection(from_bucket=start, to_bucket=end)
    changes = {"pace": FAST, "closing": end == EDGES[-1], **changes}
    return plan(RunKind.MIGRATE, spec, number, selection=selection, **changes)


def covered(users: dict[str, int], start: int, end: int) -> int:
    return sum(count for user, count in users.items() if start <= bucket(SEED, user) < end)


async def filled(users: dict[str, int]) -> MemoryStore:
    store = MemoryStore()
    logs = [(user, f"{number:03d}{user}") for user, count in users.items() for number in range(count)]
    for start in range(0, len(logs), 400):
        some = logs[start : start + 400]
        store.apply([Create(f"fitness_logs/{log}", stored({"userId": user})) for user, log in some])
    for user in users:
        store.apply([Create(f"users/{user}", stored({"plan": "pro"}))])
    return store


@pytest.mark.parametrize(("pace", "people"), [(FAST, 500), (PaceSpec(), 150)], ids=["fast", "by default"])
@pytest.mark.parametrize(("spec", "done"), [(BY_ENTITY, "created"), (INSIDE, "updated")], ids=["copies", "in place"])
@in_virtual_time
async def test_a_cohort_costs_what_it_covers(spec: dict[str, Any], done: str, pace: PaceSpec, people: int) -> None:
    users = {f"u{number}": 10 + number % 61 for number in range(people)}
    total = sum(users.values())
    memory = await filled(users)
    for number, (start, end) in enumerate(pairwise(EDGES)):
        store = CountingStore(memory)
        progress = await ran(store, phase(number, migration(spec), workers=2, pace=pace))
        mine = covered(users, start, end)
        assert counts(progress) == ({"read": mine, done: mine} if mine else {})
        read = store.queried["fitness_logs", "filtered"] + store.got["fitness_logs"]
        assert mine <= read <= 1.2 * mine + 1_000
        assert read == mine
        assert store.queried["fitness_logs", "scanned"] == (total if end == EDGES[-1] else 0)
        assert store.queried["users", "names"] == (people if number == 0 else 0)


@in_virtual_time
async def test_every_record_moves_once_and_all_of_it_goes_back() -> None:
    users = {f"u{number}": 1 + number % 7 for number in range(300)} | {"42": 3, "-7": 2, "007": 2}
    store = await filled(users)
    for number in range(3):
        store.apply([Put(f"fitness_logs/int{number}", stored({"userId": 42}))])
    for name, key in (("real", 42.0), ("none", None), ("map", {"a": 1}), ("orphan", "nobody's")):
        store.apply([Put(f"fitness_logs/{name}", stored({"userId": key}))])
    before = everything(store)
    spec = migration(BY_ENTITY)
    runs = [phase(number, spec) for number in range(4)]
    # The last step sweeps what earlier ones own, for records whose entities nobody has listed.
    runs += [run.model_copy(update={"id": f"{run.id}s", "kind": RunKind.SWEEP, "closing": True}) for run in runs[:3]]
    moved = [(await ran(store, run)).totals for run in runs]
    bad = {"fitness_logs/real", "fitness_logs/none", "fitness_logs/map"}
    assert sum(each.created for each in moved) == sum(users.values()) + 4
    assert [each.dead_letters for each in moved] == [0, 0, 0, len(bad), 0, 0, 0]
    assert await seen(store, "users/42/fitness_logs/int1") == {"userId": 42}
    subjects = tuple(run.id for run in runs)
    checked = VerifyPlan(recheck_seconds=0)
    verify = plan(RunKind.VERIFY, spec, closing=True, subjects=subjects, verify=checked)
    assert counts(await ran(store, verify)) == {
        "read": sum(users.values()) + 7,
        "unchanged": sum(users.values()) + 4,
        "dead_letters": len(bad),
    }
    await ran(store, plan(RunKind.REVERT, spec, subjects=subjects))
    assert everything(store) == before


@in_virtual_time
async def test_an_entity_that_came_later_is_found_by_a_sweep_and_by_a_verify() -> None:
    store = await filled({"ada": 3, "bob": 2})
    spec = migration(BY_ENTITY)
    half = Selection(to_bucket=max(bucket(SEED, name) for name in ("ada", "bob", "eve")) + 1)
    assert (await ran(store, plan(RunKind.MIGRATE, spec, selection=half))).totals.created == 5
    await store.commit([Put("users/eve", {}), Put("fitness_logs/late", stored({"userId": "eve"}))])
    again = plan(RunKind.MIGRATE, spec, 1, selection=half)
    assert counts(await ran(store, again)) == {"read": 5, "unchanged": 5}
    verify = plan(RunKind.VERIFY, spec, selection=half, verify=VerifyPlan(recheck_seconds=0))
    assert counts(await ran(store, verify)) == {"read": 6, "unchanged": 5, "missing": 1}
    sweep = plan(RunKind.SWEEP, spec, selection=half)
    assert counts(await ran(store, sweep)) == {"read": 6, "created": 1, "unchanged": 5}
    assert await seen(store, "users/eve/fitness_logs/late") == {"userId": "eve"}


@in_virtual_time
async def test_an_entity_without_a_document_waits_for_the_closing_scan() -> None:
    store = await filled({"ada": 2})
    await store.commit([Put("fitness_logs/orphan", stored({"userId": "ghost"}))])
    spec = migration(BY_ENTITY)
    everyone_listed = plan(RunKind.MIGRATE, spec)
    assert counts(await ran(store, everyone_listed)) == {"read": 2, "created": 2}
    closing = plan(RunKind.SWEEP, spec, closing=True)
    assert counts(await ran(store, closing)) == {"read": 3, "created": 1, "unchanged": 2}
    assert await seen(store, "users/ghost/fitness_logs/orphan") == {"userId": "ghost"}


@in_virtual_time
async def test_a_sweep_leaves_copies_that_the_app_has_deleted() -> None:
    store = await filled({"ada": 4, "bob": 4})
    spec = migration(BY_ENTITY)
    await ran(store, plan(RunKind.MIGRATE, spec, closing=True))
    (gone,) = [path for path in store.snapshot() if path == "users/ada/fitness_logs/002ada"]
    await store.commit([Put("users/eve", {})])
    await store.commit([Delete(gone)])
    assert counts(await ran(store, plan(RunKind.SWEEP, spec, closing=True))) == {
        "read": 8,
        "skipped": 1,
        "unchanged": 7,
    }


NAMED: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("by key", COPY, {"userId": "ada"}),
    ("by id", {**IN_PLACE, "source": {"collection": "fitness_logs"}}, {"name": "x"}),
]


@pytest.mark.parametrize(("how", "base", "fields"), NAMED)
@in_virtual_time
async def test_named_entities_cost_just_their_own_records(
    how: str, base: dict[str, Any], fields: dict[str, Any]
) -> None:
    memory = await seeded({f"fitness_logs/{n}": fields | {"userId": f"u{n % 50}"} for n in range(500)})
    store = CountingStore(memory)
    names = ("7", "u7", "x/y", "nobody")
    made = plan(RunKind.MIGRATE, migration(base), selection=Selection(ids=names), pace=FAST)
    progress = await ran(store, made)
    expected = 10 if how == "by key" else 1
    assert progress.totals.written == expected
    assert store.queried["fitness_logs", "scanned"] == 0
    assert store.queried["fitness_logs", "filtered"] + store.got["fitness_logs"] <= 12
    swept = plan(RunKind.SWEEP, migration(base), selection=Selection(ids=names), pace=FAST)
    assert (await ran(store, swept)).totals.written == 0


@in_virtual_time
async def test_nobody_in_a_cohort_is_told_from_an_empty_source() -> None:
    store = await filled({"ada": 3})
    at = bucket(SEED, "ada")
    nobody = Selection(from_bucket=at + 1, to_bucket=10_000)
    progress = await ran(store, plan(RunKind.MIGRATE, migration(BY_ENTITY), selection=nobody))
    assert (progress.totals.read, progress.estimate) == (0, 1)
    assert EVERYBODY.covers(SEED, "ada")


@in_virtual_time
async def test_a_closing_scan_that_finds_nothing_leaves_few_entries_at_any_pace() -> None:
    store = await filled(dict.fromkeys((f"u{number}" for number in range(50)), 20))
    made = phase(3, migration(BY_ENTITY), pace=PaceSpec(max_writes_per_second=10))
    lanes = (await ran(store, made)).lanes
    ends = [await Journal(store, LEDGER).last(made.id, lane) for lane in range(lanes)]
    walked = [end for end in ends if end and not end.totals.read]
    assert walked
    assert all(end.seq <= 2 for end in walked)


@pytest.mark.parametrize("limit", [60, 250, 1_100, 2_000])
async def test_no_record_is_read_twice_where_groups_are_larger_than_a_page(limit: int) -> None:
    users = {f"u{number:03d}": 20 + number % 41 for number in range(100)}
    store = CountingStore(await filled(users))

    async def listed() -> Sequence[str]:
        return sorted(users, key=lambda user: (bucket(SEED, user), user))

    records = ByKey(store, Source("fitness_logs"), ("userId",))
    reader = EntityReader(
        records, listed, SEED, lambda: limit, bool, lambda document: str(KIT.decode(document.fields["userId"]))
    )
    found, after = 0, None
    while True:
        batch = await reader.read(after)
        found, after = found + len(batch.records), batch.end
        if batch.exhausted:
            break
    assert (found, store.queried["fitness_logs", "filtered"]) == (sum(users.values()), sum(users.values()))
