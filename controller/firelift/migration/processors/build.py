"""From a run's plan and one of its lanes to the reader and the processor that work it off."""

from __future__ import annotations

import asyncio

from firelift.api.cohort import BUCKETS, bucket
from firelift.api.run import RunKind, RunPlan, VerifyPlan
from firelift.migration.existing import Existing
from firelift.migration.imaged import Imager
from firelift.migration.ledger.journal import Journal
from firelift.migration.ledger.origins import Origins
from firelift.migration.merge import Merge
from firelift.migration.processors.migrate import Migrate
from firelift.migration.processors.recheck import Sleep
from firelift.migration.processors.revert import Revert
from firelift.migration.processors.revert_verify import RevertVerify
from firelift.migration.processors.verify_images import VerifyImages
from firelift.migration.processors.verify_scan import VerifyScan
from firelift.migration.readers import ImageReader, JournalReader, ScanReader
from firelift.migration.store import Document, Source, Store
from firelift.migration.transform.transform import Transform, compile_transform
from firelift.migration.work import Lane, Processor, Reader

PAGE, LARGE_PAGE = 1_000, 5_000
"""Documents of one page. A small cohort takes large ones, because most of a page is left out."""


def build(
    plan: RunPlan, store: Store, journal: JournalReader, lane: Lane, *, sleep: Sleep = asyncio.sleep
) -> tuple[Reader, Processor]:
    """The reader and the processor of one lane.

    Raises:
        TransformUnusable: when the plan's migration cannot be compiled.
    """
    transform = compile_transform(plan.migration, store.values, plan.now)
    if lane.subject is None:
        return _scan_reader(plan, store, lane, transform), _scanning(plan, store, transform, sleep)
    newest_first = plan.kind is not RunKind.VERIFY
    reader = ImageReader(journal, lane.subject, lane.subject_lane, newest_first, lambda path: _sampled(plan, path))
    return reader, _walking(plan, store, transform, sleep)


def source_of(plan: RunPlan, lane: Lane) -> Source:
    """The range of documents of a scanning lane; a lane without bounds has the whole source."""
    spec = plan.migration.source
    collection = spec.collection or spec.collection_group or ""
    return Source(collection, all_descendants=spec.collection is None, start=lane.start, end=lane.end)


def _scanning(plan: RunPlan, store: Store, transform: Transform, sleep: Sleep) -> Processor:
    may_collide = transform.template is not None and not transform.template.distinct
    origins = Origins(Journal(store, plan.ledger), plan.migration.name) if may_collide else None
    if plan.kind is RunKind.VERIFY:
        return VerifyScan(store, transform, plan.selection, plan.seed, _verify(plan), origins, sleep)
    existing = Existing(plan.migration.on_existing, Imager(store.values, transform.ignored))
    return Migrate(store, transform, plan.selection, plan.seed, plan.kind is RunKind.SWEEP, existing, origins)


def _walking(plan: RunPlan, store: Store, transform: Transform, sleep: Sleep) -> Processor:
    if plan.kind is RunKind.VERIFY:
        return VerifyImages(store, transform, _verify(plan), sleep)
    merge = Merge(store.values, transform.renames, transform.ignored)
    if plan.kind is RunKind.REVERT_VERIFY:
        return RevertVerify(store, merge)
    imager = Imager(store.values, transform.ignored)
    return Revert(store, merge, imager, plan.migration.on_revert_conflict)


def _scan_reader(plan: RunPlan, store: Store, lane: Lane, transform: Transform) -> ScanReader:
    def keep(document: Document) -> bool:
        return _sampled(plan, document.path) and transform.selects(plan.selection, plan.seed, document)

    buckets = plan.selection.to_bucket - plan.selection.from_bucket
    limit = min(LARGE_PAGE, PAGE * BUCKETS // max(1, buckets))
    return ScanReader(store, source_of(plan, lane), limit, keep)


def _sampled(plan: RunPlan, path: str) -> bool:
    return plan.verify is None or plan.verify.sample_buckets >= BUCKETS or _in_sample(plan, plan.verify, path)


def _in_sample(plan: RunPlan, verify: VerifyPlan, path: str) -> bool:
    return bucket(plan.seed, path) < verify.sample_buckets


def _verify(plan: RunPlan) -> VerifyPlan:
    return plan.verify or VerifyPlan()
