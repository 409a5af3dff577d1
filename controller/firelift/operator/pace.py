"""A run's part of its database's write budget: asked for with each turn, and written into the run's control."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from firelift.api.run import RunControl, RunKind, RunPlan, RunState
from firelift.kube.job_manifest import at_once
from firelift.migration.budget import Claim
from firelift.migration.budget_leases import HEARD, SECOND, Lease
from firelift.migration.ledger import budgets
from firelift.migration.ledger.budgets import BudgetSeen
from firelift.migration.ledger.runs import RunDocument, RunStore
from firelift.migration.pressure import Work
from firelift.migration.store import Micros, Store
from firelift.rollout.observation import HolderSeen, Observation, PaceSeen, Rollout, RunSeen

CHECKING = frozenset({RunKind.VERIFY, RunKind.REVERT_VERIFY, RunKind.DRY_RUN, RunKind.VALIDATE})
CHECKING_WRITES = 100.0
"""Writes per second that suffice for a run whose only documents are its journal's."""


@dataclass(frozen=True, slots=True)
class Agreed:
    """A run's document as it is now; what was granted, and that as people read it; None where nothing was asked."""

    held: RunDocument
    lease: Lease | None = None
    told: PaceSeen | None = None


async def ensure(store: Store, rollout: Rollout, plan: RunPlan, seen: Observation, control: RunControl) -> Agreed:
    """Make the run, and its control this one with the run's share of the budget; then tell what others may have.

    Raises:
        MigrationError: the budget or the run could not be read or changed; without its share nobody writes.
    """
    runs = RunStore(store, plan.ledger)
    if control.state is not RunState.RUN or plan.kind is RunKind.PLAN:
        return Agreed(await runs.ensure(plan, control))
    run = seen.runs.get(plan.id) or RunSeen(plan.id)
    complete = tuple(each.id for each in seen.runs.values() if each.complete)
    now = await budgets.claim(store, _claim(rollout, plan, run, control, complete))
    if (lease := now.budget.lease(plan.ledger)) is None:
        return Agreed(await runs.ensure(plan, control))
    granted = {
        "writes_per_second": lease.share,
        "share_until": lease.expires,
        "processes": _processes(rollout, plan, run),
    }
    held = await runs.ensure(plan, control.model_copy(update=granted))
    if lease.waits(held.seen.update_time):
        await budgets.heard(store, held)
    return Agreed(held, lease, _told(now, lease, plan))


async def give_back(store: Store, lease: Lease, seen: Observation, halted: Mapping[str, RunDocument]) -> bool:
    """Leave the share of a run that is not to write any more to the others; whether that is known to be so.

    A run that was just told to hold or to stop writes nothing more when all its workers have heard of it, one that is
    complete nothing at all. Of any other the share runs out.

    Raises:
        MigrationError: the budget could not be read or changed.
    """
    run, held = seen.runs.get(lease.run), halted.get(lease.run)
    if held is not None and held.control.epoch == lease.epoch:
        end = held.seen.update_time + HEARD
    elif run is not None and run.complete:
        end = None
    else:
        return False
    await budgets.give_back(store, lease.ledger, lease.epoch, lease.run, end)
    return True


def _claim(rollout: Rollout, plan: RunPlan, run: RunSeen, control: RunControl, complete: tuple[str, ...]) -> Claim:
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
            stuck=run.pressed,
            latencies=tuple(zip(run.commit_times, run.commit_latencies_ms, strict=True)),
        ),
        sort=f"{plan.migration.name}/{plan.kind}",
        complete=complete,
    )


def _processes(rollout: Rollout, plan: RunPlan, run: RunSeen) -> int:
    """How many pods may work at once from now on.

    That is what the Job was made with, whatever the spec says by now; and an index that is done starts no pod any more.
    """
    pods = (run.job.parallelism if run.job else 0) or at_once(rollout, plan)
    done = run.job.succeeded if run.job else 0
    return max(1, min(pods, plan.shares - done))


def _told(now: BudgetSeen, lease: Lease, plan: RunPlan) -> PaceSeen:
    others = now.budget.others(lease.ledger, now.read_time)
    most = max(others, key=lambda other: other.spendable(now.read_time), default=None)
    return PaceSeen(
        share=lease.share,
        budget=now.budget.effective(now.read_time),
        cap=lease.cap,
        sharers=tuple(other.name for other in others),
        cause=now.budget.cause,
        holder=HolderSeen(most.name, most.spendable(now.read_time), _date(most.until)) if most is not None else None,
        unbound=plan.kind is RunKind.REVERT and plan.pace.per_entity_writes_per_minute is not None,
    )


def _date(micros: Micros) -> datetime:
    return datetime.fromtimestamp(micros / SECOND, UTC)
