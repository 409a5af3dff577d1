"""The write budget of a database: how fast it may be written now, and who may spend which part of it. Pure.

It follows Firestore's rule for new traffic, 500/50/5: at most 500 writes a second at first, half as much again every
five minutes in which the database really was written that fast. Pressure halves it (`migration.pressure`). It belongs
to the database and outlives every process: what it rests on is in the document, and each decision takes the document
and the database's own time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from firelift.api.base import Model
from firelift.migration.budget_leases import SECOND, Lease
from firelift.migration.errors import StaleEpoch
from firelift.migration.pressure import Marks, Pressed, Quiet, Shared, Window, Work, judged, slower
from firelift.migration.store import Micros

FORMAT = 1

START = 500.0
"""Writes per second of a database that nobody has written to lately. Source: Firestore's best practices, 500/50/5."""

GROWTH = 1.5
STEP = 300 * SECOND

USED = 0.5
"""The part of the rate that must have been written over a step for it to grow, and not to fall."""

LEAST = 10.0
"""No cut goes below this: at so low a rate it is not this traffic that a database suffers from."""

RENEWED = 0.5
"""The part of a lease behind which it is renewed."""

KEPT = 600 * SECOND
"""For so long after its end a lease is remembered, so that an operator's absence hides nothing of what it has seen."""

WORTH = 1.05
"""A share that could grow by less stays until its lease is renewed."""


QUIET_KEPT = 7 * 86_400 * SECOND
"""For so long after quiet Commits were last seen their p95 is believed: data, indexes and neighbours change."""

MOST_QUIET = 64
"""Sorts of work whose quiet p95 is kept, those last seen: about 8 KiB."""


class Claim(Model):
    """What a rollout asks for its run. `cap` is its `maxWritesPerSecond`; a run that writes little may `want` less.

    `sort` tells its Commits from those that take another time: what is written, and how.

    `complete` are runs of the same rollout that write nothing any more, whatever share they had.
    """

    ledger: str
    name: str
    run: str
    epoch: int
    cap: float
    want: float
    lease_seconds: int
    work: Work = Work()
    sort: str = ""
    complete: tuple[str, ...] = ()

    @property
    def sort_and_size(self) -> str:
        """What its Commits are compared with: those of this rollout, this sort, and about this many documents."""
        return f"{self.ledger}/{self.sort}/{self.work.size}"


class Budget(Shared):
    """The document. `rate` is what the ramp has come to; `since` is the begin of its step, `written` what it saw.

    `cause` is why the rate was cut, until it grows again.
    """

    format: int = FORMAT
    rate: float = START
    since: Micros = 0
    written: int = 0
    window: Window = Window()
    cause: str = ""
    leases: tuple[Lease, ...] = ()
    quiet: tuple[Quiet, ...] = ()

    def lease(self, ledger: str) -> Lease | None:
        """The rollout's lease."""
        return next((lease for lease in self.leases if lease.ledger == ledger), None)

    def others(self, ledger: str, now: Micros) -> tuple[Lease, ...]:
        """The live ones of everybody else."""
        return tuple(lease for lease in self.leases if lease.ledger != ledger and lease.live(now))

    def quiet_ms(self, sort: str, now: Micros) -> int:
        """The quiet p95 that is known of a sort of work, 0 where there is none, or none that is young enough."""
        known = (each.ms for each in self.quiet if each.sort == sort and now < each.time + QUIET_KEPT)
        return next(known, 0)

    def effective(self, now: Micros) -> float:
        """Writes per second that all may spend together: no more than the highest cap among those that are active."""
        return min(self.rate, max((lease.cap for lease in self.leases if lease.live(now)), default=self.rate))


def allot(budget: Budget, claim: Claim, now: Micros) -> Budget:
    """The budget after a rollout has reported its work and taken or renewed its lease.

    A new run gets what is free, at most its fair part; whoever has more than that gives it back here, and it is free
    when `heard`. `now` is the database's time.

    Raises:
        StaleEpoch: when a newer leader of the same rollout has the lease.
    """
    mine = budget.lease(claim.ledger)
    if mine is not None and mine.epoch > claim.epoch:
        raise StaleEpoch(
            f"the write budget was asked for run {claim.run} by a leader of epoch {claim.epoch}, and one of epoch "
            f"{mine.epoch} has the lease of {claim.ledger}: nothing was taken"
        )
    known = mine.marks if mine is not None and mine.run == claim.run else None
    found = judged(budget.window, known, claim.work, now, budget.quiet_ms(claim.sort_and_size, now))
    budget = _remembered(budget, claim, found, now)
    ceiling = max([claim.cap, *(lease.cap for lease in budget.others(claim.ledger, now))])
    budget = budget.model_copy(update={"written": budget.written + found.written, "window": found.window})
    budget = _cut(budget, found, ceiling, now) if found.cause else _ramped(budget, ceiling, now)
    lease = _granted(budget, claim, found.marks, now)
    others = (other for other in budget.leases if other.ledger != claim.ledger and now < other.expires + KEPT)
    return budget.model_copy(update={"leases": (*others, lease)})


