"""What an object has left in the world that only its ledger knew: its Jobs are removed, its locks are given back."""

from __future__ import annotations

from firelift.kube import jobs
from firelift.kube.job_manifest import label_selector
from firelift.migration.ledger import locks
from firelift.migration.store import Store
from firelift.operator.services import Services
from firelift.rollout.observation import Rollout
from firelift.rollout.recent import touched


async def remove_jobs(services: Services, rollout: Rollout) -> bool:
    """Without a ledger workers end for want of a lease, and their Jobs would begin new ones for ever.

    It answers whether none is left; a Job goes behind all of its pods.
    """
    cluster, namespace = services.cluster, rollout.namespace
    names = sorted(await jobs.of_rollout(cluster, namespace, label_selector(rollout.name), rollout.uid))
    for name in names:
        await jobs.remove(cluster, namespace, name, rollout.uid)
    return not names


async def give_locks_back(services: Services, rollout: Rollout, store: Store) -> None:
    """Of every collection group that the spec names, the locks that this ledger holds or awaits.

    Raises:
        LostRace, StoreError: it is tried again by the next turn.
    """
    for group in sorted(touched(rollout.spec)):
        services.lease.check()
        await locks.release(store, group, rollout.ledger_id)
