"""A run whose turn has come: it may have waited for its place while the world went on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeAlias

from firelift.environment import machine
from firelift.environment.state import Run
from firelift.kube import memories
from firelift.kube.environments import ENVIRONMENTS
from firelift.operator.ground import material as materials
from firelift.operator.ground.observe import observe
from firelift.operator.ground.services import Ground
from firelift.operator.memory import TurnMemory
from firelift.operator.wakeups import Key

ItsTurn: TypeAlias = Callable[[Run], Awaitable[str]]
"""Why a run is not to be begun any more; empty when it is. Raises `KubeError`."""


async def withdrawn(ground: Ground, key: Key, run: Run) -> str:
    """Decide once more on all that is true now: a spec, approval or rollout may have changed, or who leads.

    Raises:
        KubeError: the API server could not be asked.
    """
    cluster = ground.services.cluster
    seen = await ENVIRONMENTS.read(cluster, *key)
    if seen is None or seen.value is None:
        return "its object is gone, or nobody can read its spec any more"
    held = await memories.read(cluster, ground.memory(seen.value))
    if held.state is None or held.state.run is None or held.state.run.id != run.id:
        return "it is not what the memory says is to be done"
    environment = replace(seen.value, tenancy=await ground.services.tenancies.of(seen.namespace))
    material = await materials.gather(cluster, environment, ground.modules, ground.namespace)
    state = machine.idle(held.state)
    now = await observe(ground, TurnMemory(), seen, state, material)
    return machine.withdrawn(material.environment, held.state, now)
