"""Which cluster this is."""

from __future__ import annotations

from firelift.kube.client import Cluster


async def cluster_uid(cluster: Cluster) -> str:
    """The UID of the namespace `kube-system`: the nearest thing to a cluster's own identity."""
    uid: str = (await cluster.get("/api/v1/namespaces/kube-system"))["metadata"]["uid"]
    return uid
