"""Follows the cluster's pods: binds the unbound, runs those of this node, and fails those of an earlier life."""

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import aclosing
from http import HTTPStatus
from typing import Any

from kubernetes.aio.client.exceptions import ApiException

from firelift.sandbox.kubelet.cluster import STRATEGIC_MERGE, UNREACHABLE, Json
from firelift.sandbox.kubelet.node import NODE_NAME, Node
from firelift.sandbox.kubelet.pod import PodRunner
from firelift.sandbox.kubelet.status import timestamp

_PODS = "/api/v1/pods"
_FINAL = {"Succeeded", "Failed"}
_RETRY_SECONDS = 0.5
_ALREADY = {HTTPStatus.CONFLICT, HTTPStatus.NOT_FOUND}  # bound or gone meanwhile
_KILLED_CODE = 137  # 128 + SIGKILL

logger = logging.getLogger(__name__)


class Agent:
    """Owner of the pods' runners."""

    def __init__(self, node: Node) -> None:
        """Know no pod yet."""
        self._node = node
        self._runners: dict[str, PodRunner] = {}
        self._seen: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Follow the pods for ever; a watch that ends or fails begins anew with a list."""
        await self._fail_orphans()
        while True:
            try:
                await self._list_and_watch()
            except (ApiException, *UNREACHABLE) as error:
                logger.warning("the watch of pods ended: %r; again in %g s", error, _RETRY_SECONDS)
                await asyncio.sleep(_RETRY_SECONDS)

    async def stop(self) -> None:
        """Stop driving pods; the processes are the caller's to kill."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _list_and_watch(self) -> None:
        listed = await self._node.cluster.get(_PODS)
        present = {pod["metadata"]["uid"] for pod in listed["items"]}
        for uid in self._runners.keys() - present:
            self._runners[uid].delete(0)
        self._seen &= present
        for pod in listed["items"]:
            self._observe(pod)
        async with aclosing(self._node.cluster.watch(_PODS, listed["metadata"]["resourceVersion"])) as events:
            async for kind, pod in events:
                if kind == "ERROR":  # the version is too old: list again
                    return
                if kind == "DELETED":
                    self._forget(pod["metadata"]["uid"])
                else:
                    self._observe(pod)

    def _observe(self, pod: Json) -> None:
        metadata, spec = pod["metadata"], pod["spec"]
        uid = metadata["uid"]
        if spec.get("nodeName") == NODE_NAME and pod.get("status", {}).get("phase") not in _FINAL:
            self._start(uid, pod)
        if "deletionTimestamp" in metadata:
            self._end(uid, pod)
        if not spec.get("nodeName") and "deletionTimestamp" not in metadata and not spec.get("schedulingGates"):
            self._spawn(self._bind(pod))

    def _start(self, uid: str, pod: Json) -> None:
        if uid not in self._seen:  # an event may be older than what its runner has done
            self._seen.add(uid)
            self._runners[uid] = PodRunner(self._node, pod)
            self._spawn(self._run(uid))

    def _end(self, uid: str, pod: Json) -> None:
        if runner := self._runners.get(uid):
            runner.delete(pod["metadata"].get("deletionGracePeriodSeconds", 0))
        elif pod["spec"].get("nodeName") == NODE_NAME and pod.get("status", {}).get("phase") in _FINAL:
            self._spawn(self._remove(pod))  # its runner was an earlier kubelet's

    def _forget(self, uid: str) -> None:
        self._seen.discard(uid)
        if runner := self._runners.get(uid):
            runner.delete(0)

    async def _run(self, uid: str) -> None:
        try:
            await self._runners[uid].run()
        finally:
            del self._runners[uid]

    async def _bind(self, pod: Json) -> None:
        metadata = pod["metadata"]
        binding = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": metadata["name"], "uid": metadata["uid"]},
            "target": {"apiVersion": "v1", "kind": "Node", "name": NODE_NAME},
        }
        try:
            await self._node.cluster.create(f"{_path(pod)}/binding", binding)
        except ApiException as error:
            if error.status not in _ALREADY:
                raise

    async def _remove(self, pod: Json) -> None:
        options = {"gracePeriodSeconds": 0, "preconditions": {"uid": pod["metadata"]["uid"]}}
        try:
            await self._node.cluster.delete(_path(pod), options)
        except ApiException as error:
            if error.status not in _ALREADY:
                raise

    async def _fail_orphans(self) -> None:
        listed = await self._node.cluster.get(_PODS, fieldSelector=f"spec.nodeName={NODE_NAME}")
        for pod in listed["items"]:
            status = pod.get("status", {})
            if status.get("phase") not in _FINAL and "startTime" in status:
                logger.warning("pod %s is of an earlier life of this kubelet: Failed", _path(pod))
                await self._node.cluster.patch(f"{_path(pod)}/status", {"status": _lost(pod)}, kind=STRATEGIC_MERGE)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            logger.error("a pod's task failed", exc_info=error)


def _path(pod: Json) -> str:
    return f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}"


def _lost(pod: Json) -> Json:
    """Return the status of a pod whose processes ended unseen, with the reason and code that a kubelet uses."""
    ended = {"exitCode": _KILLED_CODE, "reason": "ContainerStatusUnknown", "finishedAt": timestamp()}
    containers = [
        each | {"ready": False, "started": False, "state": {"terminated": ended}}
        for each in pod["status"].get("containerStatuses", [])
    ]
    message = "the kubelet was restarted, and the pod's processes ended with it"
    return {"phase": "Failed", "reason": "NodeRestart", "message": message, "containerStatuses": containers}
