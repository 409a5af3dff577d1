"""The node as the cluster sees it: its Node object, its heartbeat and what its pods share."""

import asyncio
import datetime as dt
import logging
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

from kubernetes.aio.client.exceptions import ApiException

from firelift.sandbox.kubelet.cluster import MERGE, STRATEGIC_MERGE, UNREACHABLE, Cluster, Json
from firelift.sandbox.kubelet.downward import ADDRESS
from firelift.sandbox.kubelet.status import timestamp

NODE_NAME = "sandbox"
HEARTBEAT_SECONDS = 10.0  # the kubelet's own nodeLeaseRenewInterval for a lease of 40 s
_LEASE_SECONDS = 40
_MOST_PODS = 110  # the kubelet's default
_LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Node:
    """What every pod of this node needs: the API, a folder, what the node has, variables that it gives to all."""

    cluster: Cluster
    server: str
    directory: Path
    allocatable: Mapping[str, str]
    pod_environment: Mapping[str, str]
    open_logs: set[Path] = field(default_factory=set)  # those that a running container still writes


def machine_resources() -> dict[str, str]:
    """Return the machine's CPUs and memory as quantities."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"cpu": str(os.cpu_count() or 1), "memory": f"{memory // 1024}Ki", "pods": str(_MOST_PODS)}


async def register(node: Node, kubelet_port: int) -> None:
    """Create or adopt the Node object and say that it is ready."""
    metadata = {"name": NODE_NAME, "labels": {"kubernetes.io/hostname": NODE_NAME, "kubernetes.io/os": "linux"}}
    try:
        await node.cluster.create("/api/v1/nodes", {"apiVersion": "v1", "kind": "Node", "metadata": metadata})
    except ApiException as error:
        if error.status != HTTPStatus.CONFLICT:
            raise
    # No node-lifecycle controller runs that would take back the taint with which every Node starts.
    await node.cluster.patch(f"/api/v1/nodes/{NODE_NAME}", {"spec": {"taints": None}}, kind=MERGE)
    status = {
        "addresses": [{"type": "InternalIP", "address": ADDRESS}, {"type": "Hostname", "address": NODE_NAME}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": kubelet_port}},
        "capacity": dict(node.allocatable),
        "allocatable": dict(node.allocatable),
        "nodeInfo": _node_info(),
        "conditions": [_ready_condition()],
    }
    await node.cluster.patch(f"/api/v1/nodes/{NODE_NAME}/status", {"status": status}, kind=STRATEGIC_MERGE)
    await _renew_lease(node.cluster)


async def heartbeat(cluster: Cluster) -> None:
    """Renew the node's Lease and its Ready condition for ever; an API server that is away is asked again."""
    while True:
        await asyncio.sleep(HEARTBEAT_SECONDS)
        try:
            await _renew_lease(cluster)
            status = {"status": {"conditions": [{"type": "Ready", "lastHeartbeatTime": timestamp()}]}}
            await cluster.patch(f"/api/v1/nodes/{NODE_NAME}/status", status, kind=STRATEGIC_MERGE)
        except (ApiException, *UNREACHABLE) as error:
            logger.warning("heartbeat of node %s failed: %s; again in %g s", NODE_NAME, error, HEARTBEAT_SECONDS)


async def _renew_lease(cluster: Cluster) -> None:
    now = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    spec = {"holderIdentity": NODE_NAME, "leaseDurationSeconds": _LEASE_SECONDS, "renewTime": now}
    try:
        await cluster.patch(f"{_LEASES}/{NODE_NAME}", {"spec": spec}, kind=MERGE)
    except ApiException as error:
        if error.status != HTTPStatus.NOT_FOUND:
            raise
        lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": NODE_NAME}}
        await cluster.create(_LEASES, {**lease, "spec": spec})


def _ready_condition() -> Json:
    now = timestamp()
    return {
        "type": "Ready",
        "status": "True",
        "reason": "KubeletReady",
        "message": "the process kubelet is running",
        "lastHeartbeatTime": now,
        "lastTransitionTime": now,
    }


def _node_info() -> dict[str, str]:
    return {
        "architecture": {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine()),
        "operatingSystem": "linux",
        "kernelVersion": platform.release(),
        "osImage": platform.platform(),
        "containerRuntimeVersion": "process://1",
        "kubeletVersion": "v1.36.3-sandbox",
        "kubeProxyVersion": "",
        "machineID": NODE_NAME,
        "systemUUID": NODE_NAME,
        "bootID": NODE_NAME,
    }
