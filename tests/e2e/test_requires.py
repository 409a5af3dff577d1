from __future__ import annotations

from collections.abc import Callable

from tests.e2e.objects import GROUP, VERSION, Json
from tests.e2e.world import World, phase

SOON = 30
"""Seconds; less than the minute after which a rollout looks by itself at those that it requires."""


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
    world.apply(world.manifest([phase("everyone", 100)], requires=required))

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


def test_production_waits_for_staging_and_then_moves_by_the_same_plan(make_world: Callable[[], World]) -> None:
    staging, production = make_world(), make_world()
    staging.seed(40)
    production.seed(60)
    title = f"MigrationRollout {staging.namespace}/logs"
    required = {"rollouts": [{"name": "logs", "namespace": staging.namespace}]}
    production.apply(production.manifest([phase("everyone", 100)], requires=required))
    hidden = production.until_reason("WaitingForRollout")
    assert f"{title}: there is none that this namespace may see" in hidden["message"]
    assert hidden["waitingFor"]["name"] == title

    back = {"rollouts": [{"name": "logs", "namespace": production.namespace}]}
    asked = phase("everyone", 100, {"approve": {}})
    staging.apply(staging.manifest([asked], requires=back, promotesTo=[production.namespace]))
    circle = production.until_reason("InvalidSpec", seconds=SOON)
    assert f"requires {title}, which requires MigrationRollout logs: none of them would ever start" in circle["message"]

    staging.patch(requires={"rollouts": []})
    staging.until_reason("AwaitingApproval")
    production.until(lambda status: "it is AwaitingApproval in phase everyone" in status["message"], "what it is", SOON)
    assert (production.target(), production.jobs()) == ({}, [])

    staging.approve()
    staging.until_reason("Completed")
    done = production.until_reason("Completed", seconds=SOON)
    assert production.target() == production.expected(100)
    digests = {world.status()["promotion"]["digest"] for world in (staging, production)}
    assert len(digests) == 1
    assert done["promotion"]["completedTime"]


def test_another_plan_than_the_one_that_staging_has_completed_is_refused(make_world: Callable[[], World]) -> None:
    staging, production = make_world(), make_world()
    staging.seed(20)
    production.seed(20)
    staging.apply(staging.manifest([phase("everyone", 100)], promotesTo=[production.namespace]))
    waited = ("--for=jsonpath={.status.promotion.completedTime}", "--timeout=60s")
    staging.sandbox.kubectl("wait", "mroll/logs", "-n", staging.namespace, *waited)

    required = {"name": "logs", "namespace": staging.namespace}
    production.apply(production.manifest([phase("all-at-once", 100)], requires={"rollouts": [required]}))
    refused = production.until_reason("PlanDiffers")
    title = f"MigrationRollout {staging.namespace}/logs"
    assert f"{title} has completed another plan: phase all-at-once, phase everyone; compare" in refused["message"]
    assert production.conditions()["Stalled"] == "True"
    assert "PlanDiffers" in production.wide()
    assert (production.target(), production.jobs()) == ({}, [])

    production.patch(requires={"rollouts": [{**required, "same": "Migrations"}]})
    production.until_reason("Completed")
    assert production.target() == production.expected(100)
