"""A namespace that may not touch its database any more: work stops, and what was written can be taken back."""

from __future__ import annotations

import json

import pytest
from tests.e2e.world import World, phase

from firelift.api.tenancy import DATABASES


def test_a_permission_that_ends_in_mid_run_stops_the_work_and_leaves_the_way_back_open(world: World) -> None:
    world.seed(600)
    before = world.source()
    slowly = {"maxWritesPerSecond": 5, "batchSize": 5}
    world.apply(world.manifest([phase("everyone", 100)], pace=slowly))
    world.until_fact(lambda: len(world.target()) > 5, "the first documents")

    world.sandbox.kubectl("annotate", "namespace", world.namespace, f"{DATABASES}=gym-prod/* {world.project}/orders")
    said = world.until_reason("DatabaseNotAllowed", seconds=90)
    allowed = f"its annotation {DATABASES} allows gym-prod/* {world.project}/orders"
    assert f"may not touch database {world.project}/(default): {allowed}" in said["message"]
    assert world.conditions()["Stalled"] == "True"
    # The status is written first, then people and the runs are told.
    world.until_fact(lambda: _events(world, "DatabaseNotAllowed") == ["Warning"], "one Event")
    world.until_fact(lambda: _moving(world) == ["Hold"], "the run is on hold")
    assert len(world.target()) < 600

    def refused() -> bool:
        with pytest.raises(Exception, match="denied request") as answer:
            world.patch(pace={"maxWritesPerSecond": 5000})
        return allowed in str(answer.value)

    world.until_fact(refused, "the API server's refusal")
    world.patch(intent="Revert", revertTo="RolloutStart")
    world.until_reason("Reverted", seconds=120)
    assert (world.target(), world.source()) == ({}, before)

    world.delete()
    world.until_fact(lambda: world.get() is None, "the object is gone")


def _events(world: World, reason: str) -> list[str]:
    """The types of the rollout's Events with this reason."""
    found = json.loads(world.sandbox.kubectl("get", "events", "-n", world.namespace, "-o", "json"))["items"]
    return [each["type"] for each in found if each["reason"] == reason]


def _moving(world: World) -> list[str]:
    """The states of the runs that migrate."""
    documents = (each.to_dict() or {} for each in world.database.collection_group("firelift_runs").stream())
    return [each["state"] for each in documents if json.loads(each.get("plan", "{}")).get("kind") == "migrate"]
