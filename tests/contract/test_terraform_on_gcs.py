"""A state in a bucket: with the provider's credentials, locked and released there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.object_storage import Bucket, bucket
from tests.terraform_scene import Scene, data, scene, slow

from firelift.infra.terraform.backend import GcsBackend
from firelift.infra.terraform.configuration import SavedPlan
from firelift.infra.terraform.errors import StateLocked, TimedOut
from firelift.infra.terraform.process import Limits
from firelift.infra.terraform.settings import google_identity, inherited

TOKEN = "ya29.of-this-environment-alone"  # noqa: S105 - nobody's


@pytest.fixture
def storage() -> Iterator[tuple[Bucket, str]]:
    with bucket() as served:
        yield served


@pytest.fixture
def ground(tmp_path: Path, storage: tuple[Bucket, str]) -> Scene:
    operator = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "GOOGLE_BACKEND_STORAGE_CUSTOM_ENDPOINT": storage[1],
        "GOOGLE_OAUTH_ACCESS_TOKEN": "ya29.of-the-operator",
    }
    environment = {**inherited(operator), **google_identity(access_token=TOKEN)}
    made = replace(scene(tmp_path), state=GcsBackend("states", "productivity/prod"))
    return made.with_settings(environment=environment)


async def test_a_state_is_an_object_written_with_the_environments_own_identity(
    ground: Scene, storage: tuple[Bucket, str]
) -> None:
    async with ground.runner.open(ground.configuration(data(index="a"))) as session:
        plan = await session.plan()
        applied = await session.apply(plan.saved.plan)
        again = await session.plan()
    assert sorted(storage[0].objects) == ["productivity/prod/default.tfstate"]
    assert (applied.added, again.changed) == (1, False)
    assert storage[0].tokens == {TOKEN}
    assert TOKEN.encode() not in plan.saved.plan
    assert SavedPlan.unpack(plan.saved.pack()).configuration.backend == ground.state


async def test_the_lock_of_a_killed_run_is_told_and_released_by_its_id(ground: Scene) -> None:
    limits = Limits(deadline_seconds=3, grace_seconds=0.5)
    async with ground.runner.open(ground.configuration(slow(ground.folder, stubborn=True)), limits=limits) as session:
        plan = await session.plan()
        with pytest.raises(TimedOut):
            await session.apply(plan.saved.plan)
    async with ground.runner.open(ground.configuration(data(a=1))) as session:
        with pytest.raises(StateLocked) as locked:
            await session.plan()
        assert locked.value.lock.created is not None
        assert locked.value.lock.operation == "Apply"
        await session.unlock(locked.value.lock.id)
        assert (await session.plan()).changed
