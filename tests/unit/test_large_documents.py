"""What a lane holds at once is bounded by bytes, however large documents are and wherever they are read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest
from tests.moving import KIT, LEDGER, counts, migration, plan, ran, seeded
from tests.simple_work import seed
from tests.virtual_time import in_virtual_time

from firelift.api.rollout import PaceSpec
from firelift.api.run import RunKind, VerifyPlan
from firelift.migration.bounded import READ_BYTES, STOP_BYTES, get_some, weight
from firelift.migration.entities.order import place
from firelift.migration.entities.reader import ById, ByKey, EntityReader
from firelift.migration.entities.whose import Whose
from firelift.migration.ledger.joined import JoinedReader
from firelift.migration.ledger.journal import Journal
from firelift.migration.ledger.letters import Letters
from firelift.migration.ledger.scanned import ScannedEntries
from firelift.migration.processors.retry import LetterReader
from firelift.migration.store import Delete, Document, Missing, Source, Update
from firelift.migration.work import Reader
from firelift.stores.memory import MemoryStore

LARGE = "x" * 100_000
MANY = [f"u{number:03d}" for number in range(240)]
IN_ORDER = sorted(MANY, key=lambda name: place("seed", name))
MOST = 3 * READ_BYTES
"""Of one batch: it ends behind the page with which it is full, and pages are asked for a few at a time."""


class Weighing(MemoryStore):
    """Says how many bytes of documents one answer had at most."""

    most = 0

    async def get(self, paths: Sequence[str], **how: object) -> list[Document | Missing]:
        found = await super().get(paths, **how)  # type: ignore[arg-type]
        ours = [each for each in found if not each.path.startswith("_firelift/")]
        self.most = max(self.most, weight(KIT, ours))
        return found


async def filled() -> MemoryStore:
    store = MemoryStore()
    await seed(store, {f"tasks/{name}": {"name": LARGE, "userId": name} for name in MANY})
    return store


async def batches(reader: Reader) -> tuple[list[str], int]:
    """The paths of all records, and the most bytes that one batch had."""
    paths: list[str] = []
    most, after, exhausted = 0, None, False
    while not exhausted:
        batch = await reader.read(after)
        documents = [getattr(record.payload, "source", record.payload) for record in batch.records]
        paths += [document.path for document in documents]
        most = max(most, weight(KIT, documents))
        after, exhausted = batch.end, batch.exhausted
    return paths, most


@pytest.mark.parametrize("by_id", [True, False])
async def test_entities_with_large_documents(by_id: bool) -> None:  # noqa: FBT001 - a parameter of pytest's
    store, source = await filled(), Source("tasks")

    async def entities() -> list[str]:
        return IN_ORDER

    key = None if by_id else ("userId",)
    records = ById(store, source) if by_id else ByKey(store, source, ("userId",))
    whose = Whose(store, "seed", key)
    paths, most = await batches(EntityReader(records, entities, "seed", lambda: 5_000, bool, whose.entity))
    assert sorted(paths) == [f"tasks/{name}" for name in MANY]
    assert most <= MOST


@in_virtual_time
async def test_large_documents_with_dead_letters() -> None:
    store = await filled()
    refusing = migration(
        {"name": "tasks", "source": {"collection": "tasks"}, "target": {"document": "copies/{id}"}},
        validate=[{"rule": "false"}],
    )
    assert (await ran(store, plan(RunKind.MIGRATE, refusing))).totals.dead_letters == len(MANY)
    paths, most = await batches(LetterReader(store, Letters(store, LEDGER, ["migrate.0"])))
    assert paths == [f"tasks/{name}" for name in MANY]
    assert most <= MOST


@in_virtual_time
async def test_large_images() -> None:
    """Each source is in the journal as a whole when a delete step has cleaned it up."""
    store = await filled()
    copying = migration({"name": "tasks", "source": {"collection": "tasks"}, "target": {"document": "copies/{id}"}})
    made = plan(RunKind.MIGRATE, copying)
    large = made.pace.model_copy(update={"batch_size": 400})
    await ran(store, made)
    await ran(store, plan(RunKind.DELETE, copying, pace=large))
    journal = Journal(store, LEDGER)
    seen: list[int] = []
    while found := await journal.entries("delete.0", 0, newest_first=False, start=len(seen) + 1):
        assert len(found) == 1 or sum(len(each.images) for each in found[:-1]) * len(LARGE) < READ_BYTES
        seen += [len(each.images) for each in found]
    assert sum(seen) == len(MANY)
    entries = ScannedEntries(journal, Whose(store, "seed", None))
    held = [await _held(entries, f"tasks/{name}") for name in MANY]
    assert max(held) <= MOST
    joined = JoinedReader(store, Source("tasks"), 2_000, bool, bool, entries, ["delete.0"])
    met, largest = await _joined(joined)
    assert met == [f"tasks/{name}" for name in MANY]
    assert largest <= MOST


async def _joined(joined: JoinedReader) -> tuple[list[str], int]:
    """The paths of all images' sources, and the most bytes that the images of one batch had."""
    paths: list[str] = []
    largest, after, exhausted = 0, None, False
    while not exhausted:
        batch = await joined.read(after)
        images = [each.image for record in batch.records for each in record.payload.images]
        paths += [record.cursor for record in batch.records]
        largest = max([largest, sum(image.weight(KIT) for image in images)])
        after, exhausted = batch.end, batch.exhausted
    return paths, largest


