"""Leases that show with `kubectl get leases` which rollout holds which collection group.

They lie in the operator's own namespace, where it may write Leases anyway: a right to change Leases everywhere would
reach every other controller's election. Nothing is decided by them; the lock beside the data is the authority.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime

from firelift.api.base import FIELD_MANAGER, ROLLOUT_LABEL
from firelift.api.rollout import DatabaseRef
from firelift.kube.client import Cluster, Json
from firelift.kube.errors import Changed, NotFound
from firelift.kube.job_manifest import label_of

GROUP_ANNOTATION = "firelift.dev/collection-group"
DATABASE_ANNOTATION = "firelift.dev/database"

_SHOWN = 40
_DIGEST = 10


@dataclass(frozen=True, slots=True)
class HeldLock:
    """A lock, and `holder`, the rollout `namespace/name` that has held it since a time of the operator's clock."""

    database: DatabaseRef
    group: str
    holder: str
    since: datetime

    @property
    def name(self) -> str:
        """`lock-<collection group>-<digest>` of the Lease: one for each collection group of a database."""
        full = f"{self.database.project}/{self.database.name}/{self.group}"
        slug = re.sub(r"[^a-z0-9]+", "-", self.group.lower())[:_SHOWN].strip("-")
        return "-".join(filter(None, ("lock", slug, hashlib.sha256(full.encode()).hexdigest()[:_DIGEST])))


async def show(cluster: Cluster, namespace: str, lock: HeldLock) -> None:
    """Make the Lease, or make it say this."""
    await cluster.apply(f"{_collection(namespace)}/{lock.name}", _body(namespace, lock), manager=FIELD_MANAGER)


async def shown(cluster: Cluster, namespace: str, holder: str) -> set[str]:
    """The names of the Leases that say this rollout holds something."""
    selector = f"{ROLLOUT_LABEL}={_label(holder)}"
    items = (await cluster.get(_collection(namespace), labelSelector=selector))["items"]
    return {each["metadata"]["name"] for each in items if _holder(each) == holder}


async def take_down(cluster: Cluster, namespace: str, name: str, holder: str) -> None:
    """Remove the Lease, unless it shows another holder by now."""
    path = f"{_collection(namespace)}/{name}"
    try:
        found = await cluster.get(path)
        if _holder(found) == holder:
            version = {key: found["metadata"][key] for key in ("uid", "resourceVersion")}
            await cluster.delete(path, {"preconditions": version})
    except (NotFound, Changed):  # it is gone, or another's
        return


def _body(namespace: str, lock: HeldLock) -> Json:
    database = f"{lock.database.project}/{lock.database.name}"
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {
            "name": lock.name,
            "namespace": namespace,
            "labels": {ROLLOUT_LABEL: _label(lock.holder)},
            "annotations": {DATABASE_ANNOTATION: database, GROUP_ANNOTATION: lock.group},
        },
        "spec": {"holderIdentity": lock.holder, "acquireTime": lock.since.strftime("%Y-%m-%dT%H:%M:%S.%fZ")},
    }


def _holder(lease: Json) -> str:
    return str(lease.get("spec", {}).get("holderIdentity", ""))


def _label(holder: str) -> str:
    return label_of(holder.partition("/")[2])


def _collection(namespace: str) -> str:
    return f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
