"""What becomes of a run whose pods are gone: nobody's fault as long as the run got on under them."""

from __future__ import annotations

import pytest
from tests.rollout_specs import migrate, phase
from tests.rollout_world import Run, World, world


def moving() -> tuple[World, Run]:
    one = world(phase("a", migrate(100)), onFailure={"action": "Pause"})
    one.until("Migrating")
    run = next(iter(one.runs.values()))
    while not run.job:
        one.turn()
    return one, run


@pytest.mark.parametrize("failed", [False, True])
def test_pods_that_were_killed_after_they_got_on_have_successors_at_once(*, failed: bool) -> None:
    one, run = moving()
    run.done, run.job_pods, run.job_failed = 7, 0, failed
    one.turn()

    assert (run.jobs_made, run.job_entries, run.job_failed) == (2, 7, False)
    one.turn()
    assert run.jobs_made == 2
    one.until("Completed")


def test_pods_that_were_killed_at_their_start_have_successors_at_once() -> None:
    one, run = moving()
    run.job_pods, run.job_blameless = 0, True
    one.turn()

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
