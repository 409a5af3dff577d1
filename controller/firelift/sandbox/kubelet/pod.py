"""One pod on this node: from its binding to the removal of its object."""

import asyncio
import logging
import shutil
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from kubernetes.aio.client.exceptions import ApiException

from firelift.sandbox.kubelet.cluster import STRATEGIC_MERGE, UNREACHABLE, Json
from firelift.sandbox.kubelet.downward import pod_address
from firelift.sandbox.kubelet.node import Node
from firelift.sandbox.kubelet.payloads import Payloads
from firelift.sandbox.kubelet.references import PodConfigError, References
from firelift.sandbox.kubelet.runner import ContainerRunner
from firelift.sandbox.kubelet.status import pod_status, timestamp
from firelift.sandbox.kubelet.tokens import Tokens
from firelift.sandbox.kubelet.volumes import Volumes

_RETRY_SECONDS = 0.5
_VOLUME_SECONDS = 2.0  # how soon a changed ConfigMap reaches a mounted volume; a kubelet takes up to a minute
_DOUBTFUL = {HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT}  # gone, another of the same name, or changed at this moment

logger = logging.getLogger(__name__)


class PodRunner:
    """Runs a pod's containers, writes its status, and removes the object once it is deleted and its processes ended."""

    def __init__(self, node: Node, pod: Json) -> None:
        """Nothing is started yet."""
        metadata, spec = pod["metadata"], pod["spec"]
        self._node = node
        self._pod = pod
        self._dirty = asyncio.Event()
        self._uid = metadata["uid"]
        self._path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"
        self._directory = node.directory / "pods" / self._uid
        references = References(node.cluster, metadata["namespace"])
        payloads = Payloads(pod, references, Tokens(node.cluster, pod), node.allocatable)
        self._volumes = Volumes(pod, self._directory / "volumes", payloads)
        self._init = [self._container(each) for each in spec.get("initContainers", [])]
        self._main = [self._container(each) for each in spec["containers"]]
        self._started = timestamp()
        self._over = False
        self._written: Json = {}
        self._deleted = asyncio.Event()
        self._kill: asyncio.TimerHandle | None = None

    def _container(self, container: Json) -> ContainerRunner:
        return ContainerRunner(self._node, self._pod, container, self._volumes, self._dirty.set)

    async def run(self) -> None:
        """Run the pod to its end and report it."""
        helpers = [asyncio.create_task(self._write_changes())]
        self._dirty.set()
        try:
            if await self._publish_volumes():
                helpers.append(asyncio.create_task(self._refresh_volumes()))
                await self._run_containers()
        finally:
            for helper in helpers:
                helper.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)
            if self._kill is not None:
                self._kill.cancel()
        self._over = True
        await self._write_status()
        if self._deleted.is_set():
            await self._remove_object()
        await asyncio.to_thread(shutil.rmtree, self._directory, ignore_errors=True)

    def delete(self, grace_seconds: float) -> None:
        """Ask the containers to end, and kill them after the grace; a later call may shorten it."""
        if not self._deleted.is_set():
            self._deleted.set()
            for container in [*self._init, *self._main]:
                container.terminate()
        loop = asyncio.get_running_loop()
        due = loop.time() + grace_seconds
        if self._kill is None or due < self._kill.when():
            if self._kill is not None:
                self._kill.cancel()
            self._kill = loop.call_at(due, self._kill_all)

    def _kill_all(self) -> None:
        for container in [*self._init, *self._main]:
            container.kill()

    async def _run_containers(self) -> None:
        policy = self._pod["spec"].get("restartPolicy", "Always")
        for container in self._init:
            await container.run("Never" if policy == "Never" else "OnFailure")
            if container.state.exit_code != 0:
                return
        await asyncio.gather(*(container.run(policy) for container in self._main))

    async def _publish_volumes(self) -> bool:
        while not self._deleted.is_set():
            try:
                await self._volumes.publish()
            except (PodConfigError, ApiException, *UNREACHABLE) as error:
                for container in self._main:
                    container.state.state = {"waiting": {"reason": "ContainerCreating", "message": str(error)}}
                self._dirty.set()
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                return True
        return False

    async def _refresh_volumes(self) -> None:
        while True:
            await asyncio.sleep(_VOLUME_SECONDS)
            try:
                await self._volumes.publish()
            except (PodConfigError, ApiException, *UNREACHABLE) as error:
                logger.warning("volumes of pod %s were not refreshed: %s", self._path, error)

    async def _write_changes(self) -> None:
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            await self._write_status()

    async def _write_status(self) -> None:
        states = [each.state for each in self._init], [each.state for each in self._main]
        address = pod_address(self._pod)
        status = pod_status(*states, address=address, started=self._started, over=self._over, previous=self._written)
        if status == self._written:
            return
        body = {"metadata": {"uid": self._uid}, "status": status}
        path = f"{self._path}/status"
        await self._insist(lambda: self._node.cluster.patch(path, body, kind=STRATEGIC_MERGE))
        self._written = status

    async def _remove_object(self) -> None:
        options = {"gracePeriodSeconds": 0, "preconditions": {"uid": self._uid}}
        await self._insist(lambda: self._node.cluster.delete(self._path, options))

    async def _insist(self, write: Callable[[], Awaitable[Json]]) -> None:
        """Write until it is written or the pod is gone."""
        while True:
            try:
                await write()
            except (ApiException, *UNREACHABLE) as error:
                if await self._is_gone(error):
                    return
                logger.warning("a write of pod %s failed: %r; again in %g s", self._path, error, _RETRY_SECONDS)
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                return

    async def _is_gone(self, error: Exception) -> bool:
        if not isinstance(error, ApiException) or error.status not in _DOUBTFUL:
            return False
        try:
            found = await self._node.cluster.get(self._path)
        except (ApiException, *UNREACHABLE) as again:
            return isinstance(again, ApiException) and again.status == HTTPStatus.NOT_FOUND
        return bool(found["metadata"]["uid"] != self._uid)
