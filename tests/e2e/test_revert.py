from __future__ import annotations

import re

from tests.e2e.world import World, gate, moved, phase, soak


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
    # The first window with the new rate in it may hold some of the old as well, and its mean both.
    assert re.search(r"gate error-rate: [1-7](\.\d+)? > 1 ", reverted["message"]), reverted["message"]
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
