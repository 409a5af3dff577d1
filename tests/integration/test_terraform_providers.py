"""With a provider: a process of its own, on a socket of its own, that must end with its run."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.terraform_scene import Scene, processes_below, scene

from firelift.infra.terraform.errors import TerraformFailed, TimedOut
from firelift.infra.terraform.process import Limits
from firelift.sandbox.google_cloud import provider_environment
from firelift.sandbox.provider import ensure_provider_mirror

REQUIRED = {"required_providers": {"google": {"source": "hashicorp/google", "version": ">= 7.40.0, < 8.0.0"}}}
METRIC = {"google_logging_metric": {"errors": {"project": "p", "name": "errors", "filter": "severity>=ERROR"}}}
DOCUMENT = {"terraform": REQUIRED, "resource": METRIC}


@pytest.fixture
def silent() -> Iterator[str]:
    """The URL of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        host, port = server.getsockname()
        yield f"http://{host}:{port}"


@pytest.fixture
def ground(tmp_path: Path, silent: str) -> Scene:
    made = scene(tmp_path)
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", **provider_environment(silent)}
    return made.with_settings(provider_mirror=ensure_provider_mirror(), environment=environment)


async def test_a_provider_speaks_however_long_the_folders_path_is(ground: Scene, tmp_path: Path) -> None:
    root = tmp_path / ("a-pod-of-the-operator-with-a-long-name" * 3)
    root.mkdir()
    async with ground.with_settings(root=root).runner.open(ground.configuration(DOCUMENT)) as session:
        plan = await session.plan()
    assert [change["type"] for change in plan.document["resource_changes"]] == ["google_logging_metric"]
    assert "hashicorp/google" in plan.saved.lock_file


async def test_a_provider_that_waits_for_an_answer_ends_with_its_run(ground: Scene) -> None:
    limits = Limits(deadline_seconds=15, grace_seconds=10)
    async with ground.runner.open(ground.configuration(DOCUMENT), limits=limits) as session:
        plan = await session.plan()
    limits = Limits(deadline_seconds=4, grace_seconds=2)
    async with ground.runner.open(ground.configuration(DOCUMENT), limits=limits) as session:
        with pytest.raises(TimedOut, match="terraform apply did not end within 4 s"):
            await session.apply(plan.saved.plan)
        assert not processes_below(ground.folder)


async def test_a_plan_is_refused_with_providers_that_are_not_those_it_was_made_with(ground: Scene) -> None:
    async with ground.runner.open(ground.configuration(DOCUMENT)) as session:
        plan = await session.plan()
    other = plan.saved.lock_file.replace("h1:", "h1:A")
    with pytest.raises(TerraformFailed, match="terraform init ended with code 1"):
        async with ground.runner.open(ground.configuration(DOCUMENT), lock_file=other):
            pytest.fail("it was opened")
