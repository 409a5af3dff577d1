"""One read of everything that the next decision looks at."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from firelift.api.run import RunKind, RunState
from firelift.infra import firestore_backups
from firelift.kube import config_maps, grounds, jobs, plan_maps
from firelift.kube.job_manifest import job_name, label_selector
from firelift.migration.exit_codes import IGNORED
from firelift.migration.ledger import locks, paths
from firelift.migration.ledger import runs as run_documents
from firelift.migration.ledger.failures import read_said
from firelift.migration.ledger.progress import Progress, RunProgress
from firelift.migration.preflight.report import read_report
from firelift.migration.store import Micros, Store, ValueKit
from firelift.migration.transform.check import problem
from firelift.operator.answers import Questions
from firelift.operator.databases import ADMIN_ENDPOINT_VARIABLE
from firelift.operator.ledger import LedgerRead
from firelift.operator.memory import ObjectMemory
from firelift.operator.required import read_rollouts
from firelift.operator.services import Services
from firelift.operator.settings import EMULATOR_VARIABLE
from firelift.rollout.backups import BackupsSeen
from firelift.rollout.ground import EnvironmentSeen, RolloutKey, RolloutSeen
from firelift.rollout.machine import wanted
from firelift.rollout.observation import (
    ConfigMapSeen,
    JobSeen,
    LockSeen,
    Observation,
    PlanMapSeen,
    Rollout,
    RunSeen,
    Wanted,
)
from firelift.rollout.state import RolloutState

MICROS_PER_SECOND = 1_000_000


async def observe(
    services: Services,
    memory: ObjectMemory,
    rollout: Rollout,
    state: RolloutState,
    ledger: LedgerRead,
    answered: Callable[[], None],
) -> Observation:
    """Read it, all at once. `answered` is called when a measurement comes in too late for this turn.

    Raises:
        MigrationError, TimeoutError: the database could not be read.
        KubeError: the API server could not be read; each of its calls has a deadline of its own.
    """
    now = services.now()
    want = wanted(rollout, state, now)
    memory.grounds = frozenset(want.environments)
    # Whoever is asked to wake this one must be known before the others are looked at.
    memory.rests_on = memory.rests_on | frozenset(want.rollouts)
    # First the Jobs, then their journals: a Job that has ended is never seen with an older journal than its last.
    made, maps, plan_map, (environments, others), backups, approved = await asyncio.gather(
        _jobs(services, rollout, want.runs),
        _config_maps(services, rollout, want.config_maps),
        _plan_map(services, rollout, want.plan_map),
        _stood_on(services, rollout, want),
        _backups(rollout, asked_for=want.backups),
        services.approvals.of_rollout(rollout.namespace, rollout.name),
    )
    memory.rests_on = frozenset(others)
    runs, held = await _database(services, memory, rollout, ledger.store, made, want)
    look = Observation(
        now=now,
        ledger=ledger.seen,
        runs=runs,
        plan_map=plan_map,
        emulator=os.environ.get(EMULATOR_VARIABLE, ""),
        approvals=approved,
        config_maps=maps,
        locks=held,
        environments=environments,
        backups=backups,
        refusals=dict(memory.refusals),
        rollouts=others,
        pace=memory.pace,
        unusable=_unusable(memory, rollout, ledger.store.values),
        worker_image=rollout.spec.worker.image or services.settings.worker_image,
        problems=tuple(filter(None, (*memory.problems, ledger.problem))),
    )
    return await Questions(services, memory, rollout, state, answered).put(want, look)


async def _database(
    services: Services,
    memory: ObjectMemory,
    rollout: Rollout,
    store: Store,
    made: dict[str, JobSeen | None],
    want: Wanted,
) -> tuple[dict[str, RunSeen], dict[str, LockSeen]]:
    """Runs and locks; the pods of a run whose Job is gone are asked for behind that."""
    async with asyncio.timeout(services.settings.database_timeout_seconds):
        runs, held = await asyncio.gather(
            _runs(memory, rollout, store, made), _locks(store, rollout.ledger_id, want.locks)
        )
    return runs | await _left_behind(services, rollout, runs), held


def _unusable(memory: ObjectMemory, rollout: Rollout, kit: ValueKit) -> str:
    """Expressions are compiled once for each generation of the object."""
    if memory.checked_generation != rollout.generation:
        found = (problem(migration, kit) for migration in rollout.spec.migrations)
        memory.unusable = next(filter(None, found), "")
        memory.checked_generation = rollout.generation
    return memory.unusable


async def _jobs(services: Services, rollout: Rollout, runs: Sequence[str]) -> dict[str, JobSeen | None]:
    reads = (
        jobs.read(services.cluster, rollout.namespace, job_name(rollout, run), rollout.uid, IGNORED) for run in runs
    )
    return dict(zip(runs, await asyncio.gather(*reads), strict=True))


async def _left_behind(services: Services, rollout: Rollout, runs: dict[str, RunSeen]) -> dict[str, RunSeen]:
    """Runs whose Job is gone while pods of it are not: somebody else removed it, or it went with its owner."""
    jobless = {run.id for run in runs.values() if run.exists and not run.complete and run.job is None}
    selector = label_selector(rollout.name)
    found = await jobs.left_behind(services.cluster, rollout.namespace, selector, jobless)
    return {run: replace(runs[run], job=job) for run, job in found.items()}


async def _runs(
    memory: ObjectMemory, rollout: Rollout, store: Store, made: dict[str, JobSeen | None]
) -> dict[str, RunSeen]:
    memory.progress = {run: each for run, each in memory.progress.items() if run in made and each.reads(store)}
    documents = await run_documents.RunStore(store, rollout.ledger_id).read([*made])
    seen = {run: RunSeen(run, job=job) for run, job in made.items()}
    known = {run: held for run, held in documents.items() if held is not None}
    progress = {run: memory.progress.setdefault(run, Progress(store, rollout.ledger_id, run)) for run in known}
    walked = await asyncio.gather(
        *(
            _plan_run(store, held, seen[run])
            if held.plan.kind is RunKind.PLAN
            else _run(progress[run], held, seen[run].job)
            for run, held in known.items()
        )
    )
    return seen | {run.id: run for run in walked}


async def _plan_run(store: Store, held: run_documents.RunDocument, seen: RunSeen) -> RunSeen:
    """A plan run has no journal: it is complete when its report is there."""
    ledger, run = held.plan.ledger, held.plan.id
    report, said = await asyncio.gather(
        read_report(store, ledger, run), read_said(store, [paths.failure(ledger, run, 0)])
    )
    state, complete = RunState(held.control.state), report is not None
    return replace(seen, exists=True, state=state, complete=complete, failure=said.failure, report=report)


async def _run(progress: Progress, held: run_documents.RunDocument, job: JobSeen | None) -> RunSeen:
    return run_seen(held.plan.id, held.control.state, await progress.update(), job)


def run_seen(run: str, state: RunState, done: RunProgress, job: JobSeen | None = None) -> RunSeen:
    """A run that has a journal, as decisions see it."""
    return RunSeen(
        run,
        exists=True,
        state=state,
        job=job,
        complete=done.complete,
        totals=done.totals,
        scanned=done.scanned,
        estimate=done.estimate,
        commit_latencies_ms=done.commit_latencies_ms,
        commit_times=done.commit_times,
        failure=done.said.failure,
        waiting=done.said.waiting,
        waiting_since=_instant(done.said.since),
        pressed=done.said.pressed,
        examples=done.examples,
        entries=done.entries,
        newest=_instant(done.newest),
    )


def _instant(time: Micros) -> datetime | None:
    return datetime.fromtimestamp(time / MICROS_PER_SECOND, UTC) if time else None


async def _config_maps(services: Services, rollout: Rollout, names: Sequence[str]) -> dict[str, ConfigMapSeen]:
    reads = (config_maps.read(services.cluster, rollout.namespace, name, rollout.name) for name in names)
    return dict(zip(names, await asyncio.gather(*reads), strict=True))


async def _stood_on(
    services: Services, rollout: Rollout, want: Wanted
) -> tuple[dict[str, EnvironmentSeen], dict[RolloutKey, RolloutSeen]]:
    return await asyncio.gather(
        read_environments(services, rollout, want.environments), read_rollouts(services, rollout, want.rollouts)
    )


async def read_environments(services: Services, rollout: Rollout, names: Sequence[str]) -> dict[str, EnvironmentSeen]:
    """The environments of the rollout's namespace, by name."""
    reads = (grounds.read(services.cluster, rollout.namespace, name) for name in names)
    return dict(zip(names, await asyncio.gather(*reads), strict=True))


async def _backups(rollout: Rollout, *, asked_for: bool) -> BackupsSeen | None:
    database, endpoint = rollout.spec.database, os.environ.get(ADMIN_ENDPOINT_VARIABLE) or None
    return await firestore_backups.look(database.project, database.name, endpoint) if asked_for else None


async def _plan_map(services: Services, rollout: Rollout, name: str) -> PlanMapSeen | None:
    return await plan_maps.read(services.cluster, rollout, name) if name else None


async def _locks(store: Store, ledger: str, groups: Sequence[str]) -> dict[str, LockSeen]:
    found = await asyncio.gather(*(locks.read(store, group) for group in groups))
    return {lock.group: _lock_seen(lock, ledger) for lock in found}


def _lock_seen(lock: locks.Lock, ledger: str) -> LockSeen:
    holder = lock.holder
    asked = (each for each in (holder, *lock.waiters) if each is not None and each.ledger == ledger)
    return LockSeen(
        mine=lock.held_by(ledger),
        holder=holder.name if holder else "",
        position=lock.position(ledger),
        since=next((each.since for each in asked), None),
    )
