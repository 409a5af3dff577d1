"""An operator of another release takes over in the middle of a migration, and again in the middle of its revert."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator

import pytest
from tests.e2e.conftest import Operators
from tests.e2e.world import World, flags, migrate, soak

from firelift.sandbox.processes import Process

SLOW = {"maxWritesPerSecond": 10, "batchSize": 5}
PATIENCE = 120.0


@pytest.fixture
def take_over(world: World, operator: Operators) -> Iterator[Callable[[str], Process]]:
    """Starts an operator of this world whose workers have another image; the one before it is asked to stop."""
    operator.kill()
    started: list[Process] = []

    def start(image: str) -> Process:
        if started:
            os.kill(started[-1].pid, signal.SIGTERM)
            world.until_fact(lambda: not started[-1].running, "the one before it has ended", PATIENCE)
        settings = {"FIRELIFT_NAMESPACES": world.namespace, "FIRELIFT_WORKER_IMAGE": image}
        started.append(world.sandbox.start_operator(f"{world.namespace}-{len(started)}", settings))
        return started[-1]

    yield start
    for each in started:
        each.kill()
        world.sandbox.supervisor.processes.remove(each)


@pytest.mark.timeout(600)
def test_an_upgrade_in_mid_migrate_and_one_in_mid_revert_change_neither_the_outcome_nor_the_image(
    world: World, take_over: Callable[[str], Process]
) -> None:
    world.seed(100)
    before = world.source()
    steps = [flags("write-both", "WRITE_BOTH", 100), migrate(100), soak(600)]
    take_over("firelift-worker:first")
    world.apply(world.manifest([{"name": "everyone", "steps": steps}], pace=SLOW))
    world.until_reason("Migrating", seconds=PATIENCE)
    world.until_fact(lambda: len(world.target()) > 5, "the first documents", PATIENCE)

    take_over("firelift-worker:second")
    world.until_reason("Soaking", seconds=PATIENCE)
    assert world.target() == world.expected(100)
    assert world.written_once()

    world.patch(intent="Revert", revertTo="RolloutStart")
    world.until_fact(lambda: len(world.target()) < 100, "the first documents are taken back", PATIENCE)
    take_over("firelift-worker:third")
    world.until_reason("Reverted", seconds=PATIENCE)
    assert (world.target(), world.source(), world.flags()) == ({}, before, {"THEME": "dark"})
    assert _images(world) == {"firelift-worker:first"}


def _images(world: World) -> set[str]:
    """Of the workers of all runs."""
    runs = (each.to_dict() or {} for each in world.database.collection_group("firelift_runs").stream())
    return {json.loads(run["plan"])["image"] for run in runs if run.get("plan")}
