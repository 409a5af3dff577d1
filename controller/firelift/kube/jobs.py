"""The Jobs that runs' workers live in: made once or adopted, watched, removed."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from firelift.api.base import ENTRIES_ANNOTATION, RUN_ANNOTATION
from firelift.kube.client import Cluster, Json
from firelift.kube.errors import Changed, NotFound, Refused
from firelift.rollout.observation import JobSeen

_BY_NAME = "batch.kubernetes.io/job-name"
_OUT_OF_MEMORY = "OOMKilled"
_ENDED = {"Succeeded", "Failed"}


async def read(
    cluster: Cluster, namespace: str, name: str, owner_uid: str, harmless: Collection[int] = ()
) -> JobSeen | None:
    """The Job of a run; None when there is none, or when it is another rollout's.

    A Job that is being deleted is going: it stays until each of its pods has ended. Of a Job without an active pod,
    those that have ended are asked whether their exit codes were all `harmless`.
    """
    job = await _get(cluster, namespace, name)
    if job is None or owner_of(job) != owner_uid:
        return None
    found = seen(job)
    if not found.going and (found.active or found.failed):
        return found
    pods = [pod for pod in await _pods(cluster, namespace, f"{_BY_NAME}={name}") if owner_of(pod) == found.uid]
    if found.going:
        return replace(found, pod=_first_left(pods))
    return replace(found, blameless=blameless(pods, harmless))


async def left_behind(cluster: Cluster, namespace: str, selector: str, runs: Collection[str]) -> dict[str, JobSeen]:
    """The runs of which pods with this label are still there; for runs whose Jobs are not, whoever removed those."""
    found = await _pods(cluster, namespace, selector) if runs else []
    pods: dict[str, list[Json]] = {}
    for pod in found:
        run = pod["metadata"].get("annotations", {}).get(RUN_ANNOTATION)
        if run in runs and not _has_ended(pod):
            pods.setdefault(run, []).append(pod)
    return {run: _abandoned(theirs) for run, theirs in pods.items()}


def blameless(pods: list[Json], harmless: Collection[int]) -> bool:
    """Whether there are pods that failed, and each of them ended with a harmless code and within its memory."""
    ends = [_end(pod) for pod in pods if pod["status"].get("phase") == "Failed"]
    return bool(ends) and all(end.get("exitCode") in harmless and end.get("reason") != _OUT_OF_MEMORY for end in ends)


def seen(job: Json) -> JobSeen:
    """What a Job says of itself. Whether the work is done, only the ledger knows."""
    status = job.get("status", {})
    failed = next((entry for entry in status.get("conditions", ()) if _is_failed(entry)), None)
    return JobSeen(
        active=status.get("active", 0),
        succeeded=status.get("succeeded", 0),
        failed=failed is not None,
        failure=_sentence(failed) if failed else "",
        entries=int(job["metadata"].get("annotations", {}).get(ENTRIES_ANNOTATION, 0)),
        uid=job["metadata"].get("uid", ""),
        going="deletionTimestamp" in job["metadata"],
        going_since=_told_to_end(job),
        parallelism=job.get("spec", {}).get("parallelism", 0),
    )


async def of_rollout(cluster: Cluster, namespace: str, selector: str, owner_uid: str) -> dict[str, str]:
    """The rollout's Jobs by name, each with its run, among those with this label."""
    answer = await cluster.get(_collection(namespace), labelSelector=selector)
    return {
        job["metadata"]["name"]: job["metadata"].get("annotations", {}).get(RUN_ANNOTATION, "")
        for job in answer["items"]
        if owner_of(job) == owner_uid
    }


async def ensure(cluster: Cluster, body: Json, *, instead_of: str = "") -> None:
    """Make the Job, or find that it is there already; only the one with the UID `instead_of` makes way for a new one.

    A Job of the same run that an earlier object of this name left behind makes way as well.

    Raises:
        Refused: a Job of this name belongs to something else.
        Changed: the old Job and its pods are not gone yet; the next turn makes the new one.
    """
    metadata = body["metadata"]
    collection = _collection(metadata["namespace"])
    try:
        await cluster.create(collection, body)
    except Changed:
        existing = await cluster.get(f"{collection}/{metadata['name']}")
    else:
        return
    _refuse_stranger(existing, metadata["annotations"][RUN_ANNOTATION])
    going = "deletionTimestamp" in existing["metadata"]
    if not going and owner_of(existing) == owner_of(body) and existing["metadata"]["uid"] != instead_of:
        return
    if not going:
        await _delete(cluster, metadata["namespace"], metadata["name"], existing["metadata"]["uid"])
    raise Changed(f"create Job {metadata['name']}", 0, "the one before it is still going")


