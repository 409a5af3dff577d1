"""A rollout in a real cluster whose turns a test takes one by one."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import pytest
from tests.fault_proxy import FaultProxy, fault_proxy
from tests.rollout_specs import migrate, phase, spec

from firelift.api.base import API_VERSION
from firelift.kube import rollouts, tenancies
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
from firelift.operator.tenancies import Tenancies
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
        databases = Databases(lambda: None, timeout_seconds=30)
        monitoring = CloudMonitoring.from_environment()
        services = Services(
            settings=Settings(
                lease_namespace=self.key.namespace, database_timeout_seconds=30, turn_timeout_seconds=120
            ),
            cluster=self.cluster,
            cluster_id="cluster-1",
            approvals=ApprovalLists(partial(of_namespace, self.cluster)),
            tenancies=Tenancies(partial(tenancies.read, self.cluster, required=False), 0),
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


@asynccontextmanager
async def turn_scene(
    cluster: Cluster, crds: Sandbox, emulator: str, monkeypatch: pytest.MonkeyPatch, **declared: str
) -> AsyncIterator[Scene]:
    """A namespace and a database of its own, with a rollout of one phase that nobody has looked at.

    `declared` is what its spec says of the database beside the project.
    """
    project, namespace = f"held-{secrets.token_hex(4)}", f"held-{secrets.token_hex(4)}"
    await cluster.create("/api/v1/namespaces", {"metadata": {"name": namespace}})
    manifest = spec(phase("a", migrate(100)), database={"project": project, **declared}).model_dump(
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
