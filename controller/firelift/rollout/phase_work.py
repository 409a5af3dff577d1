"""The work of a phase so far: what gates on the ledger look at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from firelift.api.run import Totals
from firelift.rollout.counts import counted, moves
from firelift.rollout.ledger_gates import COMMITTING
from firelift.rollout.observation import LedgerSeen, Observation, Rollout, RunSeen
from firelift.rollout.place import Place, current, places
from firelift.rollout.state import RolloutState
from firelift.rollout.steps import twin
from firelift.rollout.turn import Turn


@dataclass(frozen=True, slots=True)
class PhaseWork:
    """What a phase has done so far: `moving` in its migrate and sweep steps, `checking` in its verify steps.

    `commit_latencies_ms` are those of the running step; `newest` is when its journals, or else the last step that did
    something, came to an end.
    """

    moving: Totals = field(default_factory=Totals)
    checking: Totals = field(default_factory=Totals)
    commit_latencies_ms: tuple[int, ...] = ()
    newest: datetime | None = None


def phase_work(rollout: Rollout, state: RolloutState, runs: Mapping[str, RunSeen], now: datetime) -> PhaseWork:
    """The work of the running phase: kept of the steps that are done, seen of the one that runs."""
    turn = Turn(rollout, state, Observation(now=now, ledger=LedgerSeen(), runs=runs))
    here = current(turn)
    if here is None:
        return PhaseWork()
    steps = [
        step for step in places(turn) if step.phase_index == here.phase_index and step.step_index <= here.step_index
    ]
    seen = [turn.run(plan.id) for plan in twin(here).plans(here)]
    times = [*(run.newest for run in seen), *(step.record.finished for step in steps if step.spec.verb in COMMITTING)]
    return PhaseWork(
        moving=_total(step for step in steps if moves(step.spec)),
        checking=_total(step for step in steps if step.spec.verify is not None),
        commit_latencies_ms=tuple(latency for run in seen for latency in run.commit_latencies_ms),
        newest=max(filter(None, times), default=None),
    )


def _total(steps: Iterable[Place]) -> Totals:
    total = Totals()
    for step in steps:
        total = total.plus(counted(step))
    return total
