from __future__ import annotations

from tests.e2e.world import MIGRATION, World, migrate

VALIDATE = [{"rule": "out.calories < 1000", "message": "calories must stay below 1000"}]
STEPS = [migrate(100), {"verify": {"recheckSeconds": 0}}, {"approve": {}}, {"sweep": {}}]


def test_a_rehearsed_phase_is_taken_back_before_it_counts_and_a_sweep_takes_up_what_came_late(world: World) -> None:
    world.seed(120)
    mended = world.database.document("logs/00003").get().to_dict() or {}
    world.database.document("logs/00003").update({"calories": 5000})
    migrations = [MIGRATION | {"validate": VALIDATE}]
    world.apply(world.manifest([{"name": "everyone", "rehearse": True, "steps": STEPS}], migrations=migrations))

    rehearsed = world.until_reason("AwaitingApproval")
    assert rehearsed["phases"][0]["rehearsal"] == "Done"
    assert (rehearsed["phases"][0]["documents"], rehearsed["phases"][0]["deadLetters"]) == (119, 1)
    runs = {entry["run"] for entry in world.entries()}
    assert {run.partition("everyone.")[2] for run in runs} == {
        "migrate.logs.migrate.0",
        "verify.logs.verify.0",
        "migrate.logs.revert.0",
        "migrate.logs.revert-verify.0",
        "migrate.logs.migrate.1",
        "verify.logs.verify.500",
    }

    world.database.document("logs/00003").set(mended)
    world.database.document("logs/late").set(mended)
    world.approve()
    done = world.until_reason("Completed")
    assert world.target() == world.expected(100)
    assert len(world.target()) == 121
    assert (done["phases"][0]["documents"], done["phases"][0]["deadLetters"]) == (121, 0)
