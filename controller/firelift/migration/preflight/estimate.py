"""What each phase will read, write, cost and take, from the counts of its sources. Pure arithmetic."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from firelift.api.migration import MigrationSpec, OnExisting
from firelift.api.plan import PhaseEstimate, PlanRequest, SourceSample
from firelift.api.quantity import parse
from firelift.api.rollout import PaceSpec, PhaseSpec, Prices
from firelift.api.steps.migrate import CohortSpec
from firelift.api.steps.verify import VerifyStep
from firelift.migration.budget import GROWTH, START, STEP
from firelift.migration.budget_leases import SECOND
from firelift.migration.entities.pace import MINUTE
from firelift.migration.preflight.largest import EntityMinutes, entity_minutes
from firelift.migration.preflight.queries import cohort_key

READS_PER_SECOND = 5_000
"""Documents that one worker scans. Bounded queries reached 17,000 a second on two cores beside an emulator; a third of
that leaves room for decoding and for distance."""

_LOOKS_FIRST = frozenset({OnExisting.OVERWRITE, OnExisting.KEEP_NEWER})
_EVERYBODY = 100
_PER = 100_000
_CENT = Decimal("0.01")


@dataclass(slots=True)
class _Moved:
    """What steps so far have moved of one migration: a percent, others by name or condition, and what a sweep reads."""

    percent: int = 0
    others: int = 0
    steps: int = 0
    ids: set[str] = field(default_factory=set)
    sweep: int = 0

    def covered(self, count: int) -> int:
        """How many of so many source documents have moved."""
        return min(count, count * self.percent // _EVERYBODY + self.others)


@dataclass(slots=True)
class _Bill:
    documents: int = 0
    reads: int = 0
    writes: int = 0
    data_writes: int = 0
    entity_minutes: int = 0
    waiting: int = 0

    def add(self, other: _Bill) -> None:
        self.documents += other.documents
        self.reads += other.reads
        self.writes += other.writes
        self.data_writes += other.data_writes
        self.entity_minutes += other.entity_minutes


def estimate(
    request: PlanRequest,
    counts: Mapping[str, int],
    samples: Iterable[SourceSample] = (),
    chosen: Mapping[str, int] | None = None,
) -> tuple[PhaseEstimate, ...]:
    """One estimate per phase that is to come; `counts` has the documents of each migration's source.

    `chosen` has those of cohorts by name and by condition (`cohort_key`); without it a named entity is one document,
    and conditions hold for all. A percent is taken to be that share of the documents: where entities have very
    different numbers of records, a small cohort is off by as much. What one source becomes many of, or many one, is
    taken from the samples, and so is the largest entity where each may be written only so often.
    """
    known = list(samples)
    spread = {each.migration: Fraction(each.produced, each.sampled) for each in known if each.sampled}
    specs = {spec.name: spec for spec in request.migrations}
    desk = _Desk(specs, counts, request.pace.batch_size, spread, chosen or {}, entity_minutes(request, known))
    for phase in request.started:
        desk.phase(phase)
    return tuple(_phase(phase.name, desk.phase(phase), request) for phase in request.phases)


def money(reads: int, writes: int, prices: Prices) -> str:
    """What so many reads and writes cost, such as ``1.25 USD``, or ``<0.01 USD``."""
    cost = (Decimal(prices.reads_per_100k) * reads + Decimal(prices.writes_per_100k) * writes) / _PER
    if 0 < cost < _CENT:
        return f"<0.01 {prices.currency}"
    return f"{cost.quantize(_CENT, ROUND_HALF_UP):,} {prices.currency}"


def seconds_of_writing(writes: int, pace: PaceSpec) -> float:
    """How long so many writes take at the pace, along Firestore's ramp."""
    limit = float(pace.max_writes_per_second)
    if pace.pause_between_batches_seconds:
        limit = min(limit, pace.batch_size / pace.pause_between_batches_seconds)
    step = STEP / SECOND
    seconds, rate, left = 0.0, float(min(limit, START)), float(writes)
    while left > rate * step and rate < limit:
        left -= rate * step
        seconds += step
        rate = min(limit, rate * GROWTH)
    return seconds + left / rate


