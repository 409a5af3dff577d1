"""What tests of the data plane share: documents from plain data, migrations, and whole runs by a real worker."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tests.virtual_time import VirtualClock

from firelift.api.cohort import Selection
from firelift.api.migration import MigrationSpec
from firelift.api.rollout import DatabaseRef, PaceSpec
from firelift.api.run import RunControl, RunKind, RunPlan, RunState
from firelift.functions import Context
from firelift.migration.clock import Clock
from firelift.migration.ledger.progress import Progress, RunProgress
from firelift.migration.ledger.runs import RunStore
from firelift.migration.processors.build import build
from firelift.migration.store import Create, Document, Fields, Store
from firelift.migration.transform.transform import Transform, compile_transform
from firelift.migration.worker import Share, work
from firelift.stores.firestore.values import FirestoreValues
from firelift.stores.memory import MemoryStore

LEDGER = "team.move"
KIT = FirestoreValues()
NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
EVERYBODY = Selection(to_bucket=10_000)

COPY: dict[str, Any] = {
    "name": "fitness-logs",
    "source": {"collection": "fitness_logs"},
    "target": {"document": "users/{doc.userId}/fitness_logs/{id}"},
    "entityKey": "userId",
}

IN_PLACE: dict[str, Any] = {
    "name": "tasks",
    "source": {"collection": "tasks"},
    "target": {"inPlace": {}},
    "appliesWhen": "!has(doc.title)",
    "transform": {"rename": {"name": "title"}},
}


def stored(plain: Mapping[str, object]) -> dict[str, Any]:
    """Stored fields of plain data; a value that is stored already stays as it is."""
    return {name: KIT.encode(value) for name, value in plain.items()}


def plain(fields: Fields) -> dict[str, Any]:
    """The inverse of `stored`."""
    return {name: KIT.decode(value) for name, value in fields.items()}


def document(path: str = "tasks/1", at: int = 100, **values: object) -> Document:
    """A document that was created and last changed at `at`."""
    return Document(path, stored(values), at, at, at + 1)


def migration(base: Mapping[str, Any] = COPY, **changes: Any) -> MigrationSpec:
    """A migration as the API takes it, with some fields changed."""
    return MigrationSpec.model_validate({**base, **changes})


def transform(base: Mapping[str, Any] = COPY, **changes: Any) -> Transform:
    """A compiled migration."""
    return compile_transform(migration(base, **changes), KIT, NOW)


def plan(kind: RunKind, spec: MigrationSpec, number: int = 0, **changes: Any) -> RunPlan:
    """A run's plan; `number` tells runs of one kind apart."""
    base = RunPlan(
        id=f"{kind}.{number}",
        ledger=LEDGER,
        database=DatabaseRef(project="firelift-tests"),
        seed="seed",
        attempt=1,
        phase="one",
        step="step",
        kind=kind,
        migration=spec,
        selection=EVERYBODY,
        now=NOW,
        pace=PaceSpec(max_writes_per_second=100_000, batch_size=4, max_retries=5),
        workers=1,
    )
    return base.model_copy(update=changes)


async def ran(store: Store, made: RunPlan, clock: Clock | None = None) -> RunProgress:
    """A run by one worker from its document to its last seal, in virtual time or by another clock."""
    control = RunControl(state=RunState.RUN, epoch=1, lease_seconds=1_000_000)
    await RunStore(store, made.ledger).ensure(made, control)
    await work(store, Share(made.ledger, made.id, 0, 1), build, clock=clock or VirtualClock())
    progress = await Progress(store, made.ledger, made.id).update()
    assert progress.complete
    return progress


def counts(progress: RunProgress) -> dict[str, int]:
    """The counts of a run that are not zero; every record is counted exactly once."""
    totals = progress.totals
    classified = totals.skipped + totals.unchanged + totals.written + totals.dead_letters + totals.kept
    assert totals.read == classified + totals.mismatches
    return {name: count for name, count in totals.model_dump().items() if count}


async def seeded(documents: Mapping[str, Mapping[str, object]]) -> MemoryStore:
    """A store with these documents."""
    store = MemoryStore()
    await store.commit([Create(path, stored(values)) for path, values in documents.items()])
    return store


async def seen(store: Store, path: str) -> dict[str, Any] | None:
    """A document's plain fields, None when there is none."""
    (found,) = await store.get([path])
    return plain(found.fields) if isinstance(found, Document) else None


def everything(store: MemoryStore) -> dict[str, dict[str, bytes]]:
    """The whole database but the ledger, byte for byte."""
    documents = {path: fields for path, fields in store.snapshot().items() if not path.startswith("_firelift/")}
    return {path: {name: KIT.dumps(value) for name, value in fields.items()} for path, fields in documents.items()}


def shouting(doc: dict[str, Any], context: Context) -> dict[str, Any] | None:
    """A transform of the user's own: it shouts names, says who they belong to, and leaves quiet ones alone."""
    if doc.get("quiet"):
        return None
    return {**doc, "name": doc["name"].upper(), "whose": context.entity}
