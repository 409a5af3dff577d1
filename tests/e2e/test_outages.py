from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator

import pytest
from tests.e2e.conftest import LEASE_SECONDS, Operators
from tests.e2e.world import World, gate, migrate, phase, soak

SLOW = {"maxWritesPerSecond": 40, "batchSize": 5}


@pytest.fixture(autouse=True)
def healed(world: World) -> Iterator[None]:
    yield
    world.heal()
    world.sandbox.resume_emulator()


def test_a_killed_operator_changes_nothing_in_the_outcome(world: World, operator: Operators) -> None:
    world.seed(200)
    world.apply(world.manifest([phase("everyone", 100)], pace=SLOW))
    world.until_fact(lambda: len(world.target()) > 5, "the first documents")

    operator.restart()

    world.until_reason("Completed")
    assert world.target() == world.expected(100)
    assert world.written_once()


def test_a_killed_worker_changes_nothing_in_the_outcome(world: World) -> None:
    world.seed(200)
    world.apply(world.manifest([phase("everyone", 100)], pace=SLOW))
    world.until_fact(lambda: len(world.target()) > 5, "the first documents")

    for pid in world.workers():
        os.kill(pid, signal.SIGKILL)

    world.until_reason("Completed")
    assert world.target() == world.expected(100)
    assert world.written_once()


def test_a_database_that_is_away_is_said_and_waited_for(world: World) -> None:
    world.seed(200)
    world.apply(world.manifest([phase("everyone", 100)], pace=SLOW))
    world.until_fact(lambda: len(world.target()) > 5, "the first documents")

    world.sandbox.pause_emulator()
    away = world.until_reason("DatabaseUnreachable")
    assert world.project in away["message"]
    assert away["startedPhases"] == ["everyone"]
    world.sandbox.resume_emulator()

    world.until_reason("Completed")
    assert world.target() == world.expected(100)
    assert world.written_once()


FAULTS: dict[str, dict[str, object]] = {
    "an error": {"code": "UNAVAILABLE"},
    "no series": {"empty": True},
    "not a number": {"nan": True},
    "no answer": {"latency_ms": 60_000},
}


def test_without_measurements_nothing_advances_and_nothing_reverts(make_world: Callable[[], World]) -> None:
    worlds = [make_world() for _ in FAULTS]
    for world in worlds:
        world.seed(40)
        asked = {"name": "asked", "steps": [{"approve": {"count": 1}}]}
        world.apply(world.manifest([asked, phase("everyone", 100, soak(2, "Gates"))], gates=[gate(world)]))
    for world, fault in zip(worlds, FAULTS.values(), strict=True):
        world.until_reason("AwaitingApproval")  # behind a plan whose gate still answered
        world.fault(**fault)
        world.approve()

    waiting = [world.until_reason("WaitingForEvidence") for world in worlds]
    since = time.monotonic()
    worlds[0].until_fact(lambda: time.monotonic() - since > 3, "a while")
    for world, status in zip(worlds, waiting, strict=True):
        assert world.status()["reason"] == "WaitingForEvidence"
        assert status["gates"][0]["verdict"] in {"Error", "NoData", "Pending"}
        assert world.target() == world.expected(100)

    worlds[0].heal()
    for world in worlds:
        world.until_reason("Completed")


def test_a_frozen_and_revived_leader_changes_nothing(world: World, operator: Operators) -> None:
    world.seed(300)
    world.apply(world.manifest([phase("everyone", 100)], pace=SLOW))
    world.until_fact(lambda: len(world.target()) > 5, "the first documents")
    frozen = operator.current
    follower = operator.start()

    frozen.pause()
    paused = time.monotonic()
    world.until_fact(lambda: "leading" in follower.log.read_text(), "the other one leads")
    world.until_fact(lambda: time.monotonic() - paused > 2 * LEASE_SECONDS, "twice the Lease")
    frozen.resume()

    world.until_fact(lambda: not frozen.running, "the revived one ends by itself")
    assert "leadership lost" in frozen.tail()
    world.until_reason("Completed")
    assert world.target() == world.expected(100)
    assert world.written_once()
    assert follower.running


