"""What is done to an object before the operator is uninstalled, when parts of the world do not answer."""

from __future__ import annotations

import asyncio
import secrets

import pytest
import pytest_asyncio
from tests.manifests import environment

from firelift.api.base import API_VERSION, ROLLOUT_LABEL, RUN_ANNOTATION
from firelift.kube import jobs
from firelift.kube import objects as custom_objects
from firelift.kube.client import Cluster, Json, always
from firelift.kube.deployments import scale
from firelift.kube.environments import ENVIRONMENTS
from firelift.kube.lease import Lease, LeaseSettings
from firelift.kube.objects import CustomResource
from firelift.kube.rollouts import ROLLOUTS, RolloutObject
from firelift.operator.databases import Databases
from firelift.operator.leave import leave
from firelift.operator.leaving import Leaving, StillDeleting, objects
from firelift.operator.settings import Settings
from firelift.operator.telemetry.logs import logger

SPEC = {
    "database": {"project": "demo-project"},
    "migrations": [{"name": "m", "source": {"collection": "a"}, "target": {"document": "b/{id}"}, "entityKey": "u"}],
    "phases": [{"name": "one", "steps": [{"soak": {"seconds": 1, "evidence": "None"}}]}],
}


@pytest_asyncio.fixture
async def namespace(cluster: Cluster) -> str:
    name = f"leave-{secrets.token_hex(4)}"
    await cluster.create("/api/v1/namespaces", {"metadata": {"name": name}})
    return name


