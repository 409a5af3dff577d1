"""How fast a verdict becomes a Hold, and a Hold the first step back. The times are the database's and the metric's."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Any

import pytest
from tests.e2e.world import World, gate, migrate, seconds

HOLD_SECONDS, REVERT_SECONDS = 2.0, 10.0


def test_workers_hold_and_the_revert_begins_soon_after_the_deciding_measurement(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.seed(400)
    slow = {"maxWritesPerSecond": 20, "batchSize": 5}
    phases = [{"name": "everyone", "steps": [migrate(100)]}]
    worker = {"parallelism": 2}
    world.apply(world.manifest(phases, gates=[gate(world)], pace=slow, worker=worker))
    world.until_fact(lambda: len(world.entries()) > 5, "a few chunks")

    world.error_percent = 50.0
    told = _told(world)
    judged = _deciding(world.until_reason("Reverting"))
    world.until_reason("Reverted")

    entries = [each.to_dict() | {"made": seconds(each.create_time)} for each in _documents(world, "firelift_journal")]
    forward = [each["made"] for each in entries if ".migrate.0" in each["run"] and each["kind"] == "chunk"]
    back = [each["made"] for each in entries if ".revert.0" in each["run"] and each["kind"] == "chunk"]
    took = {"told": told - judged, "last forward Commit": max(forward) - judged, "first revert": min(back) - judged}
    with capsys.disabled():
        sys.stdout.write(
            f"\nafter the verdict: {', '.join(f'{name} {seconds:.2f} s' for name, seconds in took.items())}\n"
        )
    assert max(took["told"], took["last forward Commit"]) <= HOLD_SECONDS, took
    assert took["first revert"] <= REVERT_SECONDS, took
    assert len(forward) < 80, "the run was over before it was stopped"
    assert world.target() == {}


def _deciding(status: dict[str, Any]) -> float:
    """The end of the window of the last verdict: the metric's own time, before it was even asked for."""
    seen = next(each for each in status["gates"] if each["name"] == "error-rate")
    assert seen["verdict"] == "Fail", seen
    return datetime.fromisoformat(seen["time"]).timestamp()


def _documents(world: World, collection: str) -> list[Any]:
    return list(world.database.collection_group(collection).stream())


def _told(world: World) -> float:
    """When the run's document first said anything but Run; what is written to it afterwards is of the way back."""
    seen: list[float] = []

    def held() -> bool:
        run = next(each for each in _documents(world, "firelift_runs") if each.id.endswith(".migrate.0"))
        if (run.to_dict() or {})["state"] != "Run":
            seen.append(seconds(run.update_time))
        return bool(seen)

    world.until_fact(held, "workers are told to hold")
    return seen[0]
