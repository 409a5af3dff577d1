from __future__ import annotations

from tests.e2e.world import World, gate, phase, soak


def test_a_rollout_moves_everything_phase_by_phase_and_says_so(world: World) -> None:
    world.seed(300)
    phases = [phase("ten-percent", 10, soak(3, "Gates")), phase("everyone", 100)]
    world.apply(world.manifest(phases, gates=[gate(world)]))

    soaking = world.until_reason("Soaking")
    assert soaking["startedPhases"] == ["ten-percent"]
    assert world.target() == world.expected(10)
    assert world.flags()["READ_NEW"] == "10"

    done = world.until_reason("Completed")
    assert world.conditions() == {"Ready": "True", "Reconciling": "False", "Stalled": "False", "Succeeded": "True"}
    assert done["startedPhases"] == ["ten-percent", "everyone"]
    assert world.target() == world.expected(100)
    assert len(world.source()) == 300
    assert world.flags() == {
        "THEME": "dark",
        "WRITE_BOTH": "100",
        "READ_NEW": "100",
        "WRITE_BOTH_SEED": f"{world.namespace}.logs",
        "READ_NEW_SEED": f"{world.namespace}.logs",
    }
    assert world.jobs() == []