@dataclass(slots=True)
class _Desk:
    """Walks through phases and remembers what has moved."""

    specs: Mapping[str, MigrationSpec]
    counts: Mapping[str, int]
    batch: int
    spread: Mapping[str, Fraction]
    chosen: Mapping[str, int]
    minutes: EntityMinutes | None
    moved: dict[str, _Moved] = field(default_factory=dict)

    def phase(self, phase: PhaseSpec) -> _Bill:
        bill, before = _Bill(), list[str]()
        for step in phase.steps:
            if step.migrate is not None:
                before += step.migrate.migrations
                for name in step.migrate.migrations:
                    bill.add(self._migrate(name, step.migrate.cohort))
            if step.verify is not None:
                for name in step.verify.migrations or dict.fromkeys(before):
                    bill.add(self._verify(name, step.verify))
            if step.delete is not None:
                for name in step.delete.migrations:
                    bill.add(self._delete(name))
            if step.sweep is not None:
                for name in step.sweep.migrations or dict.fromkeys(before):
                    bill.add(self._sweep(name))
            bill.waiting += step.soak.seconds if step.soak else 0
            bill.waiting += step.flags.propagation_seconds if step.flags else 0
        return bill

    def _migrate(self, name: str, cohort: CohortSpec) -> _Bill:
        moved, count = self.moved.setdefault(name, _Moved()), self.counts.get(name, 0)
        new, spec = self._new(name, moved, cohort, count), self.specs.get(name)
        listed = _listed(spec)
        own = new if listed or cohort.percent is None else count
        made = self._made(name, new)
        # Itself, and once more each earlier cohort for its late-comers.
        reads = own * self._times_read(spec, made) + moved.sweep
        if listed and cohort.percent == _EVERYBODY:
            reads += count  # for records whose entity is not listed
        if _lists_records(spec) and (not moved.sweep or cohort.percent == _EVERYBODY):
            reads += count
        if spec is not None and spec.on_existing in _LOOKS_FIRST and not spec.in_place:
            reads += made
        moved.sweep += own
        if cohort.percent is None:
            moved.others += new
        moved.percent = max(moved.percent, cohort.percent or 0)
        moved.ids.update(cohort.ids or ())
        # Each run of a pace per entity has a blind minute, one that sweeps an earlier cohort too.
        minutes = self.minutes.of(name, made, new) + moved.steps if self.minutes else 0
        moved.steps += 1
        return _Bill(made, reads, made + self._entries(made), made, minutes)

    def _times_read(self, spec: MigrationSpec | None, made: int) -> int:
        """How often records are read: those of a group again with each minute in which their entity is written."""
        if self.minutes is None or spec is None or spec.target.aggregate is None:
            return 1
        return self.minutes.turns(spec.name, made)

    def _sweep(self, name: str) -> _Bill:
        moved = self.moved.setdefault(name, _Moved())
        return _Bill(reads=moved.sweep, entity_minutes=moved.steps if self.minutes else 0)

    def _new(self, name: str, moved: _Moved, cohort: CohortSpec, count: int) -> int:
        if cohort.percent is not None:
            share = max(0, cohort.percent - moved.percent)
            return min(count, math.ceil(count * share / _EVERYBODY))
        known = self.chosen.get(cohort_key(name, cohort), len(cohort.ids) if cohort.ids else count)
        if cohort.ids is not None:
            return min(count, math.ceil(known * len(set(cohort.ids) - moved.ids) / len(set(cohort.ids))))
        return min(count, math.ceil(known * (_EVERYBODY - moved.percent) / _EVERYBODY))

    def _made(self, name: str, sources: int) -> int:
        """How many targets so many source documents become."""
        return math.ceil(sources * self._spread(name))

    def _spread(self, name: str) -> Fraction:
        """How many targets one source document becomes."""
        spec = self.specs.get(name)
        changes = spec is not None and (spec.one_to_many or spec.target.aggregate is not None)
        return self.spread.get(name, Fraction(1)) if changes else Fraction(1)

    def _verify(self, name: str, step: VerifyStep) -> _Bill:
        moved, count = self.moved.setdefault(name, _Moved()), self.counts.get(name, 0)
        there, spec = moved.covered(count), self.specs.get(name)
        compared = math.ceil(self._made(name, there) * min(Fraction(1), parse(step.sample).base))
        scanned = (there if _listed(spec) else count) + (count if _lists_records(spec) else 0)
        in_place = spec is not None and spec.in_place
        return _Bill(0, scanned + (0 if in_place else compared), self._entries(compared))

    def _delete(self, name: str) -> _Bill:
        moved, count = self.moved.setdefault(name, _Moved()), self.counts.get(name, 0)
        there = moved.covered(count)
        minutes = self.minutes.of(name, there, there, self._spread(name) or Fraction(1)) if self.minutes else 0
        return _Bill(0, count + self._made(name, there), there + self._entries(there), there, minutes)

    def _entries(self, documents: int) -> int:
        return math.ceil(documents / self.batch)


def _listed(spec: MigrationSpec | None) -> bool:
    """Whether a cohort costs what it covers."""
    return spec is not None and (spec.entity_collection is not None or spec.target.aggregate is not None)


def _lists_records(spec: MigrationSpec | None) -> bool:
    """Whether entities have to be listed from the records themselves."""
    return spec is not None and spec.target.aggregate is not None and spec.entity_collection is None


def _phase(name: str, bill: _Bill, request: PlanRequest) -> PhaseEstimate:
    writing = seconds_of_writing(bill.data_writes, request.pace)
    reading = bill.reads / (READS_PER_SECOND * max(1, request.workers))
    seconds = max(writing, reading, bill.entity_minutes * MINUTE)
    return PhaseEstimate(
        name=name,
        documents=bill.documents,
        reads=bill.reads,
        writes=bill.writes,
        money=money(bill.reads, bill.writes, request.prices),
        minutes=math.ceil(seconds / 60),
        waiting_minutes=math.ceil(bill.waiting / 60),
    )


def total(phases: Iterable[PhaseEstimate], prices: Prices) -> PhaseEstimate:
    """All phases together."""
    known = list(phases)
    reads, writes = sum(each.reads for each in known), sum(each.writes for each in known)
    return PhaseEstimate(
        name="total",
        documents=sum(each.documents for each in known),
        reads=reads,
        writes=writes,
        money=money(reads, writes, prices),
        minutes=sum(each.minutes for each in known),
        waiting_minutes=sum(each.waiting_minutes for each in known),
    )
