"""Backups on real parts: waited for, made once whoever dies, and brought back with the documents of the emulator."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.e2e.conftest import Operators
from tests.e2e.objects import Json
from tests.e2e.world import World, migrate, original

BUCKET = "gs://shop-backups/firestore"


def export(minimum: int = 1) -> Json:
    """A step that exports what is migrated."""
    return {"backup": {"export": {"bucket": BUCKET, "collections": ["logs"]}, "minBytes": minimum}}


@pytest.fixture
def slow(world: World) -> Iterator[World]:
    """A world whose exports and imports take three seconds."""
    world.control("builds", {"export_seconds": 3})
    yield world
    world.heal()
    world.control("builds", {"export_seconds": 0})


def test_a_rollout_waits_for_a_backup_that_is_young_and_large_enough(world: World) -> None:
    world.seed(50)
    required = {"backup": {"maxAgeSeconds": 3600, "minBytes": 1_000_000}}
    world.apply(world.manifest([{"name": "everyone", "steps": [migrate(100)]}], requires=required))
    waiting = world.until(lambda status: "there is no complete backup" in status.get("message", ""), "what it lacks")
    assert (waiting["reason"], world.target(), world.jobs()) == ("WaitingForBackup", {}, [])

    database = f"projects/{world.project}/databases/(default)"
    world.control("backups", {"database": database, "age_seconds": 7200, "size_bytes": 5_000_000})
    world.patch(progressDeadlineSeconds=3000)  # somebody cannot wait until it is looked for again
    world.until(lambda status: "s old > maxAgeSeconds 3,600s" in status["message"], "that it is too old")
    world.control("backups", {"database": database, "age_seconds": 60, "size_bytes": 5_000_000})
    done = world.until_reason("Completed")
    assert "BackupFound" in [each["reason"] for each in done["history"]]
    assert world.target() == world.expected(100)


def test_an_operator_that_is_killed_while_it_exports_makes_no_second_export(slow: World, operator: Operators) -> None:
    world = slow
    world.control("builds", {"export_seconds": 12})
    world.seed(50)
    # The call takes effect and its answer is lost: what comes next must find what is there.
    lost = {"method": "ExportDocuments", "match": world.project, "code": "UNAVAILABLE", "count": 1, "applied": True}
    world.control("faults", lost)
    world.apply(world.manifest([{"name": "everyone", "steps": [export(1000), migrate(100)]}]))
    world.until_fact(world.exports, "the export has begun")
    operator.restart()
    world.until(lambda status: "is PROCESSING" in status["message"], "how far the export is")
    assert world.target() == {}
    operator.restart()
    done = world.until_reason("Completed")

    (made,) = world.exports()
    assert (made["documents"], made["complete"]) == (50, True)
    assert made["prefix"].startswith(f"{BUCKET}/{world.namespace}.logs/1-everyone-backup-")
    step = done["phases"][0]["steps"][0]
    assert step["message"] == f"50 documents, {made['bytes']:,} bytes exported to {made['prefix']}"
    assert world.target() == world.expected(100)


def test_an_export_of_an_aborted_rollout_is_cancelled(slow: World) -> None:
    world = slow
    world.control("builds", {"export_seconds": 600})
    world.seed(10)
    world.apply(world.manifest([{"name": "everyone", "steps": [export(), migrate(100)]}]))
    world.until(lambda status: "is PROCESSING" in status.get("message", ""), "how far the export is")
    world.patch(intent="Abort")
    aborted = world.until_reason("Aborted")
    assert "the export to gs://" in aborted["message"]
    world.until(lambda status: "is cancelled" not in status["message"], "that nothing goes on")
    (made,) = world.exports()
    assert not made["complete"]


def test_a_restore_brings_documents_back_and_deletes_none(slow: World) -> None:
    world = slow
    world.seed(30)
    before = world.source()
    world.apply(world.manifest([{"name": "copy", "steps": [export()]}]))
    world.until_reason("Completed")
    (made,) = world.exports()

    world.database.document("logs/00000").update({"calories": -1})
    world.database.document("logs/00001").delete()
    world.database.document("logs/later").set(original(7))
    world.name = "restored"
    restore = {"restore": {"export": made["prefix"], "collections": ["logs"]}, "irreversible": True}
    world.apply(world.manifest([{"name": "bring-back", "steps": [restore]}]))
    asked = world.until_reason("AwaitingApproval")
    assert "an import deletes nothing: documents created since that export stay" in asked["message"]
    world.approve()
    world.approve(restores="gs://shop-backups/another")
    assert world.until_reason("AwaitingApproval")["message"] == asked["message"]
    assert world.source() != before
    world.approve(restores=made["prefix"])
    done = world.until_reason("Completed")

    assert world.source() == before | {"later": original(7)}
    assert "30 documents" in done["phases"][0]["steps"][0]["message"]
    world.patch(intent="Revert", revertTo="RolloutStart")
    stuck = world.until_reason("RevertFailed")
    assert "it is irreversible" in stuck["message"]