async def remove(cluster: Cluster, namespace: str, name: str, owner_uid: str) -> None:
    """Delete the pods, then the Job; nothing happens when there is none, or when it is another rollout's."""
    job = await _get(cluster, namespace, name)
    if job is not None and owner_of(job) == owner_uid:
        await _delete(cluster, namespace, name, job["metadata"]["uid"])


def owner_of(job: Json) -> str:
    """The UID of the rollout that a Job belongs to; empty when it has no controller."""
    owners = job["metadata"].get("ownerReferences", ())
    return next((str(owner["uid"]) for owner in owners if owner.get("controller")), "")


async def _delete(cluster: Cluster, namespace: str, name: str, uid: str) -> None:
    # In the foreground: a Job that is gone has no pod any more, and so nobody who could still write.
    options: Json = {"propagationPolicy": "Foreground", "preconditions": {"uid": uid}}
    try:
        await cluster.delete(f"{_collection(namespace)}/{name}", options)
    except NotFound:
        return
    except Changed:
        left = await _get(cluster, namespace, name)
        if left is not None and left["metadata"]["uid"] == uid:
            raise


async def _get(cluster: Cluster, namespace: str, name: str) -> Json | None:
    try:
        return await cluster.get(f"{_collection(namespace)}/{name}")
    except NotFound:
        return None


async def _pods(cluster: Cluster, namespace: str, selector: str) -> list[Json]:
    items: list[Json] = (await cluster.get(f"/api/v1/namespaces/{namespace}/pods", labelSelector=selector))["items"]
    return items


def _abandoned(pods: list[Json]) -> JobSeen:
    since = min((time for pod in pods if (time := _told_to_end(pod)) is not None), default=None)
    return JobSeen(active=len(pods), going=True, going_since=since, pod=_first_left(pods))


def _first_left(pods: Iterable[Json]) -> str:
    """The first of these pods whose processes may still run, and where; empty when there is none."""
    left = (pod for pod in pods if not _has_ended(pod))
    return next((f"{pod['metadata']['name']} on node {pod['spec'].get('nodeName', '(none)')}" for pod in left), "")


def _has_ended(pod: Json) -> bool:
    return pod.get("status", {}).get("phase") in _ENDED


def _told_to_end(document: Json) -> datetime | None:
    """When a deletion was asked for: the API server writes down when its grace ends."""
    metadata = document["metadata"]
    if "deletionTimestamp" not in metadata:
        return None
    grace = timedelta(seconds=metadata.get("deletionGracePeriodSeconds", 0))
    return datetime.fromisoformat(metadata["deletionTimestamp"]) - grace


def _refuse_stranger(job: Json, run: str) -> None:
    metadata = job["metadata"]
    found = metadata.get("annotations", {}).get(RUN_ANNOTATION)
    if found == run:
        return
    raise Refused(
        f"create Job {metadata['name']} for run {run}",
        0,
        f"a Job of this name exists and belongs to {f'run {found}' if found else 'something else'}; "
        "Firelift leaves it alone and tries again; delete or rename that Job",
    )


def _end(pod: Json) -> dict[str, Any]:
    """How the pod's container ended; empty when nobody knows."""
    containers = pod["status"].get("containerStatuses") or [{}]
    return dict(containers[0].get("state", {}).get("terminated", {}))


def _is_failed(condition: dict[str, Any]) -> bool:
    return condition["type"] in {"Failed", "FailureTarget"} and condition["status"] == "True"


def _sentence(condition: dict[str, Any]) -> str:
    return f"{condition.get('reason', 'Failed')}: {condition.get('message', '')}".rstrip(": ")


def _collection(namespace: str) -> str:
    return f"/apis/batch/v1/namespaces/{namespace}/jobs"
