"""A source is cut into ranges of similar size, however small a part of its collection group it is, for few reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.moving import COPY, LEDGER, migration, plan, stored
from tests.strict.rules import Rules
from tests.strict.server import StrictFirestore, strict_firestore

from firelift.api.rollout import PaceSpec
from firelift.api.run import RunControl, RunKind, RunState
from firelift.migration.ledger.journal import Journal
from firelift.migration.ledger.lanes import ensure_lanes
from firelift.migration.ledger.runs import RunStore
from firelift.migration.store import Create, Source
from firelift.stores.firestore.store import FirestoreStore, open_firestore
from firelift.stores.paths import covers


@pytest.mark.parametrize("ratio", [0, 1, 5, 15])
@pytest.mark.parametrize("copies", ["devices/{}/logs", "logs/{}/logs", "users/{}/logs"])
async def test_a_source_keeps_its_lanes_beside_any_number_of_copies_in_its_group(copies: str, ratio: int) -> None:
    async with strict_firestore(Rules(partition=16)) as service:
        service.store.apply([Create(f"logs/{n:03}", {}) for n in range(320)])
        for copy in range(ratio):
            service.store.apply([Create(f"{copies.format(copy)}/{n:03}", {}) for n in range(320)])
        sizes = await _cut(service, Source("logs"), 16)
    assert len(sizes) == 16
    assert 10 <= min(sizes) <= max(sizes) <= 30, "half to one and a half of 20"
    assert service.billed["RunQuery"] <= 160, "most cuts are cursors"


@pytest.mark.parametrize("ratio", [1, 5])
async def test_a_run_has_as_many_lanes_as_without_its_own_copies(ratio: int) -> None:
    async with strict_firestore(Rules(partition=128, most_writes=None, page=50)) as service:
        service.store.apply([Create(f"logs/{n:05}", stored({"userId": "u"})) for n in range(2_500)])
        for copy in range(ratio):
            service.store.apply([Create(f"users/{copy}/logs/{n:05}", {}) for n in range(2_500)])
        spec = migration(COPY, source={"collection": "logs"})
        made = plan(RunKind.MIGRATE, spec, workers=2, pace=PaceSpec(max_writes_per_second=100_000))
        store = open_firestore("strict", emulator_host=service.host)
        await RunStore(store, LEDGER).ensure(made, RunControl(state=RunState.HOLD, epoch=1, lease_seconds=100))
        lanes = await ensure_lanes(Journal(store, LEDGER), made)
        await store.close()
    assert len(lanes.lanes) == 5
    assert [lane.start for lane in lanes.lanes[1:]] == [lane.end for lane in lanes.lanes[:-1]]


async def test_a_source_that_is_too_small_a_part_of_its_group_is_sampled() -> None:
    async with strict_firestore(Rules(partition=128)) as service:
        service.store.apply([Create(f"logs/{n:03}", {}) for n in range(100)])
        service.store.apply([Create(f"users/u/logs/{n:03}", {}) for n in range(900)])
        assert await _cut(service, Source("logs"), 4) == [25, 25, 25, 25]
        assert service.billed["RunQuery"] <= 100, "at most a read for each document"


OTHERS = st.lists(st.tuples(st.sampled_from(["devices", "logs", "users"]), st.integers(0, 120)), max_size=4)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 120), OTHERS, st.integers(1, 12), st.integers(2, 40), st.sampled_from(["all", "some"]))
async def test_each_document_is_in_exactly_one_range_and_the_ranges_are_even(
    documents: int, others: list[tuple[str, int]], parts: int, partition: int, part: str
) -> None:
    async with strict_firestore(Rules(partition=partition)) as service:
        service.store.apply([Create(f"logs/{n:03}", {}) for n in range(documents)])
        for number, (parent, count) in enumerate(others):
            service.store.apply([Create(f"{parent}/p{number}/logs/{n:03}", {}) for n in range(count)])
        source = Source("logs", start="logs/009", end="logs/099") if part == "some" else Source("logs")
        inside = sum(covers(source, path) for path in service.store.snapshot())
        sizes = await _cut(service, source, parts)
    assert sum(sizes) == inside, "each in one, and no other's"
    assert len(sizes) == (max(1, min(parts, inside)) if inside else 1)
    assert all(inside // parts // 2 <= size <= -(-inside * 3 // (2 * parts)) + 1 for size in sizes)
    assert service.billed["RunQuery"] <= inside, "skipped documents are read at most once"
    assert service.billed["RunAggregationQuery"] <= 2 * parts


async def _cut(service: StrictFirestore, source: Source, parts: int) -> Sequence[int]:
    """How many documents of all that the service has lie in each range that a source is cut into."""
    store: FirestoreStore = open_firestore("strict", emulator_host=service.host)
    points = await store.split_points(source, parts)
    await store.close()
    ends = pairwise([source.start, *points, source.end])
    ranges = [replace(source, start=start, end=end) for start, end in ends]
    return [sum(covers(each, path) for path in service.store.snapshot()) for each in ranges]
