"""One read of everything that the next decision about an environment looks at."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from firelift.api.base import GROUP, VERSION
from firelift.api.rollout import PLURAL as ROLLOUTS
from firelift.api.rollout import DatabaseRef
from firelift.environment.machine import wanted
from firelift.environment.neighbours import Neighbour, elder
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
from firelift.environment.tenancy import barred
from firelift.infra.terraform.backend import KubernetesBackend
from firelift.infra.terraform.workspace import backend_block, left_at
from firelift.kube.client import Cluster
from firelift.kube.environments import EnvironmentObject, in_buckets
from firelift.kube.errors import NotFound, Refused
from firelift.operator.ground import fields, readiness, status
from firelift.operator.ground.bundles import Bundles
from firelift.operator.ground.material import Material, backend_of
from firelift.operator.ground.services import Ground
from firelift.operator.ground.users import user
from firelift.operator.memory import TurnMemory
from firelift.operator.wakeups import Key

FIELD_SECONDS = 10.0
_FORBIDDEN = 403


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
        ground.operators.seen(state),
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
        unwritten=_unwritten(ground, environment),
        elder=await _elder(ground, environment),
        conditions=status.conditions(seen.status),
        problems=memory.problems,
    )
    asked = wanted(environment, state, first).fields if barred(environment) is None else ()
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


async def _ground(environment: Environment) -> GroundSeen | None:
    """Nothing is looked at that the namespace may not touch."""
    if barred(environment) is not None:
        return None
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
    except Refused as error:
        if error.status != _FORBIDDEN:
            raise
    # What may not be looked at may be there.
    return True


def _unwritten(ground: Ground, environment: Environment) -> str:
    own = backend_of(environment, ground.namespace).block()
    for state in ground.unwritten:
        if state.is_file() and backend_block(state) == own:
            return left_at(state)
    return ""


async def _elder(ground: Ground, environment: Environment) -> Neighbour | None:
    """Only in a bucket two can have one place; elsewhere it has the name of the object."""
    if environment.spec.terraform.backend.gcs is None:
        return None
    services = ground.services
    return elder(environment.uid, await in_buckets(services.cluster, services.settings.watched_namespaces))


async def _fields(
    ground: Ground, environment: Environment, asked: tuple[FieldWanted, ...]
) -> dict[FieldWanted, FieldSeen]:
    ref = DatabaseRef(project=environment.spec.project.id, name=environment.spec.database.name)
    store, now = ground.services.databases.store(ref), ground.services.now()
    found = await asyncio.gather(*(fields.look(store, each, now, seconds=FIELD_SECONDS) for each in asked))
    return dict(zip(asked, found, strict=True))


async def _rollouts(cluster: Cluster, environment: Environment) -> tuple[RolloutSeen, ...]:
    listed = await cluster.get(f"/apis/{GROUP}/{VERSION}/namespaces/{environment.namespace}/{ROLLOUTS}")
    seen = (user(item, environment.name) for item in listed["items"])
    return tuple(each for each in seen if each is not None)
