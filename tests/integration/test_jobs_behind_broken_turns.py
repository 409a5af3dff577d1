"""A turn behind one that broke off looks through all Jobs of its rollout, and keeps those that it has just made."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from tests.fault_proxy import Call, Code, Fault
from tests.integration.turn_scene import Scene, turn_scene

from firelift.api.base import RUN_ANNOTATION
from firelift.kube.client import Cluster, Json
from firelift.sandbox.sandbox import Sandbox


@pytest_asyncio.fixture
async def scene(
    cluster: Cluster, crds: Sandbox, emulator: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Scene]:
    async with turn_scene(cluster, crds, emulator, monkeypatch) as made:
        yield made


async def jobs(scene: Scene) -> list[Json]:
    """All of the rollout's namespace."""
    found: list[Json] = (await scene.cluster.get(f"/apis/batch/v1/namespaces/{scene.key.namespace}/jobs"))["items"]
    return found


async def only_job(scene: Scene) -> str:
    """The UID of the plan's Job, which nobody has told to go."""
    (job,) = await jobs(scene)
    assert job["metadata"]["annotations"][RUN_ANNOTATION] == "a1.a.preflight.all.plan.1"
    assert "deletionTimestamp" not in job["metadata"]
    return str(job["metadata"]["uid"])


async def test_a_job_that_is_made_behind_a_turn_that_broke_off_stays(scene: Scene) -> None:
    async with scene.operator() as operator:
        await operator.turn(scene.key)
        # The next turn decides on a run that no turn has looked at, and cannot record that it did.
        scene.proxy.decide = lambda call: Fault(Code.FAILED_PRECONDITION, deliveries=0) if _commits(call) else None
        await operator.turn(scene.key)
        assert scene.proxy.told
        assert await jobs(scene) == []
        scene.proxy.decide = lambda _: None

        await operator.turn(scene.key)
        made = await only_job(scene)
        await operator.turn(scene.key)
        assert await only_job(scene) == made


async def test_a_job_that_an_operator_makes_in_its_first_turn_stays(scene: Scene) -> None:
    async with scene.operator() as operator:
        await operator.turn(scene.key)
    assert await jobs(scene) == []

    async with scene.operator() as operator:
        await operator.turn(scene.key)
        await only_job(scene)


def _commits(call: Call) -> bool:
    return call.method == "Commit"
