"""From a run's plan and one of its lanes to the reader and the processor that work it off."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import replace
from functools import partial

from firelift.api.cohort import BUCKETS, bucket
from firelift.api.migration import MigrationSpec, OnInvalid
from firelift.api.run import REHEARSALS, WAY_BACK, RunKind, RunPlan, VerifyPlan
from firelift.migration.aggregate.build import build_aggregate, targets_of
from firelift.migration.bounded import Fitting
from firelift.migration.clock import Pause
from firelift.migration.entities.closing import ClosingReader, ListedOnce
from firelift.migration.entities.lanes import chosen_entities, entities_of, source_of
from firelift.migration.entities.open_cursor import is_open
from firelift.migration.entities.packed import PackedEntities
from firelift.migration.entities.reader import ById, ByKey, EntityReader
from firelift.migration.entities.whose import Whose
from firelift.migration.existing import Existing
from firelift.migration.imaged import Imager
from firelift.migration.ledger import paths
from firelift.migration.ledger.born import Born, BornReader
from firelift.migration.ledger.brought_back import BroughtBack
from firelift.migration.ledger.cleaned import Cleaned
from firelift.migration.ledger.earlier import EarlierImages
from firelift.migration.ledger.history import SourceHistory
from firelift.migration.ledger.joined import JoinedReader
from firelift.migration.ledger.journal import Journal
from firelift.migration.ledger.letters import Letters
from firelift.migration.ledger.marks import JustMarks, WithoutMarks
from firelift.migration.ledger.moved import MovedBefore
from firelift.migration.ledger.origins import Origins
from firelift.migration.ledger.remade import Remade
from firelift.migration.ledger.scanned import ScannedEntries
from firelift.migration.merge import Merge
from firelift.migration.processors.delete import DeleteSources
from firelift.migration.processors.dry_run import DryRun, Validate
from firelift.migration.processors.many import as_it_is, many
from firelift.migration.processors.marking import Marking, compile_marker
from firelift.migration.processors.migrate import Migrate
from firelift.migration.processors.pacing import Pacing
from firelift.migration.processors.retry import LetterReader, Retry, WithoutLetters
from firelift.migration.processors.reverse import Returns, ReverseDocuments, ReverseVerify
from firelift.migration.processors.revert import Kept, Revert
from firelift.migration.processors.revert_verify import RevertVerify
from firelift.migration.processors.verify import Verify
from firelift.migration.processors.verify_images import ImageJudge
from firelift.migration.processors.verify_scan import ScanJudge
from firelift.migration.readers import PAGE, ImageReader, JournalReader, Keep, Limit, ScanReader, whole_page
from firelift.migration.store import Document, Store
from firelift.migration.tempo import UNHURRIED, Tempo
from firelift.migration.transform.one_to_many import compile_becomes, compile_one_to_many
from firelift.migration.transform.reshape import compile_renames, field_path
from firelift.migration.transform.reverse import compile_reverse, target_source
from firelift.migration.transform.transform import Transform, compile_ignored, compile_transform
from firelift.migration.work import Lane, Processor, Reader

FORWARD = frozenset({RunKind.MIGRATE, RunKind.SWEEP})
MARKING = FORWARD | {RunKind.DRY_RUN}
WRITING = FORWARD | {RunKind.DELETE}

LARGE_PAGE = 5_000
"""Documents of one page for a small cohort, because most of it is left out."""


def build(
    plan: RunPlan,
    store: Store,
    journal: JournalReader,
    lane: Lane,
    tempo: Tempo = UNHURRIED,
    listed: ListedOnce | None = None,
) -> tuple[Reader, Processor]:
    """The reader and the processor of one lane; all lanes of a worker share `listed`.

    Raises:
        TransformUnusable: when the plan's migration cannot be compiled.
    """
    if plan.kind in WAY_BACK:
        return _back(plan, store, journal, lane)
    sleep, limit = tempo.sleep, partial(_page, plan, tempo.limit)
    listed = listed or ListedOnce()
    spec = rehearsed(plan.migration) if plan.kind in REHEARSALS else plan.migration
    transform = compile_transform(spec, store.values, plan.now)
    if spec.reverse:
        compile_reverse(transform)  # the way back is built before the way forward
    keep = _keep(plan, transform)
    pacing = Pacing(plan, _whose(plan, store), tempo.entities, sleep)
    if spec.target.aggregate is not None and lane.subject is None:
        return build_aggregate(plan, store, lane, transform, lambda path: _sampled(plan, path), pacing)
    if plan.kind is RunKind.VERIFY:
        verify = _verifying(plan, store, transform, keep, sleep)
        return _verified(plan, store, journal, lane, keep, pacing, listed), verify
    if plan.kind is RunKind.DELETE:
        return _source_reader(plan, store, lane, keep, pacing, listed, limit), _deleting(plan, store, transform)
    if spec.one_to_many:
        read, processor = many(plan, store, lane, compile_one_to_many(transform), _whose(plan, store))
    else:
        read, processor = as_it_is, _scanning(plan, store, transform)
    if lane.letters:
        letters = LetterReader(store, Letters(store, plan.ledger, plan.letters))
        return read(pacing.scan(letters)), Retry(processor)
    reader = read(_apart(plan, store, _source_reader(plan, store, lane, keep, pacing, listed, limit)))
    marking = _marking(plan, store, lane, transform, processor)
    return reader, DryRun(marking, store.values, plan) if plan.kind is RunKind.DRY_RUN else marking


def _back(plan: RunPlan, store: Store, journal: JournalReader, lane: Lane) -> tuple[Reader, Processor]:
    if lane.subject is None:
        return _returning(plan, store, lane)
    return _image_reader(plan, store, journal, lane), _way_back(plan, store, lane)


def _marks(plan: RunPlan) -> bool:
    return plan.migration.entity_marker is not None and plan.kind in MARKING


def _marking(plan: RunPlan, store: Store, lane: Lane, transform: Transform, inner: Processor) -> Processor:
    """What else a lane of entities does where they are marked."""
    spec = plan.migration.entity_marker
    if spec is None or lane.buckets is None or not _marks(plan):
        return inner
    return Marking(store, compile_marker(spec, plan.now), Imager(store.values, transform.ignored), inner)


def _deleting(plan: RunPlan, store: Store, transform: Transform) -> Processor:
    history = SourceHistory(_entries(plan, store), plan.migration.name, plan.id)
    return DeleteSources(
        store, transform, compile_becomes(transform), plan.selection, plan.seed, Imager(store.values), history
    )


def rehearsed(spec: MigrationSpec) -> MigrationSpec:
    """The migration as a dry run or a validation tries it: one bad record must not hide the others."""
    return spec.model_copy(update={"on_invalid": OnInvalid.DEAD_LETTER})


def _apart(plan: RunPlan, store: Store, scan: Reader) -> Reader:
    """The scan without the records whose dead letters another lane takes up."""
    return WithoutLetters(scan, Letters(store, plan.ledger, plan.letters), plan.id) if plan.letters else scan


def _origins(plan: RunPlan, store: Store, transform: Transform) -> Origins | None:
    """None where two sources can never have one target."""
    may_collide = transform.template is not None and not transform.template.distinct
    return Origins(Journal(store, plan.ledger), plan.migration.name) if may_collide else None


def _entries(plan: RunPlan, store: Store) -> ScannedEntries:
    return ScannedEntries(Journal(store, plan.ledger), _whose(plan, store))


def _verified(
    plan: RunPlan, store: Store, journal: JournalReader, lane: Lane, keep: Keep, pacing: Pacing, listed: ListedOnce
) -> Reader:
    """What a lane of a verify reads: sources, images, or both at once."""
    if lane.subject is not None:
        return _image_reader(plan, store, journal, lane)
    if not lane.joined:
        return _source_reader(plan, store, lane, keep, pacing, listed)
    source = replace(source_of(plan, store.values), start=lane.start, end=lane.end)
    entries = _entries(plan, store)
    return JoinedReader(store, source, PAGE, keep, lambda path: _sampled(plan, path), entries, plan.subjects)


def _verifying(plan: RunPlan, store: Store, transform: Transform, keep: Keep, sleep: Pause) -> Processor:
    moved = MovedBefore(_entries(plan, store), plan.migration.name, plan.id)
    scan = ScanJudge(transform, _verify(plan), _origins(plan, store, transform), moved)
    images = ImageJudge(transform, _verify(plan), keep, Cleaned(_entries(plan, store), plan.migration.name))
    return Verify(store, Fitting(store), compile_becomes(transform), keep, scan, images, sleep)


def _scanning(plan: RunPlan, store: Store, transform: Transform) -> Processor:
    origins = _origins(plan, store, transform)
    moved = MovedBefore(_entries(plan, store), plan.migration.name, plan.id)
    if plan.kind is RunKind.VALIDATE:
        return Validate(transform)
    existing = Existing(plan.migration.on_existing, Imager(store.values, transform.ignored))
    swept = moved if plan.kind is RunKind.SWEEP or plan.overlaps else None
    dry = plan.kind is RunKind.DRY_RUN
    return Migrate(store, transform, plan.selection, plan.seed, existing, origins, swept, looks=dry)


def _way_back(plan: RunPlan, store: Store, lane: Lane) -> Processor:
    """No expression is compiled for it: what cannot go forward must be able to go back."""
    ignored = compile_ignored(plan.migration)
    merge = Merge(store.values, compile_renames(plan.migration.transform), ignored)
    at = plan.subjects.index(lane.subject) if lane.subject in plan.subjects else 0
    older, later = plan.subjects[:at], plan.subjects[at + 1 :]
    entries = ScannedEntries(Journal(store, plan.ledger), targets_of(plan) or _whose(plan, store))
    brought_back, remade = BroughtBack(entries, plan.id, lane), Remade(Journal(store, plan.ledger))
    earlier = EarlierImages(entries, older[::-1], later, brought_back, remade)
    if plan.kind is RunKind.REVERT_VERIFY:
        return RevertVerify(Fitting(store), merge, earlier)
    imager, policy = Imager(store.values, ignored), plan.migration.on_revert_conflict
    return Revert(Fitting(store), merge, earlier, imager, policy, _kept(plan, store))


def _kept(plan: RunPlan, store: Store) -> Kept:
    async def kept(path: str) -> bool:
        (letter,) = await store.get([paths.dead_letter(plan.ledger, plan.id, path)], mask=())
        return isinstance(letter, Document)

    return kept


def _returning(plan: RunPlan, store: Store, lane: Lane) -> tuple[Reader, Processor]:
    """What the app wrote in the new shape alone: the one part of the way back that needs a transform."""
    reverse = compile_reverse(compile_transform(plan.migration, store.values, plan.now))
    journal, name = Journal(store, plan.ledger), plan.migration.name
    born = Born(journal, name, Origins(journal, name, undone=True))
    source = replace(target_source(plan.migration), start=lane.start, end=lane.end)
    scan = ScanReader(store, source, whole_page, lambda document: reverse.speaks_of(document.path))
    returns = Returns(store, reverse, born, plan.selection, plan.seed)
    if plan.kind is RunKind.REVERT_VERIFY:
        return BornReader(scan, born), ReverseVerify(returns)
    processor = ReverseDocuments(
        returns, Imager(store.values, reverse.forward.ignored), plan.migration.on_revert_conflict
    )
    return BornReader(scan, born), processor


def _image_reader(plan: RunPlan, store: Store, journal: JournalReader, lane: Lane) -> ImageReader:
    newest_first = plan.kind is not RunKind.VERIFY
    subject = lane.subject or ""
    if plan.kind is RunKind.REVERT and plan.migration.entity_marker is not None and not lane.whole:
        ledger = Journal(store, plan.ledger)
        journal = JustMarks(ledger) if lane.marks else WithoutMarks(ledger)
    return ImageReader(journal, subject, lane.subject_lane, newest_first, lambda path: _sampled(plan, path))


def _keep(plan: RunPlan, transform: Transform) -> Keep:
    return lambda document: _sampled(plan, document.path) and transform.selects(plan.selection, plan.seed, document)


def _source_reader(
    plan: RunPlan, store: Store, lane: Lane, keep: Keep, pacing: Pacing, listed: ListedOnce, limit: Limit = whole_page
) -> Reader:
    whose = _whose(plan, store)
    if lane.buckets is not None:
        source = source_of(plan, store.values)
        records = ByKey(store, source, whose.key) if whose.key else ById(store, source)
        entities = entities_of(store, plan, lane)
        if pacing.pace is not None or is_open(lane.cursor):
            return pacing.entities(records, entities, keep, marks=_marks(plan))
        return EntityReader(records, entities, plan.seed, limit, keep, whose.entity, _marks(plan))
    source = replace(source_of(plan, store.values), start=lane.start, end=lane.end)
    if lane.listing is None:
        return ScanReader(store, source, partial(_scanned, plan, limit), keep)
    # Of a closing scan nearly everything is left out, at any pace.
    scan = ScanReader(store, source, whole_page, keep)
    closing = ClosingReader(scan, partial(listed.of, partial(_all_listed, plan, store, lane)), whose.entity)
    return pacing.scan(closing)


def _all_listed(plan: RunPlan, store: Store, lane: Lane) -> Awaitable[PackedEntities]:
    return chosen_entities(store, plan, lane.listing, (0, BUCKETS))


def _page(plan: RunPlan, limit: Limit) -> int:
    """Documents of one page."""
    return min(PAGE, limit()) if plan.kind in WRITING else PAGE


def _scanned(plan: RunPlan, limit: Limit) -> int:
    """Documents of one page of a scan, which leaves out whom the run does not cover."""
    buckets = plan.selection.to_bucket - plan.selection.from_bucket if plan.kind in WRITING else BUCKETS
    return min(LARGE_PAGE, limit() * BUCKETS // max(1, buckets))


def _whose(plan: RunPlan, store: Store) -> Whose:
    key = plan.migration.entity_key
    return Whose(store, plan.seed, field_path(key, "entityKey") if key else None)


def _sampled(plan: RunPlan, path: str) -> bool:
    return plan.verify is None or plan.verify.sample_buckets >= BUCKETS or _in_sample(plan, plan.verify, path)


def _in_sample(plan: RunPlan, verify: VerifyPlan, path: str) -> bool:
    return bucket(plan.seed, path) < verify.sample_buckets


def _verify(plan: RunPlan) -> VerifyPlan:
    return plan.verify or VerifyPlan()
