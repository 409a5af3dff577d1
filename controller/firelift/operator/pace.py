"""A run's part of its database's write budget: asked for with each turn, and written into the run's control."""

from __future__ import annotations

from firelift.api.run import RunControl, RunKind, RunPlan, RunState
from firelift.kube.job_manifest import at_once
from firelift.migration.budget import Claim, Lease
from firelift.migration.ledger import budgets
from firelift.migration.ledger.budgets import BudgetSeen
from firelift.migration.pressure import Work
from firelift.migration.store import Store
from firelift.rollout.observation import Observation, PaceSeen, Rollout, RunSeen

CHECKING = frozenset({RunKind.VERIFY, RunKind.REVERT_VERIFY, RunKind.DRY_RUN, RunKind.VALIDATE})
CHECKING_WRITES = 100.0
"""Writes per second that suffice for a run whose only documents are its journal's."""


async def share(
    store: Store, rollout: Rollout, plan: RunPlan, seen: Observation, control: RunControl
) -> tuple[RunControl, PaceSeen | None]:
    """The control with the run's share of the budget, and the share as people read it.

    Raises:
        MigrationError: the budget could not be read or changed; without it nobody writes.
    """
    if control.state is not RunState.RUN or plan.kind is RunKind.PLAN:
        return control, None
    run = seen.runs.get(plan.id) or RunSeen(plan.id)
    now = await budgets.claim(store, _claim(rollout, plan, run, control))
    lease = now.budget.lease(plan.ledger)
    if lease is None:
        return control, None
    granted = {
        "writes_per_second": lease.share,
        "share_until": lease.expires,
        "processes": _processes(rollout, plan, run),
    }
    return control.model_copy(update=granted), _told(now, lease)


def _claim(rollout: Rollout, plan: RunPlan, run: RunSeen, control: RunControl) -> Claim:
    cap = float(rollout.spec.pace.max_writes_per_second)
    totals = run.totals
    return Claim(
        ledger=plan.ledger,
        name=f"{rollout.namespace}/{rollout.name}",
        run=plan.id,
        epoch=control.epoch,
        cap=cap,
        want=min(cap, CHECKING_WRITES) if plan.kind in CHECKING else cap,
        lease_seconds=control.lease_seconds,
        work=Work(
            commits=run.entries,
            pressured=totals.pressured,
            written=totals.written + totals.dead_letters + run.entries,
            latencies=tuple(zip(run.commit_times, run.commit_latencies_ms, strict=True)),
        ),
    )


def _processes(rollout: Rollout, plan: RunPlan, run: RunSeen) -> int:
    """How many pods may work at once from now on.

    That is what the Job was made with, whatever the spec says by now; and an index that is done starts no pod any more.
    """
    pods = (run.job.parallelism if run.job else 0) or at_once(rollout, plan)
    done = run.job.succeeded if run.job else 0
    return max(1, min(pods, plan.shares - done))


def _told(now: BudgetSeen, lease: Lease) -> PaceSeen:
    return PaceSeen(
        share=lease.share,
        budget=now.budget.effective(now.read_time),
        cap=lease.cap,
        sharers=tuple(other.name for other in now.budget.others(lease.ledger, now.read_time)),
        cause=now.budget.cause,
    )
