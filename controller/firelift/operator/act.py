"""Doing what was decided: one small function per kind of intent. Doing one twice is doing it once."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import singledispatchmethod

from firelift.api.run import RunControl, RunPlan, RunState
from firelift.infra import firestore_backups
from firelift.kube import config_maps, jobs, plan_maps
from firelift.kube.events import Subject
from firelift.kube.job_manifest import ExitCodes, JobPolicy, build_job, job_name, label_selector
from firelift.migration.budget_leases import Lease
from firelift.migration.exit_codes import FATAL, IGNORED
from firelift.migration.ledger import locks
from firelift.migration.ledger import root as roots
from firelift.migration.ledger.runs import RunDocument, RunStore
from firelift.migration.preflight.report import forget_report
from firelift.operator import pace
from firelift.operator.databases import ADMIN_ENDPOINT_VARIABLE
from firelift.operator.ledger import LedgerRead
from firelift.operator.services import Services
from firelift.operator.settings import PASSED_ON
from firelift.operator.speak import send_event
from firelift.rollout.intents import (
    AcquireLock,
    CancelTransfer,
    ClaimLedger,
    EmitEvent,
    EnsureJob,
    EnsureRun,
    ForgetRun,
    Intent,
    ReleaseLedger,
    ReleaseLock,
    RemoveJob,
    SetFlags,
    SetRunState,
    ShowPlan,
    StartTransfer,
)
from firelift.rollout.observation import Observation, PaceSeen, Refusal, Rollout


@dataclass(slots=True)
class Actor:
    """Acts for one decision about one rollout. `act` raises `KubeError` and `MigrationError`.

    `news` is set when the next turn will see something that no event tells of, so that it need not be waited for.
    `pace` is what the run at work was granted, with its lease; `halted` are the runs that were told to hold or to stop;
    `refusals` say why an export or import was not begun, by the export's place; `led` are the runs whose Jobs this turn
    wants, though it may not have looked at them.
    """

    services: Services
    rollout: Rollout
    ledger: LedgerRead
    observation: Observation
    plans: dict[str, RunPlan] = field(default_factory=dict)
    news: bool = False
    pace: PaceSeen | None = None
    lease: Lease | None = None
    halted: dict[str, RunDocument] = field(default_factory=dict)
    refusals: dict[str, Refusal] = field(default_factory=dict)
    led: set[str] = field(default_factory=set)

    @singledispatchmethod
    async def act(self, intent: Intent) -> None:
        """Do it."""
        raise NotImplementedError(f"nobody knows how to do {intent}")

    @act.register
    async def _ensure_run(self, intent: EnsureRun) -> None:
        wanted = self._control(intent.state)
        agreed = await pace.ensure(self.ledger.store, self.rollout, intent.plan, self.observation, wanted)
        self.pace, self.lease = agreed.told, agreed.lease
        # A run that exists keeps its plan, and its Job is made after that.
        self.plans[intent.plan.id] = agreed.held.plan

    @act.register
    async def _forget_run(self, intent: ForgetRun) -> None:
        await forget_report(self.ledger.store, self.rollout.ledger_id, intent.run)

    @act.register
    async def _set_run_state(self, intent: SetRunState) -> None:
        run = (await self._runs.read([intent.run]))[intent.run]
        if run is not None:
            self.halted[intent.run] = await self._runs.ensure(run.plan, self._control(intent.state))

    @act.register
    async def _ensure_job(self, intent: EnsureJob) -> None:
        self.led.add(intent.run)
        run = self.observation.runs.get(intent.run)
        if run and run.job and not intent.replace:
            return
        plan = self.plans.get(intent.run) or await self._runs.plan(intent.run)
        body = build_job(self.rollout, plan, self._policy, run.entries if run else 0)
        old = run.job.uid if run and run.job else ""
        await jobs.ensure(self.services.cluster, body, instead_of=old)

    @act.register
    async def _remove_job(self, intent: RemoveJob) -> None:
        name = job_name(self.rollout, intent.run)
        await jobs.remove(self.services.cluster, self.rollout.namespace, name, self.rollout.uid)

    @act.register
    async def _set_flags(self, intent: SetFlags) -> None:
        place = config_maps.Place(self.rollout.namespace, intent.config_map, self.rollout.name)
        if await config_maps.set_keys(self.services.cluster, place, intent.values, intent.seen):
            self.news = True

    @act.register
    async def _show_plan(self, intent: ShowPlan) -> None:
        if await plan_maps.show(self.services.cluster, self.rollout, intent.config_map, intent.data):
            self.news = True

    @act.register
    async def _acquire_lock(self, intent: AcquireLock) -> None:
        me = locks.Claimant(
            ledger=self.rollout.ledger_id,
            name=f"{self.rollout.namespace}/{self.rollout.name}",
            epoch=self.services.lease.epoch,
            since=self.services.now(),
        )
        lock = await locks.acquire(self.ledger.store, intent.group, me)
        before = self.observation.locks.get(intent.group)
        if lock.held_by(self.rollout.ledger_id) and not (before and before.mine):
            self.news = True

    @act.register
    async def _release_lock(self, intent: ReleaseLock) -> None:
        await locks.release(self.ledger.store, intent.group, self.rollout.ledger_id)
        self.news = True

    @act.register
    async def _claim_ledger(self, _: ClaimLedger) -> None:
        """The claim was made with the record of the state, before anything else."""

    @act.register
    async def _release_ledger(self, intent: ReleaseLedger) -> None:
        if self.ledger.update_time is None:
            return
        self.news = True
        store, ledger, time = self.ledger.store, self.rollout.ledger_id, self.ledger.update_time
        if intent.expire is not None:
            time, marked = await roots.expire(store, ledger, time, intent.expire)
            if not marked:
                return
        await roots.release(store, ledger, time, expire_at=intent.expire)

    @act.register
    async def _start_transfer(self, intent: StartTransfer) -> None:
        database, permit = self.rollout.spec.database, self.services.lease.check
        try:
            await firestore_backups.start(
                database.project, database.name, intent, permit=permit, endpoint=_admin_endpoint()
            )
        except firestore_backups.TransferRefused as error:
            self.refusals[intent.uri] = Refusal(str(error), error.final)
        else:
            self.news = True

    @act.register
    async def _cancel_transfer(self, intent: CancelTransfer) -> None:
        self.services.lease.check()
        try:
            await firestore_backups.cancel(intent.operation, _admin_endpoint())
        except firestore_backups.TransferRefused as error:
            self.services.log.warning("an operation goes on", operation=intent.operation, error=str(error))

    @act.register
    async def _emit_event(self, intent: EmitEvent) -> None:
        subject = Subject(self.rollout.namespace, self.rollout.name, self.rollout.uid)
        await send_event(self.services, subject, reason=intent.reason, message=intent.message, warning=intent.warning)

    async def settle_pace(self, before: Lease | None) -> Lease | None:
        """The lease that the rollout has now; one from an earlier turn is given back when nothing asks for it."""
        if self.lease is not None or before is None:
            return self.lease
        returned = await pace.give_back(self.ledger.store, before, self.observation, self.halted)
        return None if returned else before

    async def tidy(self, *, thoroughly: bool) -> None:
        """Remove the Jobs of runs that are complete; `thoroughly` those of all runs that nobody looks at as well."""
        seen = self.observation.runs
        names = {
            job_name(self.rollout, run.id) for run in seen.values() if run.complete and run.job and not run.job.going
        }
        cluster, namespace, uid = self.services.cluster, self.rollout.namespace, self.rollout.uid
        if thoroughly:
            found = await jobs.of_rollout(cluster, namespace, label_selector(self.rollout.name), uid)
            names |= {name for name, run in found.items() if run not in seen and run not in self.led}
        for name in sorted(names):
            await jobs.remove(cluster, namespace, name, uid)

    @property
    def _runs(self) -> RunStore:
        return RunStore(self.ledger.store, self.rollout.ledger_id)

    @property
    def _policy(self) -> JobPolicy:
        return JobPolicy(
            exit_codes=ExitCodes(ignored=tuple(IGNORED), fatal=tuple(FATAL)),
            service_account=self.services.settings.worker_service_account,
            environment={name: os.environ[name] for name in PASSED_ON if os.environ.get(name)},
        )

    def _control(self, state: RunState) -> RunControl:
        return RunControl(
            state=state, epoch=self.services.lease.epoch, lease_seconds=self.services.settings.run_lease_seconds
        )


def _admin_endpoint() -> str | None:
    return os.environ.get(ADMIN_ENDPOINT_VARIABLE) or None
