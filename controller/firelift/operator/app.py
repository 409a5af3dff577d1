"""The life of the process: health from the first moment, leadership before any work, an end at its loss."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus

import structlog

from firelift.api.environment import KIND as ENVIRONMENT
from firelift.api.rollout import KIND as ROLLOUT
from firelift.kube import tenancies
from firelift.kube.approvals import of_namespace
from firelift.kube.client import Cluster
from firelift.kube.errors import KubeError
from firelift.kube.identity import cluster_uid
from firelift.kube.installed import missing_kinds
from firelift.kube.lease import LeadershipLost, Lease, boot_seconds
from firelift.metrics.cloud_monitoring import CloudMonitoring
from firelift.operator.approval_lists import ApprovalLists
from firelift.operator.databases import Databases
from firelift.operator.ground.life import Grounds
from firelift.operator.health import Answer, HealthServer, healthy
from firelift.operator.page.live import Live
from firelift.operator.page.server import PageServer
from firelift.operator.pulse import Pulse
from firelift.operator.reconcile import Reconciler
from firelift.operator.services import Services
from firelift.operator.settings import Settings
from firelift.operator.telemetry.logs import logger
from firelift.operator.telemetry.metrics import Metrics
from firelift.operator.tenancies import Tenancies
from firelift.operator.wakeups import Key, Loops
from firelift.operator.watching import WATCHED, Poke, Pokes, Watcher

EXIT_LEADERSHIP_LOST = 75
"""EX_TEMPFAIL of sysexits.h: another process leads now, or will."""

_BEAT_SECONDS = 1.0
_SILENCE_SECONDS = 30.0
_INSTALL_SECONDS = 2.0


class Operator:
    """One operator process, from its start to its end."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._pulse = Pulse()
        self._live = Live() if settings.page_port else None
        listeners = [partial(self._live.hear, kind) for kind in ("rollout", "environment")] if self._live else []
        self._metrics = Metrics(*listeners)
        self._log: structlog.stdlib.BoundLogger = logger().bind(identity=settings.identity)
        self._stopping = asyncio.Event()
        self._missing: list[str] = []
        self._cluster_id = ""

    async def run(self) -> None:
        """Stand by, lead, end at SIGTERM or SIGINT. The loss of leadership ends the process on the spot."""
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._stopping.set)
        self._beat()
        self._metrics.tasks.labels("turns").set_function(partial(_tasks, asyncio.get_running_loop()))
        async with self._connected() as (cluster, lease):
            servers: list[HealthServer | PageServer] = [self._health(lease), *self._page(lease)]
            for server in servers:
                server.start()
            self._log.info("standing by", ports=[server.port for server in servers])
            try:
                await self._lead(cluster, lease)
            except LeadershipLost as error:
                self._log.error("leadership lost", error=str(error))
                os._exit(EXIT_LEADERSHIP_LOST)
            finally:
                for server in servers:
                    server.stop()

    async def _lead(self, cluster: Cluster, lease: Lease) -> None:
        if not await self._before_stop(self._prepared(cluster)) or not await self._before_stop(lease.acquire()):
            return
        self._metrics.leader.set(1)
        self._log.info("leading", epoch=lease.epoch)
        async with self._services(cluster, lease) as services:
            await self._work(services)
        await lease.release()
        self._log.info("stopped")

    async def _prepared(self, cluster: Cluster) -> None:
        """Wait until the cluster has said what a leader must know. Who waits here keeps nobody from leading."""
        while True:
            try:
                if await self._installed(cluster):
                    self._cluster_id = self._settings.cluster_id or await cluster_uid(cluster)
                    return
            except KubeError as error:
                self._log.warning("waiting for the API server", error=str(error))
            await asyncio.sleep(_INSTALL_SECONDS)

    async def _installed(self, cluster: Cluster) -> bool:
        """Whether the custom resources are there: kopf looks for them once, and then watches nothing for ever."""
        self._missing = await missing_kinds(cluster, WATCHED)
        if self._missing:
            self._log.warning("waiting for custom resources", missing=self._missing)
        return not self._missing

    async def _work(self, services: Services) -> None:
        """Watch and reconcile until somebody asks to stop, or one of the parts ends."""
        grounds = Grounds(services, self._pulse)
        rollouts, stood_on = self._rollouts(services)

        def decided(poke: Poke) -> Poke:
            def heard(key: Key) -> None:
                services.approvals.changed(key.namespace)
                poke(key)

            return heard

        changed = {ROLLOUT: rollouts.poke, ENVIRONMENT: grounds.loops.poke}
        pokes = Pokes(changed, {kind: decided(poke) for kind, poke in changed.items()}, stood_on)
        watcher = Watcher(pokes, self._pulse, self._settings.watched_namespaces)
        keeping = asyncio.create_task(services.lease.keep(), name="lease")
        stopping = asyncio.create_task(self._stopped(), name="stop")
        watcher.start()
        self._metrics.tasks.labels("watching").set_function(lambda: _tasks(watcher.loop))
        parts: set[asyncio.Future[None]] = {keeping, watcher.ended, rollouts.failed, grounds.loops.failed, stopping}
        ended, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
        for part in ended:
            part.result()
        await watcher.stop()
        await rollouts.stop()
        await grounds.stop()
        keeping.cancel()
        stopping.cancel()
        if not self._stopping.is_set():
            raise RuntimeError("watching has ended by itself; the process ends, to be started anew")

    def _rollouts(self, services: Services) -> tuple[Loops, dict[str, Poke]]:
        """The tasks of all rollouts, and who wakes those that stand on an object of each kind."""

        def poke(key: Key) -> None:
            loops.poke(key)

        def stood_on(environment: Key) -> None:
            for key in reconciler.standing_on(environment):
                loops.poke(key)

        def rested_on(rollout: Key) -> None:
            for key in reconciler.resting_on(rollout):
                loops.poke(key)

        reconciler = Reconciler(services, poke)
        loops = Loops(reconciler.turn, self._pulse, longest_turn_seconds=self._settings.turn_timeout_seconds)
        return loops, {ENVIRONMENT: stood_on, ROLLOUT: rested_on}

    async def _before_stop(self, waiting: Coroutine[None, None, None]) -> bool:
        """Wait for it; False when the process is asked to stop first."""
        wait, stop = asyncio.create_task(waiting), asyncio.create_task(self._stopped())
        done, pending = await asyncio.wait({wait, stop}, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        if wait in done:
            wait.result()
        return wait in done

    async def _stopped(self) -> None:
        await self._stopping.wait()

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[tuple[Cluster, Lease]]:
        settings = self._settings
        count = self._metrics.requests
        cluster = await Cluster.connect(timeout_seconds=settings.request_timeout_seconds, count=count)
        # Its own connection and a shorter deadline: one slow answer must not cost the leadership.
        elections = await Cluster.connect(timeout_seconds=settings.lease.safe_seconds / 3, count=count)
        try:
            yield cluster, Lease(elections, settings.lease)
        finally:
            await cluster.close()
            await elections.close()

    @asynccontextmanager
    async def _services(self, cluster: Cluster, lease: Lease) -> AsyncIterator[Services]:
        settings = self._settings
        databases = Databases(lease.check, timeout_seconds=settings.database_timeout_seconds)
        monitoring = CloudMonitoring.from_environment()
        permitted = cluster.permitted_by(lease.check)
        try:
            yield Services(
                settings=settings,
                cluster=permitted,
                approvals=ApprovalLists(partial(of_namespace, permitted)),
                tenancies=self._tenancies(permitted),
                cluster_id=self._cluster_id,
                lease=lease,
                databases=databases,
                monitoring=monitoring,
                metrics=self._metrics,
                log=self._log,
            )
        finally:
            await monitoring.close()
            await databases.close()

    def _tenancies(self, cluster: Cluster) -> Tenancies:
        settings = self._settings
        read = partial(tenancies.read, cluster, required=settings.tenancy_required)
        return Tenancies(read, settings.tenancy_seconds)

    def _health(self, lease: Lease) -> HealthServer:
        def ready() -> Answer:
            silence = boot_seconds() - lease.last_look
            if lease.held:
                return HTTPStatus.OK, "leading"
            if missing := ", ".join(self._missing):
                return HTTPStatus.SERVICE_UNAVAILABLE, f"the custom resources {missing} are not installed: apply crds/"
            if silence < 2 * self._settings.lease_duration_seconds:
                return HTTPStatus.OK, "standing by"
            return HTTPStatus.SERVICE_UNAVAILABLE, f"the Lease could not be read for {silence:.0f} s"

        return HealthServer(
            self._settings.health_host,
            self._settings.health_port,
            healthy=lambda: healthy(self._pulse.overdue()),
            ready=ready,
            metrics=self._metrics.registry,
        )

    def _page(self, lease: Lease) -> list[PageServer]:
        if self._live is None:
            return []
        return [PageServer(self._settings.page_host, self._settings.page_port, self._live, lambda: lease.held)]

    def _beat(self) -> None:
        self._pulse.expect("event loop", within_seconds=_SILENCE_SECONDS)
        asyncio.get_running_loop().call_later(_BEAT_SECONDS, self._beat)


def _tasks(loop: asyncio.AbstractEventLoop | None) -> int:
    return len(asyncio.all_tasks(loop)) if loop is not None else 0
