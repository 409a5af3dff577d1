"""`python -m firelift.operator.leave`: what happens before the operator is uninstalled.

The operator is stopped and its Lease taken, then all that works is told to hold, and no object waits for a finalizer
that nobody would take off any more. The next operator goes on from the ledgers.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Sequence

from firelift.kube.client import Cluster
from firelift.kube.deployments import scale
from firelift.kube.environments import ENVIRONMENTS
from firelift.kube.errors import KubeError
from firelift.kube.lease import LeadershipLost, Lease
from firelift.kube.objects import CustomObject, Parsed
from firelift.kube.rollouts import ROLLOUTS
from firelift.operator.databases import Databases
from firelift.operator.leaving import Leaving, StillDeleting, objects
from firelift.operator.settings import Settings
from firelift.operator.telemetry.logs import configure_logging, logger


class Interrupted(Exception):
    """There was not enough time."""


async def leave(settings: Settings) -> None:
    """Hold everything and let go of everything.

    Raises:
        StillDeleting: an object is being deleted; nothing was changed.
        KubeError, LeadershipLost: it could not be finished; the operator is started again.
    """
    cluster = await Cluster.connect(timeout_seconds=settings.request_timeout_seconds)
    elections = await Cluster.connect(timeout_seconds=settings.lease.safe_seconds / 3)
    try:
        await _refuse_deletions(cluster, settings)
        before = await scale(cluster, settings.lease_namespace, settings.deployment, 0)
        try:
            await _let_go_of_all(cluster, Lease(elections, settings.lease), settings)
        except BaseException:
            await scale(cluster, settings.lease_namespace, settings.deployment, before)
            raise
    finally:
        await cluster.close()
        await elections.close()


async def _refuse_deletions(cluster: Cluster, settings: Settings) -> None:
    """A deletion may have a revert to finish, which would be lost with its finalizer."""
    namespaces = settings.watched_namespaces
    found = [
        *_deleting(ROLLOUTS.kind, await objects(cluster, ROLLOUTS, namespaces)),
        *_deleting(ENVIRONMENTS.kind, await objects(cluster, ENVIRONMENTS, namespaces)),
    ]
    if found:
        raise StillDeleting(", ".join(found))


def _deleting(kind: str, found: Sequence[CustomObject[Parsed]]) -> list[str]:
    return [f"{kind} {each.namespace}/{each.name}" for each in found if each.deleting and each.held]


async def _let_go_of_all(cluster: Cluster, lease: Lease, settings: Settings) -> None:
    await lease.acquire()
    keeping = asyncio.create_task(lease.keep(), name="lease")
    databases = Databases(lease.check, timeout_seconds=settings.database_timeout_seconds)
    leaving = Leaving(cluster.permitted_by(lease.check), databases, lease.epoch, settings, logger())
    try:
        for rollout in await objects(cluster, ROLLOUTS, settings.watched_namespaces):
            await leaving.rollout(rollout)
        for environment in await objects(cluster, ENVIRONMENTS, settings.watched_namespaces):
            await leaving.environment(environment)
    finally:
        keeping.cancel()
        await databases.close()
        await lease.release()


async def _until_told_to_end(settings: Settings) -> None:
    """The kubelet's SIGTERM comes when the Job's deadline is over: what was begun is taken back."""
    leaving = asyncio.create_task(leave(settings))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, leaving.cancel)
    try:
        await leaving
    except asyncio.CancelledError:
        raise Interrupted("told to end before it was done; the operator is started again") from None


def main() -> None:
    """Leave, or say in one sentence why not."""
    settings = Settings()
    configure_logging(settings.log_format)
    try:
        asyncio.run(_until_told_to_end(settings))
    except (StillDeleting, Interrupted, KubeError, LeadershipLost) as error:
        logger().error("cannot leave", error=str(error))
        sys.exit(1)


if __name__ == "__main__":
    main()
