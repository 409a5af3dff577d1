"""What each phase will read, write, cost and take, from the counts of its sources. Pure arithmetic."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from firelift.api.migration import MigrationSpec, OnExisting
from firelift.api.plan import PhaseEstimate, PlanRequest
from firelift.api.quantity import parse
from firelift.api.rollout import PaceSpec, PhaseSpec, Prices
from firelift.api.steps.migrate import CohortSpec
from firelift.api.steps.verify import VerifyStep
from firelift.migration.budget import GROWTH, START, STEP
from firelift.migration.budget_leases import SECOND

READS_PER_SECOND = 5_000
"""Documents that one worker scans. Bounded queries reached 17,000 a second on two cores beside an emulator; a third of
that leaves room for decoding and for distance."""

_LOOKS_FIRST = frozenset({OnExisting.OVERWRITE, OnExisting.KEEP_NEWER})
_EVERYBODY = 100
_PER = 100_000
_CENT = Decimal("0.01")


@dataclass(slots=True)
class _Moved:
    """What steps so far have moved of one migration: a percent, named entities, and how many steps own a cohort."""

    percent: int = 0
    ids: set[str] = field(default_factory=set)
    steps: int = 0
    where: bool = False

    def covered(self, count: int) -> int:
        """How many of so many documents have moved; of conditions nobody knows, so that it may be all of them."""
        return count if self.where else min(count, count * self.percent // 100 + len(self.ids))


@dataclass(slots=True)
class _Bill:
    documents: int = 0
    reads: int = 0
    writes: int = 0
    data_writes: int = 0
    waiting: int = 0

    def add(self, other: _Bill) -> None:
        self.documents += other.documents
        self.reads += other.reads
        self.writes += other.writes
        self.data_writes += other.data_writes


def estimate(request: PlanRequest, counts: Mapping[str, int]) -> tuple[PhaseEstimate, ...]:
    """One estimate per phase that is to come; `counts` has the documents of each migration's source.

    A percent is taken to be that share of the documents, a named entity to be one document, conditions to hold for
    all: where entities have very different numbers of records, a small cohort is off by as much.
    """
    desk = _Desk({spec.name: spec for spec in request.migrations}, counts, request.pace.batch_size)
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
                    bill.add(_Bill(reads=self.counts.get(name, 0) * self.moved.setdefault(name, _Moved()).steps))
            bill.waiting += step.soak.seconds if step.soak else 0
            bill.waiting += step.flags.propagation_seconds if step.flags else 0
        return bill

    def _migrate(self, name: str, cohort: CohortSpec) -> _Bill:
        moved, count = self.moved.setdefault(name, _Moved()), self.counts.get(name, 0)
        new = _new(moved, cohort, count)
        spec, covered = self.specs.get(name), moved.covered(count)
        if spec is not None and spec.entity_collection is not None:
            # What is covered, and at 100 % the whole source for records whose entity is not listed.
            reads = new + covered + (count if cohort.percent == _EVERYBODY else 0)
        else:
            # The source once for itself, and once for each earlier cohort whose late-comers it sweeps.
            reads = count * (1 + moved.steps)
        if spec is not None and spec.on_existing in _LOOKS_FIRST and not spec.in_place:
            reads += new
        moved.steps += 1
        moved.percent = max(moved.percent, cohort.percent or 0)
        moved.ids.update(cohort.ids or ())
        moved.where = moved.where or cohort.where is not None
        return _Bill(new, reads, new + self._entries(new), new)

    def _verify(self, name: str, step: VerifyStep) -> _Bill:
        moved, count = self.moved.setdefault(name, _Moved()), self.counts.get(name, 0)
        there, spec = moved.covered(count), self.specs.get(name)
        compared = math.ceil(there * min(Fraction(1), parse(step.sample).base))
        scanned = there if spec is not None and spec.entity_collection is not None else count
        in_place = spec is not None and spec.in_place
        return _Bill(0, scanned + (0 if in_place else compared), self._entries(compared))

    def _delete(self, name: str) -> _Bill:
        moved, count = self.moved.setdefault(name, _Moved()), self.counts.get(name, 0)
        there = min(count, count * moved.percent // 100 + len(moved.ids))
        return _Bill(0, count + there, there + self._entries(there), there)

    def _entries(self, documents: int) -> int:
        return math.ceil(documents / self.batch)


def _new(moved: _Moved, cohort: CohortSpec, count: int) -> int:
    if cohort.ids is not None:
        return min(count, len(set(cohort.ids) - moved.ids))
    # How many keep conditions nobody has counted: at most all that have not been moved.
    share = max(0, (_EVERYBODY if cohort.where else cohort.percent or 0) - moved.percent)
    return min(count, math.ceil(count * share / 100))


def _phase(name: str, bill: _Bill, request: PlanRequest) -> PhaseEstimate:
    writing = seconds_of_writing(bill.data_writes, request.pace)
    seconds = max(writing, bill.reads / (READS_PER_SECOND * max(1, request.workers)))
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
