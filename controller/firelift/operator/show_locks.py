"""Showing with Leases what a rollout holds: what on-call sees with `kubectl get leases`, and nothing waits for."""

from __future__ import annotations

from collections.abc import Mapping

from firelift.kube import lock_leases
from firelift.kube.errors import KubeError
from firelift.kube.lock_leases import HeldLock
from firelift.operator.memory import ObjectMemory
from firelift.operator.services import Services
from firelift.rollout.observation import LockSeen, Rollout


async def show_locks(services: Services, memory: ObjectMemory, rollout: Rollout, locks: Mapping[str, LockSeen]) -> None:
    """Make the Leases agree with the locks as this turn has read them; a failure is logged and tried next turn."""
    held = {lock.name: lock for lock in _held(rollout, locks)}
    if memory.lock_leases == held.keys():
        return
    try:
        await _agree(services, f"{rollout.namespace}/{rollout.name}", held)
    except KubeError as error:
        services.log.warning("locks not shown as Leases", error=str(error))
    else:
        memory.lock_leases = frozenset(held)


async def _agree(services: Services, holder: str, held: Mapping[str, HeldLock]) -> None:
    cluster, namespace = services.cluster, services.settings.lease_namespace
    for name in sorted(await lock_leases.shown(cluster, namespace, holder) - held.keys()):
        await lock_leases.take_down(cluster, namespace, name, holder)
    for lock in held.values():
        await lock_leases.show(cluster, namespace, lock)


def _held(rollout: Rollout, locks: Mapping[str, LockSeen]) -> list[HeldLock]:
    holder = f"{rollout.namespace}/{rollout.name}"
    return [
        HeldLock(rollout.spec.database, group, holder, lock.since)
        for group, lock in locks.items()
        if lock.mine and lock.since is not None
    ]
