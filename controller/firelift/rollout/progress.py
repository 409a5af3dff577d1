"""Progress: how far the runs of a step are, how fast, and when nothing has moved for too long."""

from __future__ import annotations

from collections.abc import Sequence

from firelift.api.conditions import Reason
from firelift.api.run import RunKind, RunPlan
from firelift.rollout.extent import Progress
from firelift.rollout.memory import changed
from firelift.rollout.pace import text
from firelift.rollout.place import Place
from firelift.rollout.turn import Outcome, Turn
from firelift.rollout.twin import Failed

NOTED_SECONDS = 10
"""Progress is remembered at most this often."""

_BLIND_SECONDS = 30
"""Workers idle when their lease is this old; a shorter gap between two turns does not excuse them."""
COMMITS = 3
"""The fewest Commits that the pace must let begin before their absence says anything."""

SMALLEST_COMMIT = 2.0
_SCANS = frozenset({RunKind.MIGRATE, RunKind.SWEEP, RunKind.DELETE})


def measure(turn: Turn, plans: Sequence[RunPlan], seconds: float) -> Progress:
    """How far the step's runs of the kind at hand are, at the rate that the step had over its running time.

    A sweep reads what was moved again, and a revert is checked when it is over: their sum would count documents twice.
    """
    read = {plan.id: max(turn.run(plan.id).scanned, turn.run(plan.id).totals.read) for plan in plans}
    estimates = dict(zip(read, _estimates(turn, plans), strict=True))
    at_hand = _at_hand(turn, plans)
    known = all(estimates[run] for run in at_hand if turn.run(run).exists)
    scanned, estimate = sum(read[run] for run in at_hand), sum(estimates[run] for run in at_hand) if known else 0
    return Progress(
        scanned, max(estimate, scanned) if estimate else 0, sum(read.values()) / seconds if seconds else 0.0
    )


def _at_hand(turn: Turn, plans: Sequence[RunPlan]) -> list[str]:
    """The runs of the same kind as the first that is not complete, or the last where all are."""
    left = [plan for plan in plans if not turn.run(plan.id).complete] or plans[-1:]
    return [plan.id for plan in plans if plan.kind is left[0].kind]


def watched(place: Place, plans: Sequence[RunPlan]) -> Outcome | Failed | None:
    """As `watched_runs`, for the runs of a step."""
    return watched_runs(place.turn, plans, place.title)


def watched_runs(turn: Turn, plans: Sequence[RunPlan], title: str) -> Outcome | Failed | None:
    """Remember that something moved, or object that nothing has for `progressDeadlineSeconds`.

    Time in which nobody watched does not count: the operator was down, or the ledger out of reach. Nor does time in
    which others had all of the write budget, or an index was being built: the run can do nothing about that.
    """
    state = turn.state
    deadline = max(float(turn.spec.progress_deadline_seconds), COMMITS * _commit_seconds(turn, plans))
    mark = _mark(turn, plans)
    unwatched = turn.seconds_since(state.seen_time)
    if unwatched > max(_BLIND_SECONDS, deadline / 2):
        return changed(state, progress_time=turn.now, seen_time=turn.now, progress_mark=mark)
    still = turn.seconds_since(state.progress_time)
    if mark != state.progress_mark and still >= min(NOTED_SECONDS, deadline / 4):
        return changed(state, progress_time=turn.now, seen_time=turn.now, progress_mark=mark)
    waits = (turn.seen.pace is not None and turn.seen.pace.waits) or any(turn.run(plan.id).waiting for plan in plans)
    if waits and still >= min(NOTED_SECONDS, deadline / 4):
        return changed(state, progress_time=turn.now, seen_time=turn.now)
    if mark == state.progress_mark and still > deadline:
        paced = f", which may write {text(turn.seen.pace)}" if turn.seen.pace is not None else ""
        return Failed(f"no document moved for {still:,.0f}s > {deadline:,}s in {title}{paced}", Reason.NO_PROGRESS)
    return changed(state, seen_time=turn.now) if unwatched > max(NOTED_SECONDS, deadline / 4) else None


def _commit_seconds(turn: Turn, plans: Sequence[RunPlan]) -> float:
    """How long a process waits for its smallest Commit, one document and its entry: a small share is one of many."""
    if not plans:
        return 0.0
    processes, rest = max(plan.workers for plan in plans), plans[0].pace.pause_between_batches_seconds
    share = turn.seen.pace.share if turn.seen.pace is not None else 0.0
    return processes * (rest + (SMALLEST_COMMIT / share if share else 0.0))


def _estimates(turn: Turn, plans: Sequence[RunPlan]) -> list[int]:
    """How much each run has to read; a scan that has not begun reads as much as the others of its source."""
    own = {plan.id: turn.run(plan.id).estimate for plan in plans}
    scans = {plan.migration.name: own[plan.id] for plan in plans if plan.kind in _SCANS and own[plan.id]}
    return [own[plan.id] or (scans.get(plan.migration.name, 0) if plan.kind in _SCANS else 0) for plan in plans]


def _mark(turn: Turn, plans: Sequence[RunPlan]) -> int:
    seen = [turn.run(plan.id) for plan in plans]
    return sum(run.totals.read + run.scanned + run.complete for run in seen)
