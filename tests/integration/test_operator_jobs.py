"""The Jobs of runs against a real API server, its controllers and a node."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest

from firelift.kube import jobs
from firelift.kube.client import Cluster
from firelift.kube.errors import Changed, Refused
from firelift.rollout.observation import JobSeen

T = TypeVar("T")

REPLACED_SECONDS = 10.0  # a tenth of a second on an idle machine
LABEL = "firelift.dev/rollout=users"


async def job(
    cluster: Cluster, namespace: str, *, owner: str = "one", run: str = "a1.x", script: str = ""
) -> dict[str, Any]:
    """A Job whose owner is a real object: the garbage collector removes those of owners that are not there.

    Without a script it is suspended, and never has a pod.
    """
    place = f"/api/v1/namespaces/{namespace}/configmaps"
    with contextlib.suppress(Changed):
        await cluster.create(place, {"metadata": {"name": owner, "namespace": namespace}})
    uid = (await cluster.get(f"{place}/{owner}"))["metadata"]["uid"]
    container = {"name": "worker", "image": "x", "command": ["/bin/sh", "-c", script or "true"]}
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": owner, "uid": uid, "controller": True}
    marks = {"annotations": {"firelift.dev/run": run}, "labels": {"firelift.dev/rollout": "users"}}
    pod = {"metadata": marks, "spec": {"restartPolicy": "Never", "containers": [container]}}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "users-1", "namespace": namespace, "ownerReferences": [reference], **marks},
        "spec": {"suspend": not script, "backoffLimit": 0, "template": pod},
    }


async def soon(look: Callable[[], Awaitable[T | None]], *, seconds: float = 30.0) -> T:
    """The first true value of what is looked at."""
    deadline = time.monotonic() + seconds
    while not (found := await look()):
        assert time.monotonic() < deadline, f"still {found!r} after {seconds:g} s"
        await asyncio.sleep(0.05)
    return found


async def gone(cluster: Cluster, namespace: str, owner: str) -> bool:
    return await jobs.read(cluster, namespace, "users-1", owner) is None


async def running(cluster: Cluster, namespace: str) -> str:
    """The name of the Job's pod, once its script runs."""

    async def look() -> str:
        found = (await cluster.get(f"/api/v1/namespaces/{namespace}/pods", labelSelector=LABEL))["items"]
        return next((pod["metadata"]["name"] for pod in found if pod["status"].get("phase") == "Running"), "")

    return await soon(look)


async def end_slowly(cluster: Cluster, namespace: str, mark: Path) -> tuple[dict[str, Any], str]:
    """A Job with a pod that takes a second to end, and leaves a mark when it does."""
    ready = mark.with_suffix(".ready")
    script = f"trap 'sleep 1; touch {mark}; exit 0' TERM; touch {ready}; while :; do sleep 0.1; done"
    body = await job(cluster, namespace, script=script)
    await jobs.ensure(cluster, body)
    pod = await running(cluster, namespace)

    async def listens() -> bool:
        return ready.exists()

    await soon(listens)
    return body, pod


async def test_a_job_is_made_once_and_found_again(cluster: Cluster, namespace: str) -> None:
    body = await job(cluster, namespace)
    await jobs.ensure(cluster, body)
    first = await cluster.get(f"/apis/batch/v1/namespaces/{namespace}/jobs/users-1")
    await jobs.ensure(cluster, body, instead_of="an older one")

    again = await cluster.get(f"/apis/batch/v1/namespaces/{namespace}/jobs/users-1")
    assert again["metadata"]["uid"] == first["metadata"]["uid"]
    assert await jobs.read(cluster, namespace, "users-1", jobs.owner_of(body)) is not None
    assert await jobs.read(cluster, namespace, "users-1", "somebody else") is None


async def test_only_the_very_job_that_was_judged_makes_way_and_is_gone_before_the_next_is_made(
    cluster: Cluster, namespace: str
) -> None:
    body = await job(cluster, namespace)
    owner = jobs.owner_of(body)
    await jobs.ensure(cluster, body)
    first = await jobs.read(cluster, namespace, "users-1", owner)
    assert first is not None

    with pytest.raises(Changed, match="the one before it is still going"):
        await jobs.ensure(cluster, body, instead_of=first.uid)
    await soon(lambda: gone(cluster, namespace, owner))
    await jobs.ensure(cluster, body, instead_of=first.uid)
    second = await jobs.read(cluster, namespace, "users-1", owner)
    await jobs.ensure(cluster, body, instead_of=first.uid)

    third = await jobs.read(cluster, namespace, "users-1", owner)
    assert second is not None
    assert third is not None
    assert third.uid == second.uid != first.uid


