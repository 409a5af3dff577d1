"""Pods: which one this process runs in, and whether others are still what they were."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from firelift.environment.holders import Pod
from firelift.kube.client import Cluster, Json
from firelift.kube.errors import NotFound, Refused

_ENDED = frozenset({"Succeeded", "Failed"})
_REVIEW = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
_POD = "authentication.kubernetes.io/pod-"
_ACCOUNT = "system:serviceaccount:"


@dataclass(frozen=True, slots=True)
class PodSeen:
    """A pod that has not ended. `renewed` is since when all its containers are others; None when none was restarted."""

    pod: Pod
    renewed: datetime | None


async def own(cluster: Cluster) -> Pod | None:
    """The pod that the API server knows this process by; None when its identity is bound to none.

    A pod's token says which pod it is of; a person's credentials say nothing, nor does a cluster older than 1.28.
    """
    try:
        answer = await cluster.create("/apis/authentication.k8s.io/v1/selfsubjectreviews", _REVIEW)
    except (NotFound, Refused):
        return None
    user = answer["status"]["userInfo"]
    namespace, extra = _namespace(user.get("username", "")), user.get("extra", {})
    name, uid = (next(iter(extra.get(f"{_POD}{key}", ())), "") for key in ("name", "uid"))
    return Pod(namespace=namespace, name=name, uid=uid) if namespace and name and uid else None


async def living(cluster: Cluster, namespace: str) -> Mapping[str, PodSeen] | None:
    """The pods of a namespace that have not ended, by their uids; None when they may not be listed."""
    try:
        listed = await cluster.get(f"/api/v1/namespaces/{namespace}/pods")
    except Refused:
        return None
    found = (_seen(item, namespace) for item in listed["items"] if item["status"].get("phase") not in _ENDED)
    return {each.pod.uid: each for each in found}


def _namespace(user: str) -> str:
    return user.removeprefix(_ACCOUNT).partition(":")[0] if user.startswith(_ACCOUNT) else ""


def _seen(item: Json, namespace: str) -> PodSeen:
    metadata = item["metadata"]
    renewals = [max(_times(each), default=None) for each in item["status"].get("containerStatuses", ())]
    known = [time for time in renewals if time is not None]
    renewed = min(known) if known and len(known) == len(renewals) else None
    return PodSeen(Pod(namespace=namespace, name=metadata["name"], uid=metadata["uid"]), renewed)


def _times(container: Json) -> Iterator[datetime]:
    """When the container's processes of before have surely ended: at its last end, and at its last start."""
    for state in (container.get("state") or {}, container.get("lastState") or {}):
        for kind, key in (("running", "startedAt"), ("terminated", "finishedAt")):
            if time := (state.get(kind) or {}).get(key):
                yield datetime.fromisoformat(time)
