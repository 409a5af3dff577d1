"""An operator that dies between its finalizer and its ledger: its object can go, and the ledger is nobody's."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import pytest
import pytest_asyncio
from tests.fault_proxy import Call, Code, Fault, FaultProxy, fault_proxy
from tests.rollout_specs import migrate, phase, spec

from firelift.api.base import API_VERSION
from firelift.kube import rollouts
from firelift.kube.approvals import of_namespace
from firelift.kube.client import Cluster
from firelift.kube.lease import Lease, LeaseSettings
from firelift.kube.rollouts import RolloutObject
from firelift.metrics.cloud_monitoring import CloudMonitoring
from firelift.migration.ledger.root import Root, read_root
from firelift.operator.approval_lists import ApprovalLists
from firelift.operator.databases import Databases
from firelift.operator.reconcile import Reconciler
from firelift.operator.services import Services
from firelift.operator.settings import Settings
from firelift.operator.telemetry.logs import logger
from firelift.operator.telemetry.metrics import Metrics
from firelift.operator.wakeups import Key
from firelift.sandbox.sandbox import Sandbox
from firelift.stores.firestore.store import FirestoreStore, open_firestore


@dataclass
class Scene:
    """A rollout in a real cluster, a database behind a proxy, and operators that can be left for dead."""

    cluster: Cluster
    proxy: FaultProxy
    store: FirestoreStore
    key: Key

    @asynccontextmanager
    async def operator(self) -> AsyncIterator[Reconciler]:
        """An operator that leads; nothing of it is left behind but what it has written."""
        lease = Lease(self.cluster, LeaseSettings(self.key.namespace, "leader", secrets.token_hex(4), 1.0))
        await lease.acquire()
        databases = Databases(lambda: None, timeout_seconds=5)
        monitoring = CloudMonitoring.from_environment()
        services = Services(
            settings=Settings(lease_namespace=self.key.namespace),
            cluster=self.cluster,
            cluster_id="cluster-1",
            approvals=ApprovalLists(partial(of_namespace, self.cluster)),
            lease=lease,
            databases=databases,
            monitoring=monitoring,
            metrics=Metrics(),
            log=logger(),
        )
        try:
            yield Reconciler(services, lambda _: None)
        finally:
            await databases.close()
            await monitoring.close()

    async def object(self) -> RolloutObject | None:
        """The rollout as the API server has it."""
        return await rollouts.read(self.cluster, *self.key)

    async def root(self) -> Root | None:
        """The ledger's root, read past the proxy."""
        return await read_root(self.store, f"{self.key.namespace}.{self.key.name}")


@pytest_asyncio.fixture
async def scene(
    cluster: Cluster, crds: Sandbox, emulator: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Scene]:
    project, namespace = f"held-{secrets.token_hex(4)}", f"held-{secrets.token_hex(4)}"
    await cluster.create("/api/v1/namespaces", {"metadata": {"name": namespace}})
    manifest = spec(phase("a", migrate(100)), database={"project": project}).model_dump(
        mode="json", by_alias=True, exclude_unset=True
    )
    body = {"apiVersion": API_VERSION, "kind": "MigrationRollout", "metadata": {"name": "logs"}, "spec": manifest}
    await cluster.create(f"/apis/{API_VERSION}/namespaces/{namespace}/migrationrollouts", body)
    store = open_firestore(project, emulator_host=emulator)
    async with fault_proxy(emulator) as proxy:
        for name, value in {**crds.environment(), "FIRESTORE_EMULATOR_HOST": proxy.host}.items():
            monkeypatch.setenv(name, value)
        yield Scene(cluster, proxy, store, Key(namespace, "logs"))
    await store.close()


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
