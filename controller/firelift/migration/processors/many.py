"""What a run of a one-to-many migration reads and does: the twins of `build._scanning`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from firelift.api.run import RunKind, RunPlan
from firelift.migration.entities.whose import Whose
from firelift.migration.existing import Existing
from firelift.migration.imaged import Imager
from firelift.migration.ledger.history import SourceHistory
from firelift.migration.ledger.journal import Journal
from firelift.migration.ledger.origins import Origins
from firelift.migration.ledger.scanned import ScannedEntries
from firelift.migration.parts import Deriving, PartReader
from firelift.migration.processors.dry_run import ValidateMany
from firelift.migration.processors.migrate_many import MigrateMany
from firelift.migration.store import Store
from firelift.migration.transform.one_to_many import OneToMany
from firelift.migration.work import Lane, Processor, Reader

Reading: TypeAlias = Callable[[Reader], Reader]
"""Makes a reader of documents one of what a processor takes."""


def as_it_is(reader: Reader) -> Reader:
    """For a processor that takes documents."""
    return reader


def many(plan: RunPlan, store: Store, lane: Lane, splitting: OneToMany, whose: Whose) -> tuple[Reading, Processor]:
    """How a scanning lane of a one-to-many migration reads, and what it does."""
    journal, name, transform = Journal(store, plan.ledger), plan.migration.name, splitting.transform
    history = SourceHistory(ScannedEntries(journal, whose), name, plan.id)
    distinct = transform.template is not None and transform.template.distinct
    origins = None if distinct else Origins(journal, name)
    if plan.kind is RunKind.VALIDATE:
        return as_it_is, ValidateMany(splitting)
    existing = Existing(plan.migration.on_existing, Imager(store.values, transform.ignored))
    dry, most = plan.kind is RunKind.DRY_RUN, plan.pace.batch_size
    derive = Deriving(splitting, history if plan.kind is RunKind.SWEEP or plan.overlaps else None)
    migrate = MigrateMany(store, derive, plan.selection, plan.seed, existing, origins, most, looks=dry)
    return lambda reader: PartReader(store, reader, derive, most, lane.letters), migrate
