"""Whether an operator lives that began a run, told by the API server: its pod, wherever that is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from tests.integration.sandbox_objects import Namespace, pod, shell
from tests.waiting import eventually

from firelift.environment.holders import Pod, Worked
from firelift.environment.state import EnvironmentState
from firelift.kube import pods
from firelift.kube.client import Cluster
from firelift.operator.ground.operators import Claim, Operators
from firelift.sandbox.kubeconfig import write_kubeconfig
from firelift.sandbox.sandbox import Sandbox


@pytest.fixture
def system(sandbox: Sandbox, namespace: str) -> Namespace:
    """The namespace of an operator that runs in a pod; it is not the one of any state."""
    made = Namespace(sandbox, namespace)
    made.apply(pod("operator-1", shell("sleep 600"), restartPolicy="Always"))
    eventually(lambda: made.phase("operator-1") == "Running")
    return made


@pytest.fixture
def claim(tmp_path: Path) -> Iterator[Claim]:
    made = Claim(tmp_path, "operator-2", host="operator-2")
    yield made
    made.release()


@pytest_asyncio.fixture
async def in_pod(system: Namespace, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Cluster]:
    """The access that a process in the pod has."""
    uid = system.get("pod", "operator-1")["metadata"]["uid"]
    bound = ("--bound-object-kind=Pod", "--bound-object-name=operator-1", f"--bound-object-uid={uid}")
    token = system.kubectl("create", "token", "default", *bound).strip()
    path = system.sandbox.directory / f"{system.name}.kubeconfig"
    write_kubeconfig(path, system.sandbox.control_plane.cluster, {"token": token}, namespace=system.name)
    monkeypatch.setenv("KUBECONFIG", str(path))
    connected = await Cluster.connect()
    yield connected
    await connected.close()


def place(system: Namespace) -> Pod:
    return Pod(namespace=system.name, name="operator-1", uid=system.get("pod", "operator-1")["metadata"]["uid"])


def run_of(where: Pod | None, ago: float = 0.0) -> EnvironmentState:
    started = datetime.now(UTC) - timedelta(seconds=ago)
    return EnvironmentState(worked=(Worked(by="one", host="operator-1", started=started, place="its own", pod=where),))


async def test_a_process_is_told_which_pod_it_is_in(cluster: Cluster, in_pod: Cluster, system: Namespace) -> None:
    assert await pods.own(in_pod) == place(system)
    assert await pods.own(cluster) is None


async def test_an_operator_lives_as_long_as_its_pod_whatever_namespace_that_is_in(
    cluster: Cluster, claim: Claim, system: Namespace
) -> None:
    operators, state = Operators(cluster, claim, datetime.now(UTC)), run_of(place(system))
    seen = await operators.seen(state)
    assert seen.alive == {"operator-2", "one"}
    assert seen.unseen == frozenset()
    system.kubectl("delete", "pod", "operator-1", "--grace-period=0", "--force")
    assert (await operators.seen(state)).alive == {"operator-2"}


async def test_a_container_that_was_started_again_has_no_run_of_before(
    cluster: Cluster, claim: Claim, system: Namespace
) -> None:
    operators, state = Operators(cluster, claim, datetime.now(UTC)), run_of(place(system))
    before = run_of(place(system), ago=600)
    assert "one" in (await operators.seen(state)).alive
    assert "one" not in (await operators.seen(before)).alive


async def test_of_an_operator_that_was_no_pod_nothing_is_told(cluster: Cluster, claim: Claim) -> None:
    seen = await Operators(cluster, claim, datetime.now(UTC)).seen(run_of(None))
    assert seen.alive == {"operator-2", "one"}
    assert seen.unseen == {"one"}


async def test_where_pods_may_not_be_listed_nothing_is_told(in_pod: Cluster, claim: Claim, system: Namespace) -> None:
    seen = await Operators(in_pod, claim, datetime.now(UTC)).seen(run_of(place(system)))
    assert seen.pod == place(system)
    assert seen.unseen == {"one"}
    assert seen.alive == {"operator-2", "one"}


async def test_a_clock_that_was_put_back_leaves_the_pod_unnamed(in_pod: Cluster, claim: Claim) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    assert (await Operators(in_pod, claim, later).seen(EnvironmentState())).pod is None


async def test_who_has_the_same_directories_is_told_by_them(cluster: Cluster, claim: Claim, tmp_path: Path) -> None:
    other = Claim(tmp_path, "one", host="elsewhere")
    state = EnvironmentState(worked=(Worked(by="one", host="elsewhere", started=datetime.now(UTC), place=other.place),))
    operators = Operators(cluster, claim, datetime.now(UTC))
    assert other.place == claim.place
    assert "one" in (await operators.seen(state)).alive
    other.release()
    assert "one" not in (await operators.seen(state)).alive
