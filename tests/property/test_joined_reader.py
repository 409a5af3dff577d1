"""A scan that is joined to journals meets every source and every image exactly once, wherever it begins again."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.moving import KIT, LEDGER, migration, plan, ran, seeded, stored
from tests.virtual_time import run

from firelift.api.cohort import BUCKETS
from firelift.api.run import RunKind, RunPlan, VerifyPlan
from firelift.migration.entities.whose import Whose
from firelift.migration.ledger.joined import JoinedReader, Sighting
from firelift.migration.ledger.journal import Journal
from firelift.migration.ledger.scanned import ScannedEntries
from firelift.migration.path_order import order
from firelift.migration.store import Create, Delete, Source, Update
from firelift.stores.memory import MemoryStore

NUMBERS = range(24)
SPEC = migration(
    target={"document": "items/{id}-{item}", "forEach": "doc.items"}, transform={"set": {"it": "item"}}, entityKey=None
)
SEEN = list[tuple[str, bool, tuple[str, ...]]]

sources = st.dictionaries(st.sampled_from(NUMBERS), st.lists(st.sampled_from("abcdefg"), unique=True), min_size=1)
gone = st.sets(st.sampled_from(NUMBERS))


def path(number: int) -> str:
    return f"fitness_logs/{number:02d}"


async def moved(first: dict[int, list[str]], deleted: set[int], late: dict[int, list[str]], batch: int) -> MemoryStore:
    """Sources that are moved, some of which then go, and others that come or change and are swept."""
    store = await seeded({path(number): {"items": items} for number, items in first.items()})
    pace = plan(RunKind.MIGRATE, SPEC).pace.model_copy(update={"batch_size": batch})
    await ran(store, plan(RunKind.MIGRATE, SPEC, pace=pace))
    store.apply([Delete(path(number)) for number in first if number in deleted] or [Create("other/x", {})])
    for number, items in late.items():
        there = path(number) in store.snapshot()
        fields = stored({"items": items})
        store.apply([Update(path(number), fields, [("items",)], None) if there else Create(path(number), fields)])
    await ran(store, plan(RunKind.SWEEP, SPEC, pace=pace))
    return store


def reader(store: MemoryStore, limit: int, most: int, cuts: tuple[str | None, str | None]) -> JoinedReader:
    entries = ScannedEntries(Journal(store, LEDGER), Whose(store, "seed", None))
    source = Source("fitness_logs", start=cuts[0], end=cuts[1])
    subjects = ("migrate.0", "sweep.0")
    return JoinedReader(store, source, limit, lambda _: True, lambda _: True, entries, subjects, most)


async def read(joined: JoinedReader, after: str | None, *, batches: int = 1_000) -> tuple[SEEN, str | None]:
    """What comes behind a cursor, and the cursor behind it; None at the end."""
    seen: SEEN = []
    for _ in range(batches):
        batch = await joined.read(after)
        for record in batch.records:
            sighting: Sighting = record.payload
            images = tuple(sorted(each.image.path for each in sighting.images))
            seen.append((sighting.path, sighting.source is not None, images))
        if batch.exhausted:
            return seen, None
        after = batch.end
    return seen, after


async def wanted(store: MemoryStore) -> SEEN:
    """The same by the journals themselves."""
    found: dict[str, list[str]] = {each: [] for each in store.snapshot() if each.startswith("fitness_logs/")}
    there = frozenset(found)
    journal = Journal(store, LEDGER)
    for subject in ("migrate.0", "sweep.0"):
        for entry in await journal.walk(subject, 0, after=0, limit=1_000, images=True):
            for image in entry.images or ():
                found.setdefault(image.source or "", []).append(image.path)
    return [(each, each in there, tuple(sorted(found[each]))) for each in sorted(found, key=order)]


@settings(max_examples=40, deadline=None)
@given(
    first=sources,
    deleted=gone,
    late=sources,
    batch=st.integers(1, 9),
    limit=st.integers(1, 9),
    most=st.integers(1, 9),
    again=st.integers(1, 4),
    cut=st.none() | st.sampled_from(NUMBERS),
)
def test_every_source_and_every_image_is_met_once(**drawn: Any) -> None:
    async def scenario() -> None:
        store = await moved(drawn["first"], drawn["deleted"], drawn["late"], drawn["batch"])
        middle = None if drawn["cut"] is None else path(drawn["cut"])
        seen: SEEN = []
        for cuts in [(None, middle), (middle, None)] if middle else [(None, None)]:
            after: str | None = None
            while True:
                # A reader of its own each time, as a worker that goes on where another has died.
                joined = reader(store, drawn["limit"], drawn["most"], cuts)
                more, after = await read(joined, after, batches=drawn["again"])
                seen += more
                if after is None:
                    break
        assert seen == await wanted(store)

    run(scenario())


@settings(max_examples=40, deadline=None)
@given(first=sources, deleted=gone, late=sources, broken=gone, batch=st.integers(1, 9))
def test_a_verify_counts_what_was_planted(**drawn: Any) -> None:
    """Against what the documents alone say: no journal is asked."""

    async def scenario() -> None:
        store = await moved(drawn["first"], drawn["deleted"], drawn["late"], drawn["batch"])
        copies = [each for each in sorted(store.snapshot()) if each.startswith("items/")]
        for number in sorted(drawn["broken"] & set(range(len(copies)))):
            wrong = Update(copies[number], {"it": KIT.encode(number)}, [("it",)], None)
            store.apply([wrong if number % 2 else Delete(copies[number])])
        made: RunPlan = plan(
            RunKind.VERIFY,
            SPEC,
            subjects=("migrate.0", "sweep.0"),
            verify=VerifyPlan(sample_buckets=BUCKETS, recheck_seconds=0),
        )
        totals = (await ran(store, made)).totals
        now = store.snapshot()
        derived = {
            f"items/{each.rpartition('/')[2]}-{item}": item
            for each, fields in now.items()
            if each.startswith("fitness_logs/")
            for item in KIT.decode(fields["items"])
        }
        there = {each: KIT.decode(fields["it"]) for each, fields in now.items() if each.startswith("items/")}
        assert totals.missing == len(derived.keys() - there.keys())
        assert totals.extra == len(there.keys() - derived.keys())
        assert totals.different == sum(there[each] != item for each, item in derived.items() if each in there)
        assert totals.unchanged == sum(there.get(each) == item for each, item in derived.items())

    run(scenario())
