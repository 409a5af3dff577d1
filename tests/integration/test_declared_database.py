"""A rollout that declares a uid, an API server, a database behind a recording proxy, and what GetDatabase answers."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio
from tests.fault_proxy import Call
from tests.integration.turn_scene import Scene, turn_scene

from firelift.api.rollout import RolloutSpec
from firelift.kube.client import Cluster
from firelift.operator.databases import ADMIN_ENDPOINT_VARIABLE
from firelift.sandbox.sandbox import Sandbox

UID = "3b9d5a0e-5d0c-4c43-9a0b-1f2d6c8e7a90"


@pytest_asyncio.fixture
async def scene(
    cluster: Cluster, crds: Sandbox, emulator: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Scene]:
    async with turn_scene(cluster, crds, emulator, monkeypatch, uid=UID) as made:
        yield made


@pytest.fixture
def written(scene: Scene) -> list[str]:
    """The methods by which the operator asked the database to change something.

    The plan's Job is a process of its own, and may be at its probe or its report when the test begins another turn.
    """
    found: list[str] = []

    def note(call: Call) -> None:
        plan = b".probe" in call.request or b".report" in call.request
        if call.method in {"Commit", "BatchWrite", "Write"} and not plan:
            found.append(call.method)

    scene.proxy.decide = note
    return found


async def test_a_database_of_another_uid_is_not_written_to_until_it_is_the_declared_one(
    scene: Scene, crds: Sandbox, written: list[str]
) -> None:
    assert await _reason(scene) == ("DatabaseDiffers", "is another one, or was made anew under its name")
    assert (written, await scene.root()) == ([], None)

    await _answers(scene, crds, UID)

    assert (await _reason(scene))[0] in {"Starting", "Planning"}
    root = await scene.root()
    assert root is not None
    assert root.database_uid == UID


async def test_a_database_that_is_made_anew_behind_the_claim_is_not_written_to_any_more(
    scene: Scene, crds: Sandbox, written: list[str]
) -> None:
    await _answers(scene, crds, UID)
    await _reason(scene)
    before = written.copy()
    assert before
    await _answers(scene, crds, "8c1f4bd2-0a55-4d7e-8b27-6f0f3c9e1d44")

    assert await _reason(scene) == ("DatabaseDiffers", "is another one, or was made anew under its name")
    assert written == before


async def test_an_emulator_alone_answers_no_uid_even_where_the_real_service_would(
    scene: Scene, written: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(ADMIN_ENDPOINT_VARIABLE)

    assert await _reason(scene) == ("DatabaseDiffers", "grant the operator's service account roles/datastore.viewer")
    assert (written, await scene.root()) == ([], None)


async def _reason(scene: Scene) -> tuple[str, str]:
    """What the status says behind a few turns of a new operator: its reason, and which sentence it has."""
    async with scene.operator() as operator:
        for _ in range(3):
            await operator.turn(scene.key)
    seen = await scene.object()
    assert seen is not None
    sentences = (
        "is another one, or was made anew under its name",
        "grant the operator's service account roles/datastore.viewer",
    )
    said = next((each for each in sentences if each in seen.status["message"]), "")
    return seen.status["reason"], said


async def _answers(scene: Scene, crds: Sandbox, uid: str) -> None:
    seen = await scene.object()
    assert seen is not None
    assert seen.value is not None
    spec: RolloutSpec = seen.value.spec
    name = f"projects/{spec.database.project}/databases/{spec.database.name}"
    async with aiohttp.ClientSession(crds.control_url) as control:
        answer = await control.post("/databases", json={"name": name, "uid": uid})
        assert (await answer.json())["uid"] == uid
