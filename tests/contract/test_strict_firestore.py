"""The strict fake enforces what the emulator does not, and the data plane gets to its end on it all the same."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.moving import COPY, KIT, LEDGER, counts, everything, migration, plan, stored
from tests.strict.rules import Code, Ramp, Refused, Rules
from tests.strict.server import StrictFirestore, strict_firestore

from firelift.api.rollout import PaceSpec
from firelift.api.run import RunControl, RunKind, RunPlan, RunState, VerifyPlan
from firelift.migration.clock import SystemClock
from firelift.migration.errors import Conflict, Poison, Pressure, StoreError, TooLarge, UnknownOutcome
from firelift.migration.ledger.journal import Journal
from firelift.migration.ledger.lanes import ensure_lanes
from firelift.migration.ledger.progress import Progress
from firelift.migration.ledger.runs import RunStore
from firelift.migration.processors.build import build
from firelift.migration.store import Create, Document, Put, Source, Update, Verify
from firelift.migration.worker import Share, work
from firelift.stores.firestore.store import FirestoreStore, open_firestore
from firelift.stores.firestore.transport import Patience

LEDGER_GROUPS = frozenset({"firelift_runs", "firelift_journal", "firelift_deadletters", "_firelift"})


@asynccontextmanager
async def strict(rules: Rules, reads: float = 10) -> AsyncIterator[tuple[StrictFirestore, FirestoreStore]]:
    async with strict_firestore(rules) as service:
        patience = Patience(call=10, reads=reads, first_pause=0.001, longest_pause=0.05)
        store = open_firestore("strict", emulator_host=service.host, patience=patience)
        try:
            yield service, store
        finally:
            await store.close()


class Time:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_ramp_grows_by_half_every_five_minutes_and_refuses_what_is_faster() -> None:
    time = Time()
    ramp = Ramp(clock=time)
    ramp.take(500)
    with pytest.raises(Refused):
        ramp.take(1)
    time.now = 1.0
    ramp.take(500)
    time.now = 301.0
    ramp.take(750)
    with pytest.raises(Refused):
        ramp.take(1)
    time.now = 3_600.0
    assert int(ramp.allowed) == 500 * 1.5**12 // 1


COMMITS: dict[str, tuple[Rules, list[Any], type[StoreError]]] = {
    "more than ten mebibytes": (
        Rules(request_bytes=10_000),
        [Create(f"a/{n}", stored({"x": "y" * 3_000})) for n in range(4)],
        TooLarge,
    ),
    "more than 500 writes": (Rules(), [Create(f"a/{n}", {}) for n in range(501)], Poison),
    "more than 40,000 index entries": (Rules(), [Create("a/b", stored({"x": list(range(40_000))}))], Poison),
    "a document of more than a mebibyte": (Rules(), [Create("a/b", stored({"x": "y" * 1_048_500}))], Poison),
    "faster than the ramp": (Rules(ramp=Ramp(2)), [Create(f"a/{n}", {}) for n in range(3)], Pressure),
    "what was just written": (Rules(contention_seconds=60), [Put("seed/s", stored({"x": 2}))], Pressure),
    "a stale guard": (Rules(), [Verify("seed/s", 1), Create("a/b", {})], Conflict),
}


@pytest.mark.parametrize("what", COMMITS)
async def test_a_commit_that_firestore_refuses_is_refused_whole(what: str) -> None:
    rules, writes, error = COMMITS[what]
    async with strict(rules) as (service, store):
        await store.commit([Create("seed/s", stored({"x": 1}))])
        with pytest.raises(error):
            await store.commit(writes)
        assert everything(service.store) == {"seed/s": {"x": KIT.dumps(KIT.encode(1))}}


async def test_exempt_collections_have_no_index_entries() -> None:
    many = stored({"x": list(range(40_000))})
    async with strict(Rules(exempt=LEDGER_GROUPS)) as (_, store):
        await store.commit([Create("_firelift/l/firelift_journal/e", many)])
        (kept,) = await store.get(["_firelift/l/firelift_journal/e"])
        assert isinstance(kept, Document)
        with pytest.raises(Poison, match="too many index entries"):
            await store.commit([Create("a/b", many)])


async def test_a_stream_is_cut_and_an_index_may_not_be_ready() -> None:
    async with strict(Rules(cut_after=4)) as (service, store):
        await store.commit([Create(f"a/{n}", {}) for n in range(10)])
        assert len((await store.page(Source("a"), limit=10)).documents) == 10
        assert service.asked["RunQuery"] == 3
        service.rules.building = frozenset({"a"})
        with pytest.raises(StoreError, match="currently building"):
            await store.page(Source("a"), limit=10)


async def test_a_stream_lasts_no_longer_than_its_time() -> None:
    time = Time()
    async with strict(Rules(clock=time, stream_seconds=-1.0), reads=0.1) as (_, store):
        await store.commit([Create("a/b", {})])
        with pytest.raises(UnknownOutcome, match="temporarily unavailable"):
            await store.page(Source("a"), limit=10)


async def test_partitions_come_unsorted_and_from_all_over_the_group_and_are_sorted_and_clipped() -> None:
    async with strict(Rules(partition=4)) as (service, store):
        await store.commit([Create(f"a/{n:03}", {}) for n in range(80)])
        await store.commit([Create(f"parents/{n % 3}/a/{n:03}", {}) for n in range(80)])
        raw = service._cursors("a", 12)  # noqa: SLF001 - what the wire carries
        assert raw != sorted(raw)
        assert any(path.startswith("parents/") for path in raw)
        points = await store.split_points(Source("a"), 5)
        assert len(points) == 4
        assert points == sorted(point for point in points if point.startswith("a/"))


HARD: dict[str, tuple[Callable[[], Rules], set[Code]]] = {
    "cut streams": (lambda: Rules(cut_after=7), {Code.UNAVAILABLE}),
    "a slow ramp": (lambda: Rules(ramp=Ramp(120, seconds=1.0)), {Code.RESOURCE_EXHAUSTED}),
    "contention": (lambda: Rules(contention_seconds=2.0), {Code.ABORTED}),
    "small requests": (lambda: Rules(request_bytes=4_000), {Code.INVALID_ARGUMENT}),
    "few writes": (lambda: Rules(most_writes=10), {Code.INVALID_ARGUMENT}),
    "everything": (
        lambda: Rules(
            cut_after=7, ramp=Ramp(120, seconds=1.0), contention_seconds=2.0, request_bytes=4_000, most_writes=10
        ),
        {Code.UNAVAILABLE, Code.RESOURCE_EXHAUSTED, Code.INVALID_ARGUMENT},
    ),
}


@pytest.mark.parametrize("what", HARD)
async def test_a_migration_its_verify_and_its_revert_get_to_their_ends(what: str) -> None:
    make, felt = HARD[what]
    rules = make()
    rules.exempt, rules.partition = LEDGER_GROUPS, 16
    async with strict(rules) as (service, store):
        await _there_and_back(service, store)
    assert felt <= set(rules.refused), "the rules were felt"


async def test_no_read_of_a_run_needs_a_stream_that_lives_as_long_as_the_run() -> None:
    """A stream of Firestore's lives for a minute, whatever it has left to say; here for as long as ten answers take."""
    rules = Rules(stream_seconds=0.06, answer_seconds=0.006, exempt=LEDGER_GROUPS, partition=16)
    async with strict(rules, reads=60) as (service, store):
        await _there_and_back(service, store)
    assert set(service.outlived) == {"RunQuery", "BatchGetDocuments"}
    assert service.outlived["RunQuery"] > 160 // 10, "no listing of the documents fits into one"


