"""What keeps a turn from its decision is in the status; and gates on the ledger in a soak."""

from __future__ import annotations

import pytest
from tests.e2e.objects import Json
from tests.e2e.world import World, migrate, phase, soak, verify


def on_ledger(metric: str) -> Json:
    """A gate on the ledger that allows nothing and is judged every second."""
    seconds = {"intervalSeconds": 1, "windowSeconds": 1, "delaySeconds": 0}
    return {"name": metric.lower(), "ledger": {"metric": metric}, "limit": {"max": "0"}, **seconds}


def test_a_soak_is_judged_by_what_the_ledger_says_of_its_phase(world: World) -> None:
    world.seed(100)
    steps = [migrate(100), verify(), soak(5, "Gates")]
    gates = [on_ledger("deadLetters"), on_ledger("mismatchRatio")]
    world.apply(world.manifest([{"name": "everyone", "steps": steps}], gates=gates))

    def judged(status: Json) -> bool:
        return status.get("step") == "soak" and status.get("gatesSummary", "").startswith("2/2")

    soaked = world.until(judged, "a soak with two passing gates")
    assert {gate["name"]: gate["samples"] for gate in soaked["gates"]} == {"deadletters": 100, "mismatchratio": 100}
    world.until_reason("Completed")


@pytest.mark.parametrize("deleted", [False, True])
def test_a_ledger_that_cannot_be_read_is_said_before_a_suspension_and_a_deletion(
    world: World, *, deleted: bool
) -> None:
    world.seed(20)
    world.apply(world.manifest([phase("everyone", 100, soak(600))]))
    world.until_reason("Soaking")
    world.patch(suspend=True)
    world.until_reason("Suspended")
    root = world.database.collection("_firelift").document(f"{world.namespace}.{world.name}")
    state = (root.get().to_dict() or {})["state"]

    root.update({"state": "{ half of it"})
    if deleted:
        world.delete()
        told = world.until_reason("LedgerUnreadable")
        assert "remove its finalizer" in told["message"]
    else:
        world.patch(progressDeadlineSeconds=77)
        told = world.until_reason("LedgerUnreadable")
        assert "the rollout's memory is not one that this version of Firelift can read" in told["message"]
        assert world.conditions()["Stalled"] == "True"
        generation = (world.get() or {})["metadata"]["generation"]
        world.until(lambda status: status.get("observedGeneration") == generation, "the edit to be seen")

    root.update({"state": state})
    if deleted:
        world.until_fact(lambda: world.get() is None, "the end of the object")
    else:
        world.patch(suspend=False)
        world.until_reason("Soaking")
