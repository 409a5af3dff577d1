"""What becomes of a run whose pods are gone: nobody's fault as long as the run got on under them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.rollout_specs import migrate, phase
from tests.rollout_world import START, Run, World, world


def moving() -> tuple[World, Run]:
    one = world(phase("a", migrate(100)), onFailure={"action": "Pause"})
    one.until("Migrating")
    run = next(iter(one.runs.values()))
    while not run.job:
        one.turn()
    return one, run


def replaced(one: World, run: Run) -> None:
    """The Job before it goes first; the new one is made as soon as it is gone."""
    one.turn()
    assert (run.going, run.jobs_made) == (True, 1)
    one.turn()
    assert run.jobs_made == 1
    one.work()
    one.turn()


@pytest.mark.parametrize("failed", [False, True])
def test_pods_that_were_killed_after_they_got_on_have_successors_at_once(*, failed: bool) -> None:
    one, run = moving()
    run.done, run.job_pods, run.job_failed = 7, 0, failed
    replaced(one, run)

    assert (run.jobs_made, run.job_entries, run.job_failed) == (2, 7, False)
    one.turn()
    assert run.jobs_made == 2
    one.until("Completed")


def test_pods_that_were_killed_at_their_start_have_successors_at_once() -> None:
    one, run = moving()
    run.job_pods, run.job_blameless = 0, True
    replaced(one, run)

    assert run.jobs_made == 2
    one.until("Completed")


def test_pods_that_die_at_their_start_wait_as_their_job_says() -> None:
    one, run = moving()
    run.job_pods = 0
    one.turn()

    assert run.jobs_made == 1


@pytest.mark.parametrize(
    ("done", "pods", "failure"),
    [
        pytest.param(0, 0, "", id="nothing was done"),
        pytest.param(7, 0, "INVALID_DATA on logs/1", id="a worker said why"),
        pytest.param(7, 1, "", id="a pod is still there"),
    ],
)
def test_a_job_that_failed_fails_its_step(done: int, pods: int, failure: str) -> None:
    one, run = moving()
    run.done, run.job_pods, run.failure, run.job_failed = done, pods, failure, True

    assert (failure or "backoff limit") in one.until("StepFailed").message


@pytest.mark.parametrize("leave", ["Abort", "Revert", "Delete", "Replace"])
def test_a_pod_that_does_not_leave_holds_what_comes_next_and_is_named_after_a_minute(leave: str) -> None:
    one, run = moving()
    run.stuck, run.job_blameless, run.job_pods = True, leave == "Replace", int(leave != "Replace")
    if leave == "Delete":
        one.delete()
    elif leave != "Replace":
        one.edit(intent=leave)
    one.turn()
    assert run.going
    one.work()
    said = one.turn().status.message
    assert "pod logs-1 on node n" not in said

    one.now = START + timedelta(seconds=61)
    said = one.turn().status.message
    assert "; pod logs-1 on node n was told to leave at 2026-01-01T00:00:00Z and has not been seen to end" in said
    assert (one.locks, one.finalizer, len(one.runs), run.jobs_made) == ({"logs": "demo.users"}, True, 1, 1)

    run.stuck = False
    one.until({"Abort": "Aborted", "Revert": "Reverted", "Delete": "Releasing", "Replace": "Completed"}[leave])


def test_the_last_commit_of_a_pod_that_is_leaving_lands_under_its_lock() -> None:
    one, run = moving()
    one.delete()
    one.turn()
    before = run.done
    assert one.locks == {"logs": "demo.users"}
    one.work()
    assert (run.done, one.locks) == (before + 1, {"logs": "demo.users"})
    one.turn()
    assert one.locks == {}
