"""Helm, what it makes of the chart, and a cluster for its releases."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kubernetes import client, config
from tests.chart.charts import Chart
from tests.chart.release import Release
from tests.e2e.world import World

from firelift.sandbox.emulator import Emulator
from firelift.sandbox.sandbox import Sandbox


@pytest.fixture(scope="session")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where Helm keeps what it needs between two calls."""
    return tmp_path_factory.mktemp("helm")


@pytest.fixture(scope="session")
def chart(helm: Path) -> Chart:
    return Chart(helm)


@pytest.fixture(scope="module")
def cluster(emulator_process: Emulator) -> Iterator[Sandbox]:
    """A cluster of its own: one that others have used has parts of the chart that no release owns."""
    with Sandbox(emulator=emulator_process) as sandbox:
        yield sandbox


@pytest.fixture
def release(cluster: Sandbox, helm: Path) -> Iterator[Release]:
    """A release that is not installed yet; what is left of it goes behind the test, its custom resources last."""
    made = Release(cluster, helm)
    yield made
    made.remove()


@pytest.fixture
def make_world(cluster: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], World]]:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", cluster.firestore_host)
    configuration = client.Configuration()
    config.load_kube_config(  # type: ignore[no-untyped-call] # the official client is typed only in part
        str(cluster.kubeconfig), client_configuration=configuration
    )
    worlds: list[World] = []
    with client.ApiClient(configuration) as api:

        def make() -> World:
            name = f"chart-{secrets.token_hex(4)}"
            cluster.kubectl("create", "namespace", name)
            cluster.kubectl("create", "configmap", "app-flags", "-n", name, "--from-literal=THEME=dark")
            worlds.append(World(cluster, name, name, client.CustomObjectsApi(api), client.CoreV1Api(api)))
            return worlds[-1]

        yield make
        for world in worlds:
            world.close()
