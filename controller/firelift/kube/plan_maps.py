"""The ConfigMap that shows a rollout's plan. It belongs to the rollout and goes with it."""

from __future__ import annotations

from collections.abc import Mapping

from firelift.api.base import API_VERSION, FIELD_MANAGER, ROLLOUT_LABEL
from firelift.api.rollout import KIND
from firelift.kube.client import Cluster, Json
from firelift.kube.errors import NotFound
from firelift.kube.job_manifest import label_of
from firelift.rollout.observation import PlanMapSeen, Rollout

DIGEST_KEY = "digest"


async def read(cluster: Cluster, rollout: Rollout, name: str) -> PlanMapSeen:
    """Whether it is there, whose it is, and which plan it shows."""
    try:
        return _seen(await cluster.get(_path(rollout.namespace, name)), rollout)
    except NotFound:
        return PlanMapSeen(exists=False)


async def show(cluster: Cluster, rollout: Rollout, name: str, data: Mapping[str, str]) -> bool:
    """Let the ConfigMap hold this; False when it is somebody else's, which is left as it is."""
    seen = await read(cluster, rollout, name)
    if seen.exists and not seen.mine:
        return False
    await cluster.apply(_path(rollout.namespace, name), _manifest(rollout, name, data), manager=FIELD_MANAGER)
    return True


def _manifest(rollout: Rollout, name: str, data: Mapping[str, str]) -> Json:
    owner = {"apiVersion": API_VERSION, "kind": KIND, "name": rollout.name, "uid": rollout.uid}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": name,
            "namespace": rollout.namespace,
            "labels": {"app.kubernetes.io/managed-by": "firelift", ROLLOUT_LABEL: label_of(rollout.name)},
            "ownerReferences": [{**owner, "controller": True, "blockOwnerDeletion": False}],
        },
        "data": dict(data),
    }


def _seen(document: Json, rollout: Rollout) -> PlanMapSeen:
    owners = document["metadata"].get("ownerReferences", ())
    mine = any(owner.get("uid") == rollout.uid for owner in owners)
    return PlanMapSeen(exists=True, mine=mine, digest=(document.get("data") or {}).get(DIGEST_KEY, ""))


def _path(namespace: str, name: str) -> str:
    return f"/api/v1/namespaces/{namespace}/configmaps/{name}"