def heard(budget: Budget, ledger: str, epoch: int, word: tuple[str, float, Micros], at: Micros) -> Budget:
    """The budget when the control of a run says this share and this end since `at`: what it had above is free soon.

    A control that says anything else than the rollout's lease proves nothing: a later one may be on its way.
    """
    return _with(budget, ledger, epoch, lambda lease: lease.heard(word, at))


def given_back(budget: Budget, ledger: str, epoch: int, run: str, end: Micros) -> Budget:
    """The budget when no worker of this run can write behind `end`."""
    return _with(budget, ledger, epoch, lambda lease: lease.ended(run, end))


def due(before: Budget, after: Budget, ledger: str, now: Micros) -> bool:
    """Whether the difference that a claim would make is worth a write."""
    old, new = before.lease(ledger), after.lease(ledger)
    if old is None or new is None or old.run != new.run or after.rate != before.rate:
        return True
    worn = (old.expires - now) <= (new.expires - now) * (1 - RENEWED)
    worn = worn or (new.marks.quiet_ms > 0 and old.marks.quiet_ms == 0)
    worn = worn or new.marks.stuck > old.marks.stuck  # or it would be heard again after the cooling
    return worn or new.share < old.share or new.share > old.share * WORTH


def fair(total: float, mine: float, others: Iterable[float]) -> float:
    """My part when nobody gets more than they want, and what one leaves goes to the others."""
    wants = sorted([mine, *others])
    while wants and wants[0] * len(wants) <= total:
        total -= wants.pop(0)
    return min(mine, total / len(wants)) if wants else mine


def _with(budget: Budget, ledger: str, epoch: int, change: Callable[[Lease], Lease]) -> Budget:
    mine = budget.lease(ledger)
    if mine is None or mine.epoch != epoch or (changed := change(mine)) == mine:
        return budget
    leases = tuple(changed if lease.ledger == ledger else lease for lease in budget.leases)
    return budget.model_copy(update={"leases": leases})


def _remembered(budget: Budget, claim: Claim, found: Pressed, now: Micros) -> Budget:
    """The budget with what was found to be quiet: the next run of this work is compared with it from the beginning."""
    if not found.calm_ms:
        return budget
    sort, known = claim.sort_and_size, budget.quiet_ms(claim.sort_and_size, now)
    moved = not known or slower(found.calm_ms, known)
    own = Quiet(sort=sort, ms=found.calm_ms if moved else min(found.calm_ms, known), time=now)
    others = sorted((each for each in budget.quiet if each.sort != sort), key=lambda each: -each.time)
    return budget.model_copy(update={"quiet": (own, *others[: MOST_QUIET - 1])})


def _cut(budget: Budget, found: Pressed, ceiling: float, now: Micros) -> Budget:
    spent = min(budget.rate, ceiling)
    rate = max(min(LEAST, spent), spent / 2)
    return budget.model_copy(update={"rate": rate, "cause": found.cause, "since": now, "written": 0})


def _ramped(budget: Budget, ceiling: float, now: Micros) -> Budget:
    """One step up where the last one was used, back towards the start where it was not."""
    elapsed = now - budget.since
    if not budget.since or elapsed < 0:
        return budget.model_copy(update={"since": now, "written": 0})
    if elapsed < STEP:
        return budget
    used = budget.written * SECOND >= budget.rate * USED * elapsed
    if used or budget.rate < START:
        limit = ceiling if used else min(ceiling, START)
        rate = max(budget.rate, min(budget.rate * GROWTH, limit))
    else:
        rate = max(START, budget.rate / GROWTH ** min(elapsed // STEP, 100))
    return budget.model_copy(update={"rate": rate, "since": now, "written": 0, "cause": ""})


def _granted(budget: Budget, claim: Claim, marks: Marks, now: Micros) -> Lease:
    mine, others = budget.lease(claim.ledger), budget.others(claim.ledger, now)
    total = min(budget.rate, max([claim.cap, *(lease.cap for lease in others)]))
    free = max(0.0, total - sum(lease.spendable(now) for lease in others))
    share = _floor(min(fair(total, min(claim.want, claim.cap), (lease.want for lease in others)), free))
    return Lease(
        ledger=claim.ledger,
        name=claim.name,
        run=claim.run,
        epoch=claim.epoch,
        cap=claim.cap,
        want=min(claim.want, claim.cap),
        share=share,
        expires=now + claim.lease_seconds * SECOND,
        earlier=mine.above(share, now, claim.complete) if mine is not None else (),
        marks=marks,
    )


def _floor(rate: float) -> float:
    """In whole thousandths: shares must never sum above the budget by a rounding."""
    return math.floor(rate * 1000) / 1000
