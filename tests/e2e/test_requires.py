from __future__ import annotations

from tests.e2e.objects import GROUP, VERSION, Json
from tests.e2e.world import World, phase


def ground(world: World, project: str) -> Json:
    """An environment that nobody has planned yet, and that is looked at all the same."""
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "FirestoreEnvironment",
        "metadata": {"name": "ground", "namespace": world.namespace},
        "spec": {"suspend": True, "project": {"id": project}, "database": {"location": "nam5"}},
    }


def test_a_rollout_waits_for_its_environment_and_goes_back_without_it(world: World) -> None:
    world.seed(100)
    required = {"environment": {"name": "ground"}}
    world.apply(world.manifest([phase("ten-percent", 10), phase("everyone", 100)], requires=required))

    waiting = world.until_reason("WaitingForEnvironment")
    assert "FirestoreEnvironment ground: there is none of that name in this namespace" in waiting["message"]
    assert waiting["waitingFor"]["name"] == "FirestoreEnvironment ground"
    assert (world.target(), world.jobs()) == ({}, [])

    world.apply(ground(world, world.project))
    seen = world.until(lambda status: "Ready is False" in status["message"], "what the environment says")
    assert seen["reason"] == "WaitingForEnvironment"
    assert world.target() == {}

    world.patch(requires={"environment": None})
    world.until_reason("Completed")
    assert world.target() == world.expected(100)
    world.patch(requires=required, intent="Revert", revertTo="RolloutStart")
    world.until_reason("Reverted")
    assert world.target() == {}


def test_an_environment_of_another_database_is_a_mistake(world: World) -> None:
    world.seed(10)
    world.apply(ground(world, "another"))
    world.apply(world.manifest([phase("everyone", 100)], requires={"environment": {"name": "ground"}}))
    status = world.until_reason("InvalidSpec")
    assert "declares database (default) of project another" in status["message"]


def test_a_gate_on_an_environment_that_is_not_there_is_known_before_anything_is_written(world: World) -> None:
    world.seed(10)
    gate = {"name": "indexes", "environment": {"name": "ground", "condition": "IndexesReady"}, "limit": {"min": "1"}}
    world.apply(world.manifest([phase("everyone", 100)], gates=[gate]))
    told = world.until_reason("PreflightFailed")
    assert "there is no FirestoreEnvironment ground in this namespace" in told["message"]
    assert world.target() == {}
