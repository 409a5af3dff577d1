"""Objects that are held while their ledger is not there: they can go, and nothing that they held is left behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import pytest_asyncio
from tests.fault_proxy import Call, Code, Fault
from tests.integration.turn_scene import Scene, turn_scene

from firelift.api.base import API_VERSION, ROLLOUT_LABEL, RUN_ANNOTATION
from firelift.api.tenancy import DATABASES
from firelift.kube import rollouts
from firelift.kube.client import Cluster, Json
from firelift.kube.job_manifest import label_selector
from firelift.kube.jobs import of_rollout
from firelift.kube.rollouts import RolloutObject
from firelift.migration.ledger import locks
from firelift.sandbox.sandbox import Sandbox


@pytest_asyncio.fixture
async def scene(
    cluster: Cluster, crds: Sandbox, emulator: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Scene]:
    async with turn_scene(cluster, crds, emulator, monkeypatch) as made:
        yield made


@pytest.mark.parametrize("deliveries", [0, 1], ids=["before the claim", "after the claim"])
async def test_an_object_that_is_deleted_then_goes_and_its_ledger_is_nobodys(scene: Scene, deliveries: int) -> None:
    await died_at_the_claim(scene, deliveries)
    await scene.cluster.delete(f"/apis/{API_VERSION}/namespaces/{scene.key.namespace}/migrationrollouts/logs", {})
    held = await scene.object()
    assert held is not None
    assert held.deleting

    async with scene.operator() as operator:
        for _ in range(10):
            if await operator.turn(scene.key) is None:
                break

    assert await scene.object() is None
    root = await scene.root()
    assert root is None if deliveries == 0 else root is not None and root.owner is None


@pytest.mark.parametrize("deliveries", [0, 1], ids=["before the claim", "after the claim"])
async def test_an_object_that_stays_gets_its_ledger_from_the_next_operator(scene: Scene, deliveries: int) -> None:
    await died_at_the_claim(scene, deliveries)

    async with scene.operator() as operator:
        for _ in range(2):
            await operator.turn(scene.key)

    root, held = await scene.root(), await scene.object()
    assert root is not None
    assert root.owner is not None
    assert held is not None
    assert (root.owner.uid, held.held) == (held.uid, True)


async def not_allowed(scene: Scene) -> None:
    """The namespace may not touch the database, though the object is there already."""
    body = {"metadata": {"annotations": {DATABASES: "gym-prod/*"}}}
    await scene.cluster.merge(f"/api/v1/namespaces/{scene.key.namespace}", body, manager="admin")


async def test_a_database_that_the_namespace_may_not_touch_is_asked_nothing(scene: Scene) -> None:
    await not_allowed(scene)
    asked: list[Call] = []
    scene.proxy.decide = asked.append

    async with scene.operator() as operator:
        for _ in range(3):
            await operator.turn(scene.key)

    refused = await scene.object()
    assert refused is not None
    assert (refused.status["reason"], refused.held, asked) == ("DatabaseNotAllowed", False, [])
    assert f"its annotation {DATABASES} allows gym-prod/*" in refused.status["message"]
    assert await scene.root() is None


@pytest.mark.parametrize("deliveries", [0, 1], ids=["before the claim", "after the claim"])
async def test_an_object_that_is_held_where_it_may_not_be_any_more_claims_nothing_and_can_go(
    scene: Scene, deliveries: int
) -> None:
    await died_at_the_claim(scene, deliveries)
    await not_allowed(scene)
    async with scene.operator() as operator:
        await operator.turn(scene.key)
        told, root = await scene.object(), await scene.root()
        assert told is not None
        assert (told.status["reason"], root is not None) == ("DatabaseNotAllowed", bool(deliveries))
        await scene.cluster.delete(f"/apis/{API_VERSION}/namespaces/{scene.key.namespace}/migrationrollouts/logs", {})
        for _ in range(10):
            if await operator.turn(scene.key) is None:
                break

    assert await scene.object() is None
    root = await scene.root()
    assert root is None or root.owner is None


async def died_at_the_claim(scene: Scene, deliveries: int) -> None:
    """An operator that has set its finalizer, and hears nothing more of its first Commit before it is gone."""

    def lost(call: Call) -> Fault | None:
        return Fault(Code.UNAVAILABLE, deliveries=deliveries) if call.method == "Commit" else None

    scene.proxy.decide = lost
    async with scene.operator() as operator:
        await operator.turn(scene.key)
    scene.proxy.decide = lambda _: None
    held = await scene.object()
    assert held is not None
    assert held.held
    assert (await scene.root() is not None) == bool(deliveries)


async def test_an_object_that_goes_without_its_ledger_leaves_no_lock_and_no_job_and_an_event_that_says_so(
    scene: Scene,
) -> None:
    began = await scene.object()
    assert began is not None
    status = {"reason": "Migrating", "startedPhases": ["a"], "attempt": 1}
    held = await rollouts.hold(scene.cluster, await rollouts.write_status(scene.cluster, began, status))
    ledger, now = f"{scene.key.namespace}.{scene.key.name}", datetime.now(UTC)
    mine = locks.Claimant(ledger, str(scene.key), epoch=1, since=now)
    other = locks.Claimant("another", "shop/another", epoch=1, since=now)
    await locks.acquire(scene.store, "logs", mine)
    await locks.acquire(scene.store, "logs", other)
    await scene.cluster.create(f"/apis/batch/v1/namespaces/{scene.key.namespace}/jobs", suspended_job(held))
    await scene.cluster.delete(f"/apis/{API_VERSION}/namespaces/{scene.key.namespace}/migrationrollouts/logs", {})

    async with scene.operator() as operator:
        for _ in range(300):
            if (due := await operator.turn(scene.key)) is None:
                break
            await asyncio.sleep(min(due, 0.2))

    assert await scene.object() is None
    lock = await locks.read(scene.store, "logs")
    assert (lock.holder, [each.ledger for each in lock.waiters]) == (None, ["another"])
    assert await of_rollout(scene.cluster, scene.key.namespace, label_selector("logs"), held.uid) == {}
    found = (await scene.cluster.get(f"/apis/events.k8s.io/v1/namespaces/{scene.key.namespace}/events"))["items"]
    (told,) = [event for event in found if event["reason"] == "LedgerLost"]
    assert (told["type"], told["regarding"]["uid"]) == ("Warning", held.uid)
    assert f"ledger {ledger} is not in database" in told["note"]


def suspended_job(rollout: RolloutObject) -> Json:
    """A Job of the rollout that nobody works on."""
    owner = {"apiVersion": API_VERSION, "kind": "MigrationRollout", "name": rollout.name, "uid": rollout.uid}
    metadata = {
        "name": f"{rollout.name}-job",
        "labels": {ROLLOUT_LABEL: rollout.name},
        "annotations": {RUN_ANNOTATION: "a1.a.migrate"},
        "ownerReferences": [{**owner, "controller": True}],
    }
    container = {"name": "worker", "image": "worker", "command": ["true"]}
    template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    return {"metadata": metadata, "spec": {"suspend": True, "template": template}}
