"""One read of everything that the next decision about an environment looks at."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from firelift.api.base import GROUP, VERSION
from firelift.api.conditions import Reason
from firelift.api.rollout import PLURAL as ROLLOUTS
from firelift.api.rollout import DatabaseRef
from firelift.environment.machine import wanted
from firelift.environment.observation import (
    Applied,
    Environment,
    FieldSeen,
    FieldWanted,
    GroundSeen,
    Observation,
    RolloutSeen,
    RunSeen,
)
from firelift.environment.state import EnvironmentState, Run, RunKind
from firelift.infra.terraform.backend import KubernetesBackend
from firelift.kube.client import Cluster, Json
from firelift.kube.environments import EnvironmentObject
from firelift.kube.errors import NotFound
from firelift.operator.ground import fields, operators, readiness, status
from firelift.operator.ground.bundles import Bundles
from firelift.operator.ground.material import Material, backend_of
from firelift.operator.ground.services import Ground
from firelift.operator.memory import TurnMemory
from firelift.operator.wakeups import Key

FIELD_SECONDS = 10.0


async def observe(
    ground: Ground, memory: TurnMemory, seen: EnvironmentObject, state: EnvironmentState, material: Material
) -> Observation:
    """Read it, all at once.

    Raises:
        KubeError: the API server could not be read; each of its calls has a deadline of its own.
    """
    services, environment = ground.services, material.environment
    now, bundles = services.now(), ground.bundles(environment)
    operator, approvals, rollouts, run, said, made = await asyncio.gather(
        operators.seen(services.cluster, ground.claim, ground.namespace, state, ground.started),
        services.approvals.of_environment(environment.namespace, environment.name),
        _rollouts(services.cluster, environment),
        _run(ground, bundles, Key(environment.namespace, environment.name), state.run),
        _ground(environment),
        _made(ground, bundles, environment),
    )
    first = Observation(
        now=now,
        operator=operator,
        inputs=material.inputs,
        run=run,
        ground=said,
        rollouts=rollouts,
        approvals=approvals,
        made=made,
        conditions=status.conditions(seen.status),
        problems=memory.problems,
    )
    asked = wanted(environment, state, first).fields
    return replace(first, fields=await _fields(ground, environment, asked)) if asked else first


async def _run(ground: Ground, bundles: Bundles, key: Key, run: Run | None) -> RunSeen | None:
    """The run at work, or what it left where its operator went before it could tell."""
    if run is None:
        return None
    seen = ground.runs.seen(key, run.id)
    if seen.running or seen.outcome is not None:
        return seen
    if run.kind is RunKind.PLAN:
        plan = await bundles.plan(run.id, run.started)
        return RunSeen(run.id, outcome=plan.planned) if plan is not None else seen
    if run.kind is RunKind.APPLY:
        applied = await bundles.applied(run)
        if applied is not None and applied.serial is not None:
            return RunSeen(run.id, outcome=Applied(applied.lineage, applied.serial))
    return seen


async def _ground(environment: Environment) -> GroundSeen:
    return await readiness.seen(environment.spec.project.id, environment.spec.database.name)


async def _made(ground: Ground, bundles: Bundles, environment: Environment) -> bool:
    """Only a deletion asks."""
    if not environment.deleting:
        return False
    if await bundles.applied() is not None:
        return True
    backend = backend_of(environment, ground.namespace)
    if not isinstance(backend, KubernetesBackend):
        return False
    try:
        await ground.services.cluster.get(f"/api/v1/namespaces/{backend.namespace}/secrets/{backend.secret_name}")
    except NotFound:
        return False
    return True


async def _fields(
    ground: Ground, environment: Environment, asked: tuple[FieldWanted, ...]
) -> dict[FieldWanted, FieldSeen]:
    ref = DatabaseRef(project=environment.spec.project.id, name=environment.spec.database.name)
    store, now = ground.services.databases.store(ref), ground.services.now()
    found = await asyncio.gather(*(fields.look(store, each, now, seconds=FIELD_SECONDS) for each in asked))
    return dict(zip(asked, found, strict=True))


_WAITING = {Reason.WAITING_FOR_ENVIRONMENT, Reason.WAITING_FOR_BACKUP}
"""What an apply may bring: the ground itself, or a schedule of backups. Nothing is written meanwhile."""


async def _rollouts(cluster: Cluster, environment: Environment) -> tuple[RolloutSeen, ...]:
    listed = await cluster.get(f"/apis/{GROUP}/{VERSION}/namespaces/{environment.namespace}/{ROLLOUTS}")
    return tuple(rollout_seen(item) for item in listed["items"] if _requires(item, environment.name))


def _requires(item: Json, name: str) -> bool:
    required = item["spec"].get("requires") or {}
    return bool((required.get("environment") or {}).get("name") == name)


def rollout_seen(item: Json) -> RolloutSeen:
    """What a rollout's document says of its work."""
    status = item.get("status") or {}
    conditions = {each["type"]: each["status"] for each in status.get("conditions", ())}
    started = status.get("phase", "") in status.get("startedPhases", ())
    working = started and conditions.get("Reconciling") == "True" and status.get("reason") not in _WAITING
    return RolloutSeen(item["metadata"]["name"], working=working)
