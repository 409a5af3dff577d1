"""The least that lanes can do: add one to each document in place, or copy each document, under all the guards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from firelift.api.cohort import Selection
from firelift.api.migration import InPlace, MarkerSpec, MigrationSpec, SourceSpec, TargetSpec
from firelift.api.rollout import DatabaseRef, PaceSpec
from firelift.api.run import RunControl, RunKind, RunPlan, RunState, Totals
from firelift.api.transform import TransformSpec
from firelift.migration.image import Image, Operation, value_hash
from firelift.migration.ledger.runs import RunStore
from firelift.migration.readers import JournalReader, ScanReader
from firelift.migration.store import Create, Document, FieldPath, Missing, Put, Source, Store, Update, Verify
from firelift.migration.tempo import Tempo
from firelift.migration.work import Change, Lane, Processor, Reader, Record
from firelift.migration.worker import Build

LEDGER = "team.move"
SOURCE = "things"
TARGET = "copies"

SKIPPED = Change(Totals(read=1, skipped=1))


def plan(run: str, **changes: Any) -> RunPlan:
    """A plan for one worker and small batches; the target is in place unless it says `copy`."""
    target = TargetSpec(document=f"{TARGET}/{{id}}") if changes.pop("copy", False) else TargetSpec(in_place=InPlace())
    migration = MigrationSpec(
        name="things",
        source=SourceSpec(collection=SOURCE),
        target=target,
        transform=TransformSpec(set={"n": "doc.n + 1"}),
        marker=MarkerSpec(field="added", value="one") if target.in_place else None,
    )
    base = RunPlan(
        id=run,
        ledger=LEDGER,
        database=DatabaseRef(project="test-project"),
        seed="seed",
        attempt=1,
        phase="one",
        step="migrate",
        kind=RunKind.MIGRATE,
        migration=migration,
        selection=Selection(to_bucket=10_000),
        now=datetime(2026, 1, 1, tzinfo=UTC),
        pace=PaceSpec(max_writes_per_second=100_000, batch_size=4, max_retries=5),
        workers=1,
    )
    return base.model_copy(update=changes)


async def begin(store: Store, made: RunPlan, state: RunState = RunState.RUN) -> RunPlan:
    """The run's document, as the operator makes it; its lease outlasts any test."""
    control = RunControl(state=state, epoch=1, lease_seconds=1_000_000)
    return (await RunStore(store, LEDGER).ensure(made, control)).plan


async def seed(store: Store, documents: Mapping[str, Mapping[str, object]]) -> None:
    """Put plain documents by their paths."""
    encode = store.values.encode
    for path, plain in documents.items():
        await store.commit([Put(path, {name: encode(value) for name, value in plain.items()})])


def plain(store: Store, document: Document | Missing) -> dict[str, Any] | None:
    """A document's fields as plain values, None when it is missing."""
    if isinstance(document, Missing):
        return None
    return {name: store.values.decode(value) for name, value in document.fields.items()}


@dataclass(frozen=True)
class AddOne:
    """Adds one to ``n``: doing it twice shows."""

    store: Store

    async def prepare(self, records: Sequence[Record], *, again: bool) -> list[Change]:
        documents = [record.payload for record in records]
        if again:
            documents = await self.store.get([record.cursor for record in records])
        return [self._change(document) for document in documents]

    def _change(self, document: Document | Missing) -> Change:
        if isinstance(document, Missing):
            return SKIPPED
        kit = self.store.values
        before = document.fields["n"]
        after = kit.encode(kit.decode(before) + 1)
        image = Image(
            document.path,
            Operation.UPDATE,
            None,
            document.create_time,
            document.update_time,
            {("n",): before},
            {("n",): value_hash(kit, after)},
        )
        write = Update(document.path, {"n": after}, [("n",)], document.update_time)
        return Change(Totals(read=1, updated=1), (write,), images=(image,))


@dataclass(frozen=True)
class Copy:
    """Copies a document to `TARGET` unless there is one, and guards its source."""

    store: Store

    async def prepare(self, records: Sequence[Record], *, again: bool) -> list[Change]:
        if not again:
            return [self._change(record.payload) for record in records]
        sources = await self.store.get([record.cursor for record in records])
        targets = await self.store.get([_target(record.cursor) for record in records])
        pairs = zip(sources, targets, strict=True)
        return [SKIPPED if isinstance(there, Document) else self._change(source) for source, there in pairs]

    def _change(self, source: Document | Missing) -> Change:
        if isinstance(source, Missing):
            return SKIPPED
        target = _target(source.path)
        kit = self.store.values
        after: dict[FieldPath, bytes | None] = {(name,): value_hash(kit, each) for name, each in source.fields.items()}
        return Change(
            Totals(read=1, created=1),
            (Create(target, source.fields),),
            (Verify(source.path, source.update_time),),
            (Image(target, Operation.CREATE, source.path, 0, 0, {}, after),),
        )


def _target(path: str) -> str:
    return f"{TARGET}/{path.rpartition('/')[2]}"


def build(limit: int = 10) -> Build:
    """A `Build` for either kind of plan, with pages of `limit` documents."""

    def make(plan: RunPlan, store: Store, _: JournalReader, lane: Lane, __: Tempo) -> tuple[Reader, Processor]:
        source = Source(SOURCE, start=lane.start, end=lane.end)
        processor: Processor = AddOne(store) if plan.migration.in_place else Copy(store)
        return ScanReader(store, source, lambda: limit, lambda _: True), processor

    return make