@pytest.fixture
def leaving(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Leaving:
    """With a database that nobody answers for."""
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", "127.0.0.1:1")
    settings = Settings(database_timeout_seconds=0.5)
    databases = Databases(always, timeout_seconds=settings.database_timeout_seconds)
    return Leaving(cluster, databases, 1, settings, logger())


async def held(cluster: Cluster, namespace: str, name: str) -> RolloutObject:
    path = f"/apis/{API_VERSION}/namespaces/{namespace}/migrationrollouts"
    body = {"apiVersion": API_VERSION, "kind": "MigrationRollout", "metadata": {"name": name}, "spec": SPEC}
    return await ROLLOUTS.hold(cluster, ROLLOUTS.parse(await cluster.create(path, body)))


async def a_job(cluster: Cluster, rollout: RolloutObject) -> None:
    """A Job of the rollout that nobody works on."""
    owner = {"apiVersion": API_VERSION, "kind": "MigrationRollout", "name": rollout.name, "uid": rollout.uid}
    metadata = {
        "name": f"{rollout.name}-job",
        "labels": {ROLLOUT_LABEL: rollout.name},
        "annotations": {RUN_ANNOTATION: "a1.one.migrate"},
        "ownerReferences": [{**owner, "controller": True}],
    }
    container = {"name": "worker", "image": "worker", "command": ["true"]}
    template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    path = f"/apis/batch/v1/namespaces/{rollout.namespace}/jobs"
    await cluster.create(path, {"metadata": metadata, "spec": {"suspend": True, "template": template}})


async def test_a_database_that_does_not_answer_keeps_no_job_and_no_finalizer(
    cluster: Cluster, namespace: str, leaving: Leaving
) -> None:
    rollout = await held(cluster, namespace, "users")
    await a_job(cluster, rollout)

    await leaving.rollout(rollout)

    found = await ROLLOUTS.read(cluster, namespace, "users")
    assert found is not None
    assert not found.held
    assert "the operator has been uninstalled" in found.status["message"]
    job = await jobs.read(cluster, namespace, "users-job", rollout.uid)
    assert job is None or job.going


async def test_an_object_that_changes_meanwhile_is_let_go_as_it_is_then(
    cluster: Cluster, namespace: str, leaving: Leaving
) -> None:
    seen = await held(cluster, namespace, "users")
    path = f"/apis/{API_VERSION}/namespaces/{namespace}/migrationrollouts/users"
    await cluster.merge(path, {"spec": {"suspend": True}}, manager="on-call")

    await leaving.rollout(seen)

    found = await ROLLOUTS.read(cluster, namespace, "users")
    assert found is not None
    assert (found.held, found.generation) == (False, seen.generation + 1)
    assert found.value is not None
    assert found.value.spec.suspend


async def test_an_object_that_is_deleted_meanwhile_keeps_its_finalizer(
    cluster: Cluster, namespace: str, leaving: Leaving
) -> None:
    seen = await held(cluster, namespace, "users")
    await cluster.delete(f"/apis/{API_VERSION}/namespaces/{namespace}/migrationrollouts/users", {})

    with pytest.raises(StillDeleting, match=f"MigrationRollout {namespace}/users: being deleted"):
        await leaving.rollout(seen)

    found = await ROLLOUTS.read(cluster, namespace, "users")
    assert found is not None
    assert (found.held, found.deleting) == (True, True)


async def test_an_environment_is_let_go_and_leaving_twice_is_leaving_once(
    cluster: Cluster, namespace: str, leaving: Leaving
) -> None:
    path = f"/apis/{API_VERSION}/namespaces/{namespace}/firestoreenvironments"
    manifest: Json = environment(name="ground")
    seen = await ENVIRONMENTS.hold(cluster, ENVIRONMENTS.parse(await cluster.create(path, manifest)))

    await leaving.environment(seen)
    once = await ENVIRONMENTS.read(cluster, namespace, "ground")
    assert once is not None
    await leaving.environment(once)

    twice = await ENVIRONMENTS.read(cluster, namespace, "ground")
    assert twice is not None
    assert not twice.held
    assert twice.resource_version == once.resource_version


async def test_all_objects_are_found_page_by_page(
    cluster: Cluster, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(custom_objects, "_PAGE", 2)
    names = {f"users-{number}" for number in range(5)}
    for name in names:
        await held(cluster, namespace, name)

    here = await objects(cluster, ROLLOUTS, (namespace,))
    everywhere = await objects(cluster, ROLLOUTS, ())

    assert {each.name for each in here} == names
    assert {each.name for each in everywhere if each.namespace == namespace} == names


async def test_of_a_kind_that_is_not_installed_there_are_no_objects(cluster: Cluster) -> None:
    unknown = CustomResource("Unknown", "unknowns", dict)

    assert await objects(cluster, unknown, ()) == []


async def test_a_deployment_that_is_not_there_need_not_be_stopped(cluster: Cluster, namespace: str) -> None:
    assert await scale(cluster, namespace, "firelift-operator", 0) == 0


async def test_leaving_that_cannot_be_finished_starts_the_operator_again(
    cluster: Cluster, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    labels = {"app": "operator"}
    container = {"name": "operator", "image": "operator", "command": ["sleep", "600"]}
    template = {"metadata": {"labels": labels}, "spec": {"terminationGracePeriodSeconds": 1, "containers": [container]}}
    spec = {"replicas": 2, "selector": {"matchLabels": labels}, "template": template}
    await cluster.create(path, {"metadata": {"name": "firelift-operator"}, "spec": spec})
    monkeypatch.setenv("FIRELIFT_LEASE_NAMESPACE", namespace)
    monkeypatch.setenv("FIRELIFT_LEASE_DURATION_SECONDS", "1")
    monkeypatch.setenv("FIRELIFT_NAMESPACES", namespace)
    frozen = Lease(cluster, LeaseSettings(namespace, "firelift-operator", "an operator that does not end", 60))
    await frozen.acquire()

    async def replicas() -> int:
        return int((await cluster.get(f"{path}/firelift-operator"))["spec"]["replicas"])

    leaving = asyncio.create_task(leave(Settings()))
    async with asyncio.timeout(20):
        while await replicas() != 0:  # noqa: ASYNC110 - the fact is on the API server
            await asyncio.sleep(0.05)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving

    assert await replicas() == 2
    await cluster.delete(f"{path}/firelift-operator", {})


async def test_replicas_that_were_asked_for_again_are_their_owners_to_change(cluster: Cluster, namespace: str) -> None:
    """Helm applies by server-side apply: a number of ours would be a conflict in every upgrade to come."""
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/firelift-operator"

    def deployment(replicas: int) -> Json:
        labels = {"app": "operator"}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "operator", "image": "operator"}]}}
        spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
        return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "firelift-operator"}, "spec": spec}

    await cluster.apply(path, deployment(2), manager="helm", force=False)
    assert await scale(cluster, namespace, "firelift-operator", 0) == 2
    assert (await cluster.get(path))["spec"]["replicas"] == 0

    await scale(cluster, namespace, "firelift-operator", 2)

    upgraded = await cluster.apply(path, deployment(3), manager="helm", force=False)
    assert upgraded["spec"]["replicas"] == 3
    await cluster.delete(path, {})
