"""The deletion of an object whose spec nobody can read: nothing of it is ever destroyed, and it can still be let go."""

from __future__ import annotations

from collections.abc import Mapping

from firelift.api.environment.terraform import EnvironmentDeletion
from firelift.environment.destroying import way_out
from firelift.environment.state import EnvironmentState
from firelift.kube import memories
from firelift.kube.environments import ENVIRONMENTS, EnvironmentObject
from firelift.operator.ground.services import Ground
from firelift.operator.wakeups import Key


async def possible(ground: Ground, key: Key, seen: EnvironmentObject) -> bool:
    """Whether what it has made is to stay, and nothing is at work on that any more."""
    if _policy(seen) != EnvironmentDeletion.RETAIN:
        return False
    held = await memories.read(ground.services.cluster, ground.memory(seen))
    return held.state is None or not await _at_work(ground, key, held.state)


async def bid(ground: Ground, seen: EnvironmentObject) -> None:
    """Forget it and let it go; its state and what was applied last stay, for an object of the same name."""
    await ground.bundles(seen).drop(applied_too=False)
    await memories.forget(ground.services.cluster, ground.memory(seen))
    await ENVIRONMENTS.let_go(ground.services.cluster, seen)


def sentence(seen: EnvironmentObject) -> str:
    """What is wrong with the spec, and the ways out of it."""
    nothing = f"{seen.invalid}; nothing is done until the manifest is corrected"
    if not seen.deleting:
        return nothing
    if _policy(seen) == EnvironmentDeletion.RETAIN:
        return f"{seen.invalid}; it is let go as soon as the run at work has ended, and nothing is destroyed"
    return f"{nothing}; {way_out(seen.namespace, seen.name)}"


async def _at_work(ground: Ground, key: Key, state: EnvironmentState) -> bool:
    run = state.run
    if run is None:
        return False
    operator = await ground.operators.seen(state)
    if run.by == operator.id:
        return ground.runs.seen(key, run.id).running
    # Nobody could ever say that one has ended of which nothing is seen, and it is to destroy nothing.
    return run.by in operator.alive - operator.unseen


def _policy(seen: EnvironmentObject) -> object:
    terraform = seen.spec.get("terraform")
    given = terraform.get("deletionPolicy") if isinstance(terraform, Mapping) else None
    return EnvironmentDeletion.RETAIN if given is None else given
