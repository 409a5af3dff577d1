"""The ConfigMap that shows a rollout's plan."""

from __future__ import annotations

from collections.abc import Mapping

from firelift.api.base import ROLLOUT_LABEL
from firelift.api.rollout import KIND
from firelift.kube import owned
from firelift.kube.client import Cluster
from firelift.kube.job_manifest import label_of
from firelift.rollout.observation import PlanMapSeen, Rollout

DIGEST_KEY = "digest"


async def read(cluster: Cluster, rollout: Rollout, name: str) -> PlanMapSeen:
    """Whether it is there, whose it is, and which plan it shows."""
    owner = _owner(rollout)
    seen = await owned.read(cluster, owner, "ConfigMap", name)
    if seen is None:
        return PlanMapSeen(exists=False)
    digest = (seen.get("data") or {}).get(DIGEST_KEY, "")
    return PlanMapSeen(exists=True, mine=owned.is_of(seen, owner), digest=digest)


async def show(cluster: Cluster, rollout: Rollout, name: str, data: Mapping[str, str]) -> bool:
    """Let the ConfigMap hold this; False when it is somebody else's, which is left as it is."""
    return await owned.show(cluster, _owner(rollout), "ConfigMap", name, data)


def _owner(rollout: Rollout) -> owned.Owner:
    label = (ROLLOUT_LABEL, label_of(rollout.name))
    return owned.Owner(KIND, rollout.namespace, rollout.name, rollout.uid, label)
