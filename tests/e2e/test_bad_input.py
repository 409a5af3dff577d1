from __future__ import annotations

import hashlib
from typing import Any

import pytest
from tests.e2e.world import MIGRATION, World, migrate, phase, soak

VALIDATE = [{"rule": "out.calories < 1000", "message": "calories must stay below 1000"}]


def everyone(**changes: Any) -> dict[str, Any]:
    return {"migrations": [MIGRATION | changes], "onFailure": {"action": "Pause"}}


def test_records_that_cannot_move_are_set_aside_and_counted(world: World) -> None:
    world.seed(60)
    world.database.document("logs/00003").update({"calories": 5000})
    world.database.document("logs/00007").update({"userId": 1.5})
    world.database.document("logs/00009").update({"ts": "yesterday"})

    world.apply(world.manifest([{"name": "everyone", "steps": [migrate(100)]}], **everyone(validate=VALIDATE)))
    done = world.until_reason("Completed")

    phase_status = done["phases"][0]
    assert (phase_status["documents"], phase_status["deadLetters"]) == (57, 3)
    assert len(world.target()) == 57
    letters = [each.to_dict() or {} for each in world.database.collection_group("firelift_deadletters").stream()]
    assert len(letters) == 3


@pytest.mark.parametrize(
    ("changes", "reason", "sentence"),
    [
        ({"validate": VALIDATE, "onInvalid": "Fail"}, "StepFailed", "calories must stay below 1000"),
        ({"transform": {"python": {"entrypoint": "no.such.module:convert"}}}, "PreflightFailed", "no.such.module"),
    ],
    ids=["an invalid record", "a transform that is not there"],
)
def test_what_only_a_person_can_mend_stops_the_rollout_with_its_sentence(
    world: World, changes: dict[str, Any], reason: str, sentence: str
) -> None:
    world.seed(20)
    world.database.document("logs/00003").update({"calories": 5000})

    world.apply(world.manifest([{"name": "everyone", "steps": [migrate(100)]}], **everyone(**changes)))

    failed = world.until_reason(reason)
    assert sentence in failed["message"], failed["message"]
    assert world.conditions()["Stalled"] == "True"


def test_a_wrong_manifest_is_refused_before_anything_happens(world: World) -> None:
    two_verbs = {**migrate(100), **soak(1)}

    with pytest.raises(Exception, match="exactly one of flags, migrate"):
        world.apply(world.manifest([{"name": "everyone", "steps": [two_verbs]}]))
    assert world.get() is None


def test_a_cluster_that_refuses_the_job_is_said_and_asked_again(world: World) -> None:
    world.seed(20)
    run = f"{world.namespace}/logs/{world.namespace}.logs/a1.everyone.migrate.logs.migrate.0"
    taken = f"logs-{hashlib.sha256(run.encode()).hexdigest()[:10]}"
    world.sandbox.kubectl("create", "job", taken, "-n", world.namespace, "--image=any", "--", "true")

    world.apply(world.manifest([{"name": "everyone", "steps": [migrate(100)]}]))
    told = world.until(lambda status: taken in status.get("message", ""), "the name of the Job that is in the way")
    assert "delete or rename that Job" in told["message"]
    assert told["reason"] == "Migrating"
    world.sandbox.kubectl("delete", "job", taken, "-n", world.namespace)

    world.until_reason("Completed")
    assert world.target() == world.expected(100)


def test_a_verify_that_finds_a_difference_stops_the_rollout_with_both_numbers(world: World) -> None:
    world.seed(60)
    steps = [migrate(100), {"approve": {"count": 1}}, {"verify": {"maxMismatch": "1%", "recheckSeconds": 0}}]
    world.apply(world.manifest([{"name": "everyone", "steps": steps}], onFailure={"action": "Pause"}))
    world.until_reason("AwaitingApproval")
    for path in sorted(world.target())[:6]:
        world.database.document(path).delete()
    world.approve()

    failed = world.until_reason("StepFailed")
    assert "10" in failed["message"], failed["message"]
    assert "1%" in failed["message"], failed["message"]


def test_an_empty_collection_is_a_rollout_that_completes(world: World) -> None:
    world.apply(world.manifest([phase("everyone", 100)]))

    world.until_reason("Completed")
    assert world.target() == {}
