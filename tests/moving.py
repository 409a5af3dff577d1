"""What tests of the data plane share: documents from plain data, plans, and a lane without a ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from firelift.api.cohort import Selection
from firelift.api.migration import MigrationSpec
from firelift.api.rollout import DatabaseRef, PaceSpec
from firelift.api.run import RunKind, RunPlan, Totals, VerifyPlan
from firelift.migration.processors.build import build
from firelift.migration.readers import EntryImages
from firelift.migration.store import Create, Document, Fields, Store
from firelift.migration.transform.transform import Transform, compile_transform
from firelift.migration.work import Change, Lane
from firelift.stores.firestore.values import FirestoreValues
from firelift.stores.memory import MemoryStore

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


def plan(
    kind: RunKind, spec: MigrationSpec, selection: Selection = EVERYBODY, verify: VerifyPlan | None = None
) -> RunPlan:
    """A run's plan."""
    return RunPlan(
        id=f"a1.one.step.{spec.name}.{kind}.0",
        ledger="ns.rollout",
        database=DatabaseRef(project="firelift-tests"),
        seed="seed",
        attempt=1,
        phase="one",
        step="step",
        kind=kind,
        migration=spec,
        selection=selection,
        now=NOW,
        pace=PaceSpec(),
        workers=1,
        verify=verify,
    )


@dataclass(slots=True)
class Entries:
    """A journal in memory: what a lane committed, as a `JournalReader` gives it."""

    committed: list[EntryImages] = field(default_factory=list)

    async def entries(self, run: str, lane: int, *, newest_first: bool, start: int | None) -> list[EntryImages]:  # noqa: ARG002 - one lane of one run
        """Two entries at a time, so that readers have to come back."""
        step = -1 if newest_first else 1
        wanted = [entry for entry in self.committed[::step] if start is None or (entry.seq - start) * step >= 0]
        return wanted[:2]


@dataclass(slots=True)
class Run:
    """A run over a store with one lane and no ledger: each batch is one commit, without faults and live writers."""

    store: MemoryStore
    journal: Entries = field(default_factory=Entries)
    slept: list[float] = field(default_factory=list)

    async def work(self, work: RunPlan, walked: Entries | None = None) -> list[Change]:
        """Work a plan off; `walked` is the journal of the subject of a journal lane."""
        lane = Lane(0, subject="subject") if walked else Lane(0)
        reader, processor = build(work, self.store, walked or self.journal, lane, sleep=self._sleep)
        changes: list[Change] = []
        cursor, exhausted = None, False
        while not exhausted:
            batch = await reader.read(cursor)
            if batch.records:
                changes.extend(await self.commit(await processor.prepare(batch.records, again=False)))
            cursor, exhausted = batch.end, batch.exhausted
        return changes

    async def commit(self, changes: Sequence[Change]) -> Sequence[Change]:
        """One commit with its journal entry."""
        writes = [write for change in changes for write in (*change.guards, *change.writes)]
        if writes:
            committed = await self.store.commit(writes)
            images = [image for change in changes for image in change.images]
            self.journal.committed.append(EntryImages(len(self.journal.committed) + 1, committed.commit_time, images))
        return changes

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


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
    """The whole database, byte for byte."""
    return {path: {name: KIT.dumps(v) for name, v in fields.items()} for path, fields in store.snapshot().items()}


def counted(changes: Sequence[Change]) -> dict[str, int]:
    """The counts of a run that are not zero."""
    totals = Totals()
    for change in changes:
        totals = totals.plus(change.tally)
    return {name: count for name, count in totals.model_dump().items() if count}