async def test_a_job_of_an_earlier_object_makes_way(cluster: Cluster, namespace: str) -> None:
    earlier = await job(cluster, namespace)
    await jobs.ensure(cluster, earlier)
    mine = await job(cluster, namespace, owner="another")

    with pytest.raises(Changed):
        await jobs.ensure(cluster, mine)
    await soon(lambda: gone(cluster, namespace, jobs.owner_of(earlier)))
    await jobs.ensure(cluster, mine)

    assert await jobs.read(cluster, namespace, "users-1", jobs.owner_of(mine)) is not None


async def test_a_strangers_job_is_left_alone_and_named(cluster: Cluster, namespace: str) -> None:
    await jobs.ensure(cluster, await job(cluster, namespace, run="a9.other"))

    with pytest.raises(Refused, match=r"belongs to run a9\.other"):
        await jobs.ensure(cluster, await job(cluster, namespace))


async def test_a_removed_job_is_there_until_its_pod_has_ended(cluster: Cluster, namespace: str, tmp_path: Path) -> None:
    mark = tmp_path / "ended"
    body, pod = await end_slowly(cluster, namespace, mark)
    owner = jobs.owner_of(body)
    await jobs.remove(cluster, namespace, "users-1", "somebody else")
    found = await jobs.read(cluster, namespace, "users-1", owner)
    assert found is not None
    assert not found.going

    before = datetime.now(UTC) - timedelta(seconds=2)
    await jobs.remove(cluster, namespace, "users-1", owner)
    await jobs.remove(cluster, namespace, "users-1", owner)

    found = await jobs.read(cluster, namespace, "users-1", owner)
    assert found is not None
    assert (found.going, found.pod, mark.exists()) == (True, f"{pod} on node sandbox", False)
    assert found.going_since is not None
    assert before < found.going_since < datetime.now(UTC) + timedelta(seconds=1)
    with pytest.raises(Changed):
        await jobs.ensure(cluster, body)
    await soon(lambda: gone(cluster, namespace, owner))
    assert mark.exists()


@pytest.mark.parametrize("removed", ["jobs", "owner"])
async def test_pods_that_a_job_left_behind_are_seen_until_they_have_ended(
    cluster: Cluster, namespace: str, tmp_path: Path, removed: str
) -> None:
    mark = tmp_path / "ended"
    body, pod = await end_slowly(cluster, namespace, mark)
    paths = {"jobs": f"/apis/batch/v1/namespaces/{namespace}/jobs/users-1"}
    path = paths.get(removed, f"/api/v1/namespaces/{namespace}/configmaps/one")
    await cluster.delete(path, {"propagationPolicy": "Background"})
    await soon(lambda: gone(cluster, namespace, jobs.owner_of(body)))

    left = await jobs.left_behind(cluster, namespace, LABEL, {"a1.x", "a1.y"})
    assert {run: (seen.going, seen.active, seen.pod) for run, seen in left.items()} == {
        "a1.x": (True, 1, f"{pod} on node sandbox")
    }
    assert await jobs.left_behind(cluster, namespace, LABEL, {"a1.y"}) == {}

    async def ended() -> bool:
        return not await jobs.left_behind(cluster, namespace, LABEL, {"a1.x"})

    await soon(ended)
    assert mark.exists()


async def test_a_job_whose_pods_were_killed_is_replaced_within_seconds(cluster: Cluster, namespace: str) -> None:
    body = await job(cluster, namespace, script="kill -9 $$")
    owner = jobs.owner_of(body)
    await jobs.ensure(cluster, body)

    async def silent() -> JobSeen | None:
        found = await jobs.read(cluster, namespace, "users-1", owner, {137})
        return found if found and found.failed else None

    dead = await soon(silent)
    began = time.monotonic()
    with pytest.raises(Changed):
        await jobs.ensure(cluster, body, instead_of=dead.uid)
    await soon(lambda: gone(cluster, namespace, owner))
    await jobs.ensure(cluster, body)

    assert time.monotonic() - began < REPLACED_SECONDS
