"""The Jobs that runs' workers live in: made once or adopted, watched, removed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from firelift.api.base import ENTRIES_ANNOTATION, RUN_ANNOTATION
from firelift.kube.client import Cluster, Json
from firelift.kube.errors import Changed, NotFound, Refused
from firelift.rollout.observation import JobSeen

_BY_NAME = "batch.kubernetes.io/job-name"
_OUT_OF_MEMORY = "OOMKilled"


async def read(
    cluster: Cluster, namespace: str, name: str, owner_uid: str, harmless: Collection[int] = ()
) -> JobSeen | None:
    """The Job of a run; None when there is none, when it is being deleted, or when it is another rollout's.

    Of a Job without an active pod, those that have ended are asked whether their exit codes were all `harmless`.
    """
    job = await _get(cluster, namespace, name)
    if job is None or owner_of(job) != owner_uid or "deletionTimestamp" in job["metadata"]:
        return None
    found = seen(job)
    if found.active or found.failed:
        return found
    pods = await cluster.get(f"/api/v1/namespaces/{namespace}/pods", labelSelector=f"{_BY_NAME}={name}")
    return replace(found, blameless=blameless([pod for pod in pods["items"] if owner_of(pod) == found.uid], harmless))


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
        Changed: the old Job is not gone yet; the next turn makes the new one.
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
    if owner_of(existing) == owner_of(body) and existing["metadata"]["uid"] != instead_of:
        return
    await _delete(cluster, metadata["namespace"], metadata["name"], existing["metadata"]["uid"])
    await cluster.create(collection, body)


async def remove(cluster: Cluster, namespace: str, name: str, owner_uid: str) -> None:
    """Delete the Job and its pods; nothing happens when there is none, or when it is another rollout's."""
    job = await _get(cluster, namespace, name)
    if job is not None and owner_of(job) == owner_uid:
        await _delete(cluster, namespace, name, job["metadata"]["uid"])


def owner_of(job: Json) -> str:
    """The UID of the rollout that a Job belongs to; empty when it has no controller."""
    owners = job["metadata"].get("ownerReferences", ())
    return next((str(owner["uid"]) for owner in owners if owner.get("controller")), "")


async def _delete(cluster: Cluster, namespace: str, name: str, uid: str) -> None:
    options: Json = {"propagationPolicy": "Background", "preconditions": {"uid": uid}}
    try:
        await cluster.delete(f"{_collection(namespace)}/{name}", options)
    except (NotFound, Changed):  # it is gone, or another one stands in its place
        return


async def _get(cluster: Cluster, namespace: str, name: str) -> Json | None:
    try:
        return await cluster.get(f"{_collection(namespace)}/{name}")
    except NotFound:
        return None


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
