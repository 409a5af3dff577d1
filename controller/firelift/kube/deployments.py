"""How many replicas a Deployment has."""

from __future__ import annotations

from firelift.api.base import FIELD_MANAGER
from firelift.kube.client import Cluster
from firelift.kube.errors import NotFound


async def scale(cluster: Cluster, namespace: str, name: str, replicas: int) -> int:
    """Ask for so many; the number asked for before, which is `replicas` where there is no such Deployment.

    Raises:
        KubeError: the API server did not take it.
    """
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale"
    try:
        before = (await cluster.get(path))["spec"].get("replicas", 0)
        await cluster.merge(path, {"spec": {"replicas": replicas}}, manager=FIELD_MANAGER)
    except NotFound:
        return replicas
    return int(before)
