from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from tests.e2e.world import World, gate, migrate, phase, soak

APPROVE = {"approve": {"count": 1}}


def test_an_approval_of_this_very_plan_opens_the_next_phase(world: World) -> None:
    world.seed(100)
    world.apply(world.manifest([{"name": "everyone", "steps": [APPROVE, migrate(100)]}]))
    asked = world.until_reason("AwaitingApproval")
    assert asked["approval"]["required"]
    assert world.target() == {}

    world.approve(digest="sha256:" + "0" * 64)
    world.approve()

    world.until_reason("Completed")
    assert world.target() == world.expected(100)


def test_a_phase_that_could_not_be_taken_back_in_time_waits_until_somebody_takes_the_risk(world: World) -> None:
    world.seed(200)
    phases = [{"name": "ten-percent", "steps": [migrate(10)]}, {"name": "everyone", "steps": [migrate(100)]}]
    world.apply(world.manifest(phases, maxRevertSeconds=3))

    held = world.until_reason("RevertTooLong")
    told = re.fullmatch(
        r"phase everyone does not start: to take about (\d+) documents of phase everyone back would last ([\d,]+)s "
        r"\(.+\) at the (\d+)/s that are 0\.7 of what migrate has reached, and maxRevertSeconds is 3s; raise it, let "
        r"more workers write faster, or approve Override of gate max-revert-seconds",
        held["message"],
    )
    assert told, held["message"]
    documents, seconds, rate = (int(each.replace(",", "")) for each in told.groups())
    assert documents == 180, "the other 90 %, by the plan"
    assert seconds == pytest.approx(documents / rate, rel=0.5), "rounded, both"
    assert seconds >= 3
    assert held["startedPhases"] == ["ten-percent"]
    assert world.conditions()["Stalled"] == "True"
    assert world.target() == world.expected(10)

    soon = datetime.now(UTC) + timedelta(minutes=5)
    world.approve("Override", gate="max-revert-seconds", expiresTime=soon.isoformat(timespec="seconds"))
    world.until_reason("Completed")
    assert world.target() == world.expected(100)


def test_a_rejection_stops_the_rollout_and_says_who_it_was(world: World) -> None:
    world.seed(20)
    world.apply(world.manifest([{"name": "everyone", "steps": [APPROVE, migrate(100)]}], onFailure={"action": "Pause"}))
    world.until_reason("AwaitingApproval")

    world.approve("Reject", comment="not before the weekend")

    rejected = world.until_reason("Rejected")
    assert "sandbox-admin" in rejected["message"]
    assert world.target() == {}


def test_a_suspended_rollout_stands_still_and_goes_on(world: World) -> None:
    world.seed(200)
    world.apply(world.manifest([phase("everyone", 100)], pace={"maxWritesPerSecond": 40, "batchSize": 5}))
    world.until_fact(lambda: len(world.target()) > 5, "the first documents")
    pace = "40/s of 40/s, its maxWritesPerSecond"
    world.until(lambda status: status.get("pace") == pace, "the share of the write budget")
    assert pace in world.wide()
    assert [lease["want"] for lease in world.leases()] == [40]

    world.patch(suspend=True)
    world.until_reason("Suspended")
    world.until_fact(lambda: world.held_seconds() > 1.5, "workers on hold for a while")
    assert [lease["want"] for lease in world.leases()] == [0], "its share is given back"
    standing = len(world.target())
    assert 5 < standing < 200
    world.until_fact(lambda: world.held_seconds() > 3, "workers on hold for longer")
    assert len(world.target()) == standing

    world.patch(suspend=False)
    world.until_reason("Completed")
    assert world.target() == world.expected(100)


def test_an_abort_leaves_everything_where_it_is_and_still_accepts_a_revert(world: World) -> None:
    world.seed(200)
    before = world.source()
    world.apply(world.manifest([phase("everyone", 100)], pace={"maxWritesPerSecond": 20, "batchSize": 5}))
    world.until_fact(lambda: len(world.target()) > 5, "the first documents")

    world.patch(intent="Abort")
    world.until_reason("Aborted")
    world.until_fact(lambda: not world.jobs(), "no Job")
    standing = world.target()
    assert 5 < len(standing) < 200
    assert world.flags()["WRITE_BOTH"] == "100"
    assert standing.items() <= world.expected(100).items()

    world.patch(intent="Revert", revertTo="RolloutStart")
    world.until_reason("Reverted")
    assert world.target() == {}
    assert world.source() == before
    assert world.flags() == {"THEME": "dark"}


def test_another_attempt_goes_on_at_the_step_that_failed(world: World) -> None:
    world.seed(100)
    gates = [gate(world, onFailure="Pause")]
    world.apply(world.manifest([phase("ten-percent", 10), phase("everyone", 100, soak(3, "Gates"))], gates=gates))
    world.until(lambda status: status.get("step") == "soak", "the soak")
    world.error_percent = 9.0
    failed = world.until_reason("GateFailed")
    assert "> 1 (1 of 1 samples)" in failed["message"], failed["message"]  # a window may begin before the trouble
    assert world.target() == world.expected(100)

    world.error_percent = 0.0
    world.patch(attempt=2)

    done = world.until_reason("Completed")
    assert done["attempt"] == 2
    assert world.target() == world.expected(100)


def test_another_attempt_begins_the_reverted_phase_anew(world: World) -> None:
    world.seed(100)
    world.apply(world.manifest([phase("everyone", 100, soak(3, "Gates"))], gates=[gate(world)]))
    world.until(lambda status: status.get("step") == "soak", "the soak")
    world.error_percent = 9.0
    world.until_reason("Reverted")
    assert world.target() == {}

    world.error_percent = 0.0
    world.patch(attempt=2)

    world.until_reason("Completed")
    assert world.target() == world.expected(100)


def test_a_frozen_phase_is_refused_with_a_sentence(world: World) -> None:
    world.seed(20)
    world.apply(world.manifest([phase("everyone", 100, soak(600))]))
    world.until_reason("Soaking")

    with pytest.raises(Exception, match=r"everyone|started|frozen"):
        world.patch(phases=[phase("everyone", 50, soak(600))])
    world.patch(suspend=True)
    world.until_reason("Suspended")
