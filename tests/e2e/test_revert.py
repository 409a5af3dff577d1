from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.e2e.world import World, gate, migrate, moved, phase, soak


def test_a_broken_gate_takes_its_phase_back_and_leaves_the_earlier_ones(world: World) -> None:
    world.seed(300)
    before = world.source()
    phases = [phase("ten-percent", 10), phase("everyone", 100, soak(600, "Gates"))]
    world.apply(world.manifest(phases, gates=[gate(world)]))
    world.until(lambda status: status.get("step") == "soak", "the soak of everyone")
    assert world.target() == world.expected(100)

    world.error_percent = 7.5
    reverted = world.until_reason("Reverted", "RevertedWithConflicts", "RevertFailed")

    assert reverted["reason"] == "Reverted"
    assert "7.5 > 1" in reverted["message"], reverted["message"]
    assert world.target() == world.expected(10)
    assert world.source() == before
    assert (world.flags()["WRITE_BOTH"], world.flags()["READ_NEW"]) == ("10", "10")
    assert world.conditions() == {"Ready": "False", "Reconciling": "False", "Stalled": "True", "Succeeded": "False"}


def test_a_revert_of_the_whole_rollout_brings_the_old_data_and_flags_back(world: World) -> None:
    world.seed(300)
    before = world.source()
    world.apply(world.manifest([phase("ten-percent", 10), phase("everyone", 100, soak(600))]))
    world.until_reason("Soaking")

    world.patch(intent="Revert", revertTo="RolloutStart")
    world.until_reason("Reverted")

    assert world.target() == {}
    assert world.source() == before
    assert world.flags() == {"THEME": "dark"}


def test_a_documents_live_edit_survives_a_revert_and_is_counted(world: World) -> None:
    world.seed(100)
    world.apply(world.manifest([phase("everyone", 100, soak(600))]))
    world.until_reason("Soaking")
    edited, path = {"note": "written by the app"}, min(world.target())
    world.database.document(path).set(edited, merge=True)
    whole = world.database.document(path).get().to_dict()

    world.patch(intent="Revert", revertTo="RolloutStart")
    reverted = world.until_reason("RevertedWithConflicts")

    assert world.target() == {path: whole}
    assert "1 conflict" in reverted["message"], reverted["message"]


def test_workers_hold_within_two_seconds_and_the_way_back_begins_within_ten(world: World) -> None:
    world.seed(300)
    slow = {"maxWritesPerSecond": 15, "batchSize": 5}
    everyone = {"name": "everyone", "steps": [migrate(100)]}
    world.apply(world.manifest([everyone], gates=[gate(world)], pace=slow))
    world.until_fact(lambda: len(world.entries()) > 3, "a few chunks")

    world.error_percent = 50.0
    reverting = world.until_reason("Reverting")
    held = _run(world, ".migrate.0").update_time
    world.until_reason("Reverted")

    failing = next(entry for entry in reverting["history"] if "error-rate" in entry["message"])
    decided = datetime.fromisoformat(failing["time"])
    deciding = _measured(world, decided)
    first = min(each.create_time for each in _journal(world) if ".revert." in each.id)
    assert (held - deciding).total_seconds() <= 2, (deciding, held)
    assert (first - deciding).total_seconds() <= 10, (deciding, first)
    assert world.target() == {}


def test_a_migration_in_place_is_taken_back_exactly(world: World) -> None:
    world.seed(200)
    before = world.source()
    in_place = {
        "name": "logs",
        "source": {"collection": "logs"},
        "target": {"inPlace": {}},
        "entityKey": "userId",
        "appliesWhen": "!has(doc.logType)",
        "transform": {"rename": {"type": "logType"}, "set": {"createdAt": "timestamp(doc.ts)"}, "remove": ["ts"]},
    }
    world.apply(world.manifest([phase("everyone", 100, soak(600))], migrations=[in_place]))
    world.until_reason("Soaking")
    assert world.source() == {name: moved(each) for name, each in before.items()}

    world.patch(intent="Revert", revertTo="RolloutStart")
    world.until_reason("Reverted")

    assert world.source() == before


def _journal(world: World) -> list[Any]:
    return list(world.database.collection_group("firelift_journal").stream())


def _run(world: World, suffix: str) -> Any:
    runs = world.database.collection_group("firelift_runs").stream()
    return next(each for each in runs if each.id.endswith(suffix))


def _measured(world: World, decided: datetime) -> datetime:
    """When the provider was asked for the last time before the decision."""
    return max(asked for asked in world.questions() if asked <= decided)
