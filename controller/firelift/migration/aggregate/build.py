"""What a lane of an aggregate reads and does: the twin of `processors.build`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from firelift.api.run import REHEARSALS, RunKind, RunPlan, VerifyPlan
from firelift.migration.aggregate.gather import Gathering
from firelift.migration.aggregate.groups import compile_aggregation
from firelift.migration.aggregate.history import EntityHistory, Targets
from firelift.migration.aggregate.migrate import Aggregate, ValidateGroups
from firelift.migration.aggregate.paced import PacedGroups
from firelift.migration.aggregate.reader import GroupReader
from firelift.migration.aggregate.strays import Strays
from firelift.migration.aggregate.verify import VerifyAggregate
from firelift.migration.entities.lanes import entities_of, source_of
from firelift.migration.entities.open_cursor import is_open
from firelift.migration.entities.open_entities import OpenEntities
from firelift.migration.entities.reader import ByKey
from firelift.migration.imaged import Imager
from firelift.migration.ledger.journal import Journal
from firelift.migration.ledger.letters import Letters
from firelift.migration.ledger.remade import Remade
from firelift.migration.ledger.scanned import ScannedEntries
from firelift.migration.processors.dry_run import DryRun
from firelift.migration.processors.pacing import Pacing
from firelift.migration.processors.retry import CloseLetters, LetterReader
from firelift.migration.readers import ScanReader, whole_page
from firelift.migration.store import Store
from firelift.migration.transform.transform import Transform
from firelift.migration.work import Lane, Processor, Reader

FRESH = frozenset({RunKind.MIGRATE, *REHEARSALS})


def build_aggregate(
    plan: RunPlan,
    store: Store,
    lane: Lane,
    transform: Transform,
    keep: Callable[[str], bool],
    pacing: Pacing,
) -> tuple[Reader, Processor]:
    """The reader and the processor of a lane of entities; `keep` chooses targets.

    Raises:
        TransformUnusable: when the aggregate cannot be compiled.
    """
    if lane.letters:
        return LetterReader(store, Letters(store, plan.ledger, plan.letters)), CloseLetters()
    whose, sleep = pacing.whose, pacing.sleep
    aggregation, targets = compile_aggregation(plan.migration, transform), targets_of(plan)
    assert targets is not None  # noqa: S101 - the caller has looked
    history = _history(plan, store, targets)
    source = replace(source_of(plan, store.values), where=())
    records = ByKey(store, source, whose.key or ())
    looks_back = plan.kind not in FRESH or plan.overlaps
    gathering = Gathering(records, whose, aggregation, history if looks_back else None)
    if lane.buckets is None:
        scanned = replace(source, start=lane.start, end=lane.end)
        scan = ScanReader(store, scanned, whole_page, lambda document: whose.entity(document) is None)
        return scan, Strays(store, transform, whose, fails=plan.kind is not RunKind.VERIFY)
    opened = OpenEntities(entities_of(store, plan, lane), plan.seed, pacing.pace, sleep)
    reader = _reader(plan, lane, gathering, opened, keep)
    if plan.kind is RunKind.VERIFY:
        return reader, VerifyAggregate(store, gathering, history, plan.verify or VerifyPlan(), sleep)
    if plan.kind is RunKind.VALIDATE:
        return reader, ValidateGroups(aggregation)
    imager, dry = Imager(store.values, transform.ignored), plan.kind is RunKind.DRY_RUN
    processor = Aggregate(store, gathering, history, imager, plan.migration.on_existing, looks_back or dry)
    return reader, DryRun(processor, store.values, plan) if dry else processor


def _reader(
    plan: RunPlan, lane: Lane, gathering: Gathering, entities: OpenEntities, keep: Callable[[str], bool]
) -> Reader:
    """Entity after entity, or side by side where each has a pace, or had one when the lane was left."""
    if entities.pace is not None or is_open(lane.cursor):
        return PacedGroups(gathering, entities, keep)
    return GroupReader(gathering, entities.entities, plan.seed, keep)


def targets_of(plan: RunPlan) -> Targets | None:
    """Tells the entities of targets, for a migration that is an aggregate."""
    aggregate = plan.migration.target.aggregate
    return Targets(plan.seed, aggregate.document.split("/").index("{entity}")) if aggregate else None


def _history(plan: RunPlan, store: Store, targets: Targets) -> EntityHistory:
    journal = Journal(store, plan.ledger)
    entries = ScannedEntries(journal, targets)
    return EntityHistory(entries, targets, plan.migration.name, plan.id, Remade(journal))