async def _there_and_back(service: StrictFirestore, store: FirestoreStore) -> None:
    for number in range(160):
        fields = stored({"userId": f"u{number % 7}", "n": number})
        service.store.apply([Create(f"fitness_logs/{number:03}", fields)])
    service.store.apply([Create(f"devices/d/fitness_logs/{number:03}", {}) for number in range(160)])
    before = everything(service.store)
    pace = PaceSpec(max_writes_per_second=100_000, batch_size=20, max_retries=20)
    spec = migration(COPY, transform={"rename": {"n": "number"}})
    forth = plan(RunKind.MIGRATE, spec, pace=pace)
    assert _outcome(await _done(store, forth)) == {"read": 160, "created": 160}
    after = everything(service.store)
    assert {path: after[path] for path in before} == before
    assert {path: KIT.decode(KIT.loads(fields["number"])) for path, fields in after.items() if path not in before} == {
        f"users/u{number % 7}/fitness_logs/{number:03}": number for number in range(160)
    }
    behind: dict[str, Any] = {"subjects": (forth.id,), "pace": pace, "verify": VerifyPlan(recheck_seconds=0)}
    assert _outcome(await _done(store, plan(RunKind.VERIFY, spec, **behind)))["unchanged"] == 160
    assert _outcome(await _done(store, plan(RunKind.REVERT, spec, **behind)))["deleted"] == 160
    assert everything(service.store) == before


async def test_lanes_come_from_partitions_of_the_source_alone() -> None:
    async with strict(Rules(partition=128, most_writes=None)) as (service, store):
        service.store.apply([Create(f"fitness_logs/{n:05}", stored({"userId": "u"})) for n in range(2_500)])
        service.store.apply([Create(f"devices/{n % 5}/fitness_logs/{n:05}", {}) for n in range(2_500)])
        made = plan(RunKind.MIGRATE, migration(COPY), workers=2, pace=PaceSpec(max_writes_per_second=100_000))
        await RunStore(store, LEDGER).ensure(made, RunControl(state=RunState.HOLD, epoch=1, lease_seconds=100))
        lanes = await ensure_lanes(Journal(store, LEDGER), made)
        assert len(lanes.lanes) > 1
        assert all(lane.end is None or lane.end.startswith("fitness_logs/") for lane in lanes.lanes)
        assert [lane.start for lane in lanes.lanes[1:]] == [lane.end for lane in lanes.lanes[:-1]]


async def test_a_commit_takes_what_it_was_made_of_and_no_more() -> None:
    async with strict(Rules()) as (service, store):
        made = await store.commit([Create("a/b", stored({"x": {"y": 1, "z": 2}}))])
        await store.commit([Update("a/b", stored({"x": {"y": 3}}), [("x", "y")], made.commit_time)])
        assert KIT.decode(service.store.snapshot()["a/b"]["x"]) == {"y": 3, "z": 2}
        assert await store.count(Source("a")) == 1


async def _done(store: FirestoreStore, made: RunPlan) -> dict[str, int]:
    control = RunControl(state=RunState.RUN, epoch=1, lease_seconds=1_000)
    await RunStore(store, LEDGER).ensure(made, control)
    await work(store, Share(LEDGER, made.id, 0, 1), build, clock=SystemClock())
    progress = await Progress(store, LEDGER, made.id).update()
    assert progress.complete
    return counts(progress)


def _outcome(found: dict[str, int]) -> dict[str, int]:
    return {name: count for name, count in found.items() if name not in {"retries", "pressured", "conflicts"}}
