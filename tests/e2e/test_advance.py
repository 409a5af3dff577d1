from __future__ import annotations

import json
from pathlib import Path

from tests.e2e.conftest import Operators
from tests.e2e.objects import Json
from tests.e2e.world import World, gate, phase, soak


def test_a_rollout_moves_everything_phase_by_phase_and_says_so(world: World, operator: Operators) -> None:
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

    log = operator.current.log
    world.until_fact(lambda: told(log, world.namespace)[-1]["to"] == "Completed", "the log says so, too")
    changes = told(log, world.namespace)
    assert changes[0]["to"] == "Starting ten-percent"
    assert [each["from"] for each in changes[1:]] == [each["to"] for each in changes[:-1]]
    assert all(each["from"] != each["to"] for each in changes)
    assert {"Migrating ten-percent/migrate", "Soaking ten-percent/soak"} <= {each["to"] for each in changes}
    assert (changes[-1]["reason"], changes[-1]["message"]) == ("Completed", done["message"])


def told(log: Path, namespace: str) -> list[Json]:
    """What an operator's log says of a namespace's rollout at INFO: its changes, and nothing else."""
    spoken = [
        each for each in map(json.loads, log.read_text().rpartition("\n")[0].splitlines()) if each["level"] == "info"
    ]
    assert {each["event"] for each in spoken} <= {"standing by", "leading", "state changed", "run ended"}
    mine = [each for each in spoken if namespace in json.dumps(each)]
    assert {(each["event"], each["kind"], each["namespace"], each["name"]) for each in mine} == {
        ("state changed", "rollout", namespace, "logs")
    }
    return mine
