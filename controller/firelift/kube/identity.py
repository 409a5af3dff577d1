"""Which cluster this is, and who we are in it."""

from __future__ import annotations

from kubernetes.aio import client, config

from firelift.kube.client import Cluster


async def cluster_uid(cluster: Cluster) -> str:
    """The UID of the namespace `kube-system`: the nearest thing to a cluster's own identity."""
    uid: str = (await cluster.get("/api/v1/namespaces/kube-system"))["metadata"]["uid"]
    return uid


async def kubeconfig_token(kubeconfig: str) -> str | None:
    """The bearer token that a kubeconfig stands for, whether it is in it, in a file, or printed by a plugin."""
    configuration = client.Configuration()
    await config.load_kube_config(  # type: ignore[no-untyped-call] # the official client is typed only in part
        kubeconfig, client_configuration=configuration, persist_config=False
    )
    token: str = configuration.api_key.get("BearerToken", "")
    return token.removeprefix("Bearer ").strip() or None