async def _held(entries: ScannedEntries, source: str) -> int:
    assert await entries.of("delete.0", source)
    there: Iterable[int] = (each.weight(KIT) for each in entries._whole.values() if each)  # noqa: SLF001 - what it holds is the question
    return sum(there)


@in_virtual_time
async def test_some_documents_are_read_until_they_are_enough() -> None:
    store = await filled()
    paths = [f"tasks/{name}" for name in (*MANY, "gone")]
    few = await get_some(store, paths)
    assert [each.path for each in few] == paths[: len(few)]
    assert READ_BYTES <= weight(KIT, few) <= READ_BYTES + 8 * len(LARGE)
    assert await get_some(store, []) == []
    (gone,) = await get_some(store, ["tasks/gone"])
    assert isinstance(gone, Missing)
    small = await seeded({f"tasks/{number}": {"n": 1} for number in range(50)})
    found = await get_some(small, [f"tasks/{number}" for number in range(60)])
    assert [isinstance(each, Document) for each in found] == [True] * 50 + [False] * 10


@in_virtual_time
async def test_a_revert_reads_as_many_copies_at_once_as_there_is_room_for_and_takes_them_all_back() -> None:
    store = Weighing()
    await seed(store, {f"tasks/{name}": {"name": LARGE} for name in MANY})
    spec = migration({"name": "copies", "source": {"collection": "tasks"}, "target": {"document": "copies/{id}"}})
    pace = PaceSpec(max_writes_per_second=100_000, batch_size=100, max_retries=5)
    await ran(store, plan(RunKind.MIGRATE, spec, pace=pace))
    store.most = 0
    reverted = await ran(store, plan(RunKind.REVERT, spec, subjects=("migrate.0",), pace=pace))
    assert counts(reverted) == {"read": len(MANY), "deleted": len(MANY)}
    checked = await ran(store, plan(RunKind.REVERT_VERIFY, spec, subjects=("migrate.0",), pace=pace))
    assert counts(checked) == {"read": len(MANY), "unchanged": len(MANY)}
    assert 0 < store.most < READ_BYTES + len(LARGE)


@pytest.mark.parametrize("sweeps", [0, 1])
@in_virtual_time
async def test_a_verify_of_entities_reads_as_many_copies_at_once_as_there_is_room_for(sweeps: int) -> None:
    """It walks images, which are small, of copies that are not."""
    store = Weighing()
    small = {f"tasks/{name}": {"userId": name} for name in MANY}
    await seed(store, small | {f"users/{name}": {} for name in MANY})
    spec = migration(
        {"name": "copies", "source": {"collection": "tasks"}, "target": {"document": "copies/{id}"}},
        entityKey="userId",
        entityCollection="users",
    )
    pace = PaceSpec(max_writes_per_second=100_000, batch_size=200, max_retries=5)
    await ran(store, plan(RunKind.MIGRATE, spec, pace=pace))
    subjects = ["migrate.0"]
    for number in range(sweeps):
        await ran(store, plan(RunKind.SWEEP, spec, number, pace=pace))
        subjects.append(f"sweep.{number}")
    for name in MANY[40:]:
        store.apply([Update(f"copies/{name}", {"mine": KIT.encode(LARGE)}, [("mine",)], None)])
    store.apply([Delete(f"copies/{MANY[-1]}")])
    store.most = 0
    check = VerifyPlan(recheck_seconds=0)
    checked = await ran(store, plan(RunKind.VERIFY, spec, subjects=tuple(subjects), verify=check, pace=pace))
    assert counts(checked) == {"read": len(MANY), "unchanged": len(MANY) - 1, "missing": 1}
    assert 0 < store.most < STOP_BYTES + len(LARGE)
