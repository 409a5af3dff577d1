"""From a run's plan and one of its lanes to the reader and the processor that work it off."""

from __future__ import annotations

import asyncio

from firelift.api.cohort import BUCKETS, bucket
from firelift.api.migration import MigrationSpec, OnInvalid
from firelift.api.run import RunKind, RunPlan, VerifyPlan
from firelift.migration.existing import Existing
from firelift.migration.imaged import Imager
from firelift.migration.ledger.earlier import EarlierImages
from firelift.migration.ledger.journal import Journal
from firelift.migration.ledger.moved import MovedBefore
from firelift.migration.ledger.origins import Origins
from firelift.migration.ledger.scanned import ScannedEntries
from firelift.migration.merge import Merge
from firelift.migration.processors.dry_run import DryRun, Validate
from firelift.migration.processors.migrate import Migrate
from firelift.migration.processors.recheck import Sleep
from firelift.migration.processors.revert import Revert
from firelift.migration.processors.revert_verify import RevertVerify
from firelift.migration.processors.verify_images import VerifyImages
from firelift.migration.processors.verify_scan import VerifyScan
from firelift.migration.readers import ImageReader, JournalReader, Keep, ScanReader
from firelift.migration.store import Source, Store
from firelift.migration.transform.reshape import compile_renames
from firelift.migration.transform.transform import Transform, compile_ignored, compile_transform
from firelift.migration.work import Lane, Processor, Reader

REHEARSALS = frozenset({RunKind.DRY_RUN, RunKind.VALIDATE})
WAY_BACK = frozenset({RunKind.REVERT, RunKind.REVERT_VERIFY})

PAGE, LARGE_PAGE = 1_000, 5_000
"""Documents of one page. A small cohort takes large ones, because most of a page is left out."""


def build(
    plan: RunPlan, store: Store, journal: JournalReader, lane: Lane, sleep: Sleep = asyncio.sleep
) -> tuple[Reader, Processor]:
    """The reader and the processor of one lane.

    Raises:
        TransformUnusable: when the plan's migration cannot be compiled.
    """
    if plan.kind in WAY_BACK:
        return _image_reader(plan, journal, lane), _way_back(plan, store, lane)
    spec = rehearsed(plan.migration) if plan.kind in REHEARSALS else plan.migration
    transform = compile_transform(spec, store.values, plan.now)
    keep = _keep(plan, transform)
    if lane.subject is None:
        return _scan_reader(plan, store, lane, keep), _scanning(plan, store, transform, sleep)
    return _image_reader(plan, journal, lane), VerifyImages(store, transform, _verify(plan), keep, sleep)


def rehearsed(spec: MigrationSpec) -> MigrationSpec:
    """The migration as a dry run or a validation tries it: one bad record must not hide the others."""
    return spec.model_copy(update={"on_invalid": OnInvalid.DEAD_LETTER})


def source_of(plan: RunPlan, lane: Lane) -> Source:
    """The range of documents of a scanning lane; a lane without bounds has the whole source."""
    spec = plan.migration.source
    collection = spec.collection or spec.collection_group or ""
    return Source(collection, all_descendants=spec.collection is None, start=lane.start, end=lane.end)


def _scanning(plan: RunPlan, store: Store, transform: Transform, sleep: Sleep) -> Processor:
    journal = Journal(store, plan.ledger)
    may_collide = transform.template is not None and not transform.template.distinct
    origins = Origins(journal, plan.migration.name) if may_collide else None
    moved = MovedBefore(ScannedEntries(journal), plan.migration.name, plan.id)
    if plan.kind is RunKind.VERIFY:
        return VerifyScan(store, transform, plan.selection, plan.seed, _verify(plan), origins, moved, sleep)
    if plan.kind is RunKind.VALIDATE:
        return Validate(transform)
    existing = Existing(plan.migration.on_existing, Imager(store.values, transform.ignored))
    swept = moved if plan.kind is RunKind.SWEEP else None
    dry = plan.kind is RunKind.DRY_RUN
    migrate = Migrate(store, transform, plan.selection, plan.seed, existing, origins, swept, looks=dry)
    return DryRun(migrate, store.values, plan) if dry else migrate


def _way_back(plan: RunPlan, store: Store, lane: Lane) -> Processor:
    """No expression is compiled for it: what cannot go forward must be able to go back."""
    ignored = compile_ignored(plan.migration)
    merge = Merge(store.values, compile_renames(plan.migration.transform), ignored)
    older = plan.subjects[: plan.subjects.index(lane.subject)] if lane.subject in plan.subjects else ()
    earlier = EarlierImages(ScannedEntries(Journal(store, plan.ledger)), older[::-1])
    if plan.kind is RunKind.REVERT_VERIFY:
        return RevertVerify(store, merge, earlier)
    return Revert(store, merge, earlier, Imager(store.values, ignored), plan.migration.on_revert_conflict)


def _image_reader(plan: RunPlan, journal: JournalReader, lane: Lane) -> ImageReader:
    newest_first = plan.kind is not RunKind.VERIFY
    subject = lane.subject or ""
    return ImageReader(journal, subject, lane.subject_lane, newest_first, lambda path: _sampled(plan, path))


def _keep(plan: RunPlan, transform: Transform) -> Keep:
    return lambda document: _sampled(plan, document.path) and transform.selects(plan.selection, plan.seed, document)


def _scan_reader(plan: RunPlan, store: Store, lane: Lane, keep: Keep) -> ScanReader:
    buckets = plan.selection.to_bucket - plan.selection.from_bucket
    limit = min(LARGE_PAGE, PAGE * BUCKETS // max(1, buckets))
    return ScanReader(store, source_of(plan, lane), limit, keep)


def _sampled(plan: RunPlan, path: str) -> bool:
    return plan.verify is None or plan.verify.sample_buckets >= BUCKETS or _in_sample(plan, plan.verify, path)


def _in_sample(plan: RunPlan, verify: VerifyPlan, path: str) -> bool:
    return bucket(plan.seed, path) < verify.sample_buckets


def _verify(plan: RunPlan) -> VerifyPlan:
    return plan.verify or VerifyPlan()