def test_an_object_made_anew_goes_on_where_the_old_one_was(world: World) -> None:
    world.seed(200)
    manifest = world.manifest(
        [phase("half", 50), phase("everyone", 100)], pace={"maxWritesPerSecond": 100, "batchSize": 5}
    )
    world.apply(manifest)
    world.until(lambda status: "everyone" in status.get("startedPhases", ()), "the second phase")
    old = world.get()

    world.delete()
    world.until_fact(lambda: world.get() is None, "the old object is gone")
    world.apply(manifest)

    rebuilt = world.until(lambda status: "half" in status.get("startedPhases", ()), "the rebuilt status")
    assert rebuilt["startedPhases"] == ["half", "everyone"]
    new = world.get()
    assert old is not None
    assert new is not None
    assert new["metadata"]["uid"] != old["metadata"]["uid"]
    world.until_reason("Completed")
    assert world.target() == world.expected(100)
    assert world.written_once()


def test_a_second_rollout_waits_for_the_target_and_says_for_whom(world: World) -> None:
    world.seed(100)
    world.apply(world.manifest([{"name": "everyone", "steps": [migrate(100), soak(600)]}]))
    world.until_reason("Soaking")

    second = world.manifest([{"name": "everyone", "steps": [migrate(100)]}])
    second["metadata"]["name"] = "again"
    first_name, world.name = world.name, "again"
    world.apply(second)
    waiting = world.until(lambda status: "waitingFor" in status, "the holder's name")
    assert waiting["reason"] == "WaitingForLock"
    assert waiting["waitingFor"]["name"] == f"{world.namespace}/{first_name}"

    world.name = first_name
    world.patch(intent="Revert", revertTo="RolloutStart")
    world.until_reason("Reverted")
    world.name = "again"
    world.until_reason("Completed")
    assert len(world.target()) == 100


def forget_ledger(world: World) -> None:
    """What a TTL does behind the end of the retention, and a restore to a time before the rollout in its middle."""
    world.database.recursive_delete(world.database.collection("_firelift"))


def test_a_rollout_that_is_over_is_not_begun_anew_when_its_ledger_has_expired(world: World) -> None:
    world.seed(60)
    world.apply(world.manifest([phase("half", 50), phase("everyone", 100)]))
    world.until_reason("Completed")
    world.until_fact(lambda: not world.lock_leases(), "the locks are given back")
    flags = world.flags()

    forget_ledger(world)
    world.patch(pace={"maxWritesPerSecond": 499})

    told = world.until(lambda status: "is gone" in status["message"], "the ledger is missed")
    assert told["reason"] == "Completed"
    assert world.conditions() == {"Ready": "True", "Reconciling": "False", "Stalled": "False", "Succeeded": "True"}
    assert told["startedPhases"] == ["half", "everyone"]
    assert (world.flags(), world.entries(), world.jobs()) == (flags, [], [])


def test_a_ledger_that_is_lost_in_the_middle_stalls_the_rollout_which_can_be_deleted(world: World) -> None:
    world.seed(60)
    world.apply(world.manifest([phase("half", 50, soak(600)), phase("everyone", 100)]))
    world.until_reason("Soaking")
    flags = world.flags()

    forget_ledger(world)
    world.patch(pace={"maxWritesPerSecond": 499})

    told = world.until_reason("LedgerLost")
    assert "though phase half has started" in told["message"]
    assert world.conditions()["Stalled"] == "True"
    assert (world.flags(), world.entries(), told["startedPhases"]) == (flags, [], ["half"])
    world.delete()
    world.until_fact(lambda: world.get() is None, "the object is gone")


def test_workers_whose_ledger_is_lost_are_removed_and_write_no_more(world: World) -> None:
    world.seed(200)
    world.apply(world.manifest([phase("everyone", 100)], pace={"maxWritesPerSecond": 40, "batchSize": 5}))
    world.until_fact(lambda: len(world.target()) > 5, "the first documents")

    forget_ledger(world)

    world.until_reason("LedgerLost")
    world.until_fact(lambda: not world.jobs() and not world.workers(), "its workers are gone")
    written = len(world.target())
    assert written < 200


def test_a_rollout_that_was_taken_back_stays_so_when_its_ledger_has_expired(world: World) -> None:
    world.seed(60)
    world.apply(world.manifest([phase("everyone", 100, soak(600))]))
    world.until_reason("Soaking")
    world.patch(intent="Revert", revertTo="RolloutStart")
    world.until_reason("Reverted")
    world.until_fact(lambda: not world.lock_leases(), "the locks are given back")
    flags = world.flags()

    forget_ledger(world)
    world.patch(pace={"maxWritesPerSecond": 499})

    told = world.until(lambda status: "is gone" in status["message"], "the ledger is missed")
    assert told["reason"] == "Reverted"
    assert (world.flags(), world.target(), world.entries(), world.jobs()) == (flags, {}, [], [])
