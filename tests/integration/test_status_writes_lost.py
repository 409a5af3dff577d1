"""A status write that is refused, lost, cut or late is made again by the next turn, and nothing else is ever shown."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial

import pytest
import pytest_asyncio
from tests.api_proxy import ApiFault, ApiProxy

from firelift.api.base import API_VERSION
from firelift.kube import rollouts, tenancies
from firelift.kube.approvals import of_namespace
from firelift.kube.client import Cluster
from firelift.kube.lease import Lease
from firelift.kube.rollouts import RolloutObject
from firelift.metrics.cloud_monitoring import CloudMonitoring
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

SPEC = {
    "database": {"project": "demo-project"},
    "migrations": [{"name": "m", "source": {"collection": "a"}, "target": {"document": "b/{id}"}, "entityKey": "u"}],
    "phases": [{"name": "one", "steps": [{"soak": {"seconds": 1, "evidence": "None"}}]}],
}
TIMEOUT_SECONDS = 2.0
FAULTS = {
    "somebody was faster": ApiFault(409),
    "refused": ApiFault(503),
    "asked to wait": ApiFault(429, retry_after=1),
    "written, and the answer is an error": ApiFault(500, deliver=True),
    "written, and the answer says that it was not": ApiFault(409, deliver=True),
    "written, and the answer is cut": ApiFault(passed=10),
    "answered by somebody else": ApiFault(200, body=b"<html>a proxy's own page</html>"),
    "late": ApiFault(delay_seconds=TIMEOUT_SECONDS + 1),
}


@dataclass
class Scene:
    """A rollout of a database that nobody answers for, and turns of it behind a proxy."""

    cluster: Cluster
    proxy: ApiProxy
    reconciler: Reconciler
    key: Key

    async def object(self) -> RolloutObject:
        """As the API server has it."""
        found = await rollouts.read(self.cluster, *self.key)
        assert found is not None
        return found


@pytest_asyncio.fixture
async def scene(cluster: Cluster, crds: Sandbox, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    crds.install_manifests()
    key = Key(f"lost-{secrets.token_hex(4)}", "logs")
    await cluster.create("/api/v1/namespaces", {"metadata": {"name": key.namespace}})
    body = {"apiVersion": API_VERSION, "kind": "MigrationRollout", "metadata": {"name": key.name}, "spec": SPEC}
    await cluster.create(f"/apis/{API_VERSION}/namespaces/{key.namespace}/migrationrollouts", body)
    for name, value in {**crds.environment(), "FIRESTORE_EMULATOR_HOST": "127.0.0.1:1"}.items():
        monkeypatch.setenv(name, value)
    proxy = ApiProxy(crds, key.namespace)
    monkeypatch.setenv("KUBECONFIG", str(proxy.kubeconfig))
    behind = await Cluster.connect(timeout_seconds=TIMEOUT_SECONDS)
    settings = Settings(lease_namespace=key.namespace, database_timeout_seconds=1)
    databases = Databases(lambda: None, timeout_seconds=1)
    monitoring = CloudMonitoring.from_environment()
    services = Services(
        settings=settings,
        cluster=behind,
        cluster_id="cluster-1",
        approvals=ApprovalLists(partial(of_namespace, behind)),
        tenancies=Tenancies(partial(tenancies.read, behind, required=False), 0),
        lease=Lease(cluster, settings.lease),
        databases=databases,
        monitoring=monitoring,
        metrics=Metrics(),
        log=logger(),
    )
    yield Scene(cluster, proxy, Reconciler(services, lambda _: None), key)
    await databases.close()
    await monitoring.close()
    await behind.close()
    proxy.close()


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_a_status_that_was_not_written_is_written_by_the_next_turn(scene: Scene, fault: ApiFault) -> None:
    scene.proxy.decide = lambda call: fault if call.method == "PATCH" else None

    again = await scene.reconciler.turn(scene.key)
    assert again is not None
    assert again <= 2, "the next turn is soon"
    assert scene.proxy.faults()

    scene.proxy.decide = lambda _: None
    await scene.reconciler.turn(scene.key)
    told = await scene.object()
    assert told.status["reason"] == "DatabaseUnreachable"
    assert told.status["observedGeneration"] == told.generation
    assert "as injected" not in told.status["message"]

    await scene.reconciler.turn(scene.key)
    assert (await scene.object()).resource_version == told.resource_version, "what stands is not written again"
