"""The sandbox with an operator, and a world for each test.

The operator is a release of the chart: a pod of its Deployment, under its ServiceAccount. With FIRELIFT_E2E_DEPLOYED=0
it is a process beside the cluster.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest
from kubernetes import client, config
from tests.chart.release import Release
from tests.e2e.deployed import DeployedOperators
from tests.e2e.ground import Ground
from tests.e2e.world import World

from firelift.sandbox.helm import CHART
from firelift.sandbox.processes import Process
from firelift.sandbox.sandbox import Sandbox

LEASE_SECONDS = 4.0
SETTINGS = {
    "FIRELIFT_PROGRESS_SECONDS": "1",
    "FIRELIFT_MEASUREMENT_TIMEOUT_SECONDS": "2",
    # A test's run is over within a second: most of a whole one would be waiting for the next look.
    "FIRELIFT_WORKING_SECONDS": "0.3",
    "FIRELIFT_TERRAFORM_LOCK_SECONDS": "2",
    "FIRELIFT_TENANCY_SECONDS": "1",
}


class OperatorLife(Protocol):
    """One operator from its start to its end."""

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        ...

    @property
    def log(self) -> Path:
        """What it says."""
        ...

    def pause(self) -> None:
        """Freeze it."""

    def resume(self) -> None:
        """Let it go on."""

    def tail(self, lines: int = 20) -> str:
        """The last lines of its log."""
        ...


class Operators(Protocol):
    """The operators of the sandbox. One is there at the start of each test."""

    @property
    def current(self) -> OperatorLife:
        """The newest."""
        ...

    def start(self) -> OperatorLife:
        """Start one more."""
        ...

    def kill(self) -> None:
        """End the current one by SIGKILL, and start none."""

    def restart(self) -> None:
        """Kill the current one and start another."""

    def ensure(self) -> None:
        """Start one when there is none."""


class ProcessOperators:
    """Processes of the sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._count = 0
        self.current = self.start()

    def start(self) -> Process:
        """Start one more; the newest is `current`."""
        self._count += 1
        settings = {"FIRELIFT_LEASE_DURATION_SECONDS": str(LEASE_SECONDS), **SETTINGS}
        self.current = self._sandbox.start_operator(f"operator-{self._count}", settings)
        return self.current

    def kill(self) -> None:
        """End the current one by SIGKILL."""
        self.current.kill()

    def restart(self) -> None:
        """Kill the current one and start another."""
        self.kill()
        self.start()

    def ensure(self) -> None:
        """Start one when there is none."""
        if not self.current.running:
            self.start()


@pytest.fixture(scope="session")
def installed(sandbox: Sandbox, release: Release | None) -> Sandbox:
    if release is None:
        sandbox.install_crds()
        sandbox.install_manifests()
    return sandbox


@pytest.fixture(scope="session")
def release(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Release | None:
    """A release without replicas, whose operators are started as the processes are."""
    if os.environ.get("FIRELIFT_E2E_DEPLOYED") == "0":
        return None
    made = Release(sandbox, tmp_path_factory.mktemp("helm"))
    # The custom resources and rights that other suites have applied become the release's.
    taken = ("--take-ownership", "--force-conflicts")
    env = [{"name": name, "value": value} for name, value in SETTINGS.items()]
    made.install(CHART, *taken, replicas=0, operator={"leaseDurationSeconds": int(LEASE_SECONDS), "env": env})
    return made


@pytest.fixture(scope="session")
def operators(installed: Sandbox, release: Release | None) -> Operators:
    return ProcessOperators(installed) if release is None else DeployedOperators(release)


@pytest.fixture
def operator(operators: Operators) -> Iterator[Operators]:
    operators.ensure()
    yield operators
    operators.ensure()


@pytest.fixture(scope="session")
def kubernetes(installed: Sandbox) -> Iterator[client.ApiClient]:
    configuration = client.Configuration()
    config.load_kube_config(  # type: ignore[no-untyped-call] # the official client is typed only in part
        str(installed.kubeconfig), client_configuration=configuration
    )
    with client.ApiClient(configuration) as api:
        yield api


def _namespace(kubernetes: client.ApiClient) -> str:
    """A new one."""
    name = f"e2e-{secrets.token_hex(4)}"
    client.CoreV1Api(kubernetes).create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name=name)))
    return name


@pytest.fixture
def make_world(
    installed: Sandbox,
    operator: Operators,  # noqa: ARG001 - a world without one would stand still
    kubernetes: client.ApiClient,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[[], World]]:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", installed.firestore_host)
    worlds: list[World] = []

    def make() -> World:
        name, core = _namespace(kubernetes), client.CoreV1Api(kubernetes)
        flags = client.V1ConfigMap(metadata=client.V1ObjectMeta(name="app-flags"), data={"THEME": "dark"})
        core.create_namespaced_config_map(name, flags)
        worlds.append(World(installed, name, name, client.CustomObjectsApi(kubernetes), core))
        return worlds[-1]

    yield make
    for world in worlds:
        world.close()


@pytest.fixture
def world(make_world: Callable[[], World]) -> World:
    return make_world()


@pytest.fixture
def ground(
    installed: Sandbox,
    operator: Operators,  # noqa: ARG001 - a world without one would stand still
    kubernetes: client.ApiClient,
) -> Iterator[Ground]:
    name = _namespace(kubernetes)
    made = Ground(installed, name, name, client.CustomObjectsApi(kubernetes), client.CoreV1Api(kubernetes))
    yield made
    made.heal()
    made.build_seconds(0)
