"""`rehearse`: migrate, verify, revert, verify, and migrate again, before the first phase goes on."""

from __future__ import annotations

from typing import Any

import pytest
from tests.rollout_specs import SWEEP, VERIFY, flags, migrate, phase, soak
from tests.rollout_world import World, world

from firelift.api.approval import ApprovalDecision
from firelift.api.run import RunKind, RunPlan, Totals
from firelift.rollout.state import Mode, Rehearsal, StepState

MIGRATED = "a1.a.migrate.logs.migrate.0"
AGAIN = "a1.a.migrate.logs.migrate.1"


def totals(plan: RunPlan) -> Totals:
    if plan.kind is RunKind.MIGRATE:
        return Totals(read=100, created=100)
    if plan.kind is RunKind.REVERT:
        return Totals(read=100, deleted=100)
    return Totals(read=100, unchanged=100)


def rehearsing(*more: dict[str, Any], before: tuple[dict[str, Any], ...] = (), **changes: Any) -> World:
    one = world(
        phase("a", *before, migrate(10), *(more or (VERIFY, soak(3000, evidence="None"))), rehearse=True), **changes
    )
    one.totals = totals
    return one


def failing(one: World, run: str) -> None:
    """The Job of this run fails when it comes."""
    for _ in range(100):
        one.turn()
        if run in one.runs and one.runs[run].job:
            one.runs[run].job_failed, one.runs[run].failure = True, "PERMISSION_DENIED"
            return
        one.work()
        one.pass_time(5)
    raise AssertionError(f"{run} never ran, but {one.order}")


def test_a_rehearsed_phase_goes_forward_back_and_forward_again() -> None:
    one = rehearsing()
    status = one.until("Soaking")
    assert one.order == [
        MIGRATED,
        "a1.a.verify.logs.verify.0",
        "a1.a.migrate.logs.revert.0",
        "a1.a.migrate.logs.revert-verify.0",
        AGAIN,
        "a1.a.verify.logs.verify.500",
    ]
    assert status.phases[0].rehearsal == "Done"
    assert status.phases[0].documents == 100
    rehearsed = next(entry for entry in status.history if entry.reason == "Rehearsed")
    assert rehearsed.message == "phase a was moved, checked, taken back and found as before; now it counts"
    assert one.state is not None
    assert one.state.phases[0].steps["migrate"].runs == (AGAIN,)
    assert one.runs[AGAIN].plan.follows is None
    assert one.state.reverting.documents == 100


def test_the_status_says_which_part_is_on() -> None:
    one, seen = rehearsing(), []
    while not one.status or one.status.reason != "Soaking":
        one.turn()
        assert one.status is not None
        seen.append((one.status.message.split(";")[0], one.status.step))
        one.work()
        one.pass_time(5)
    parts = [part for part in dict.fromkeys(seen) if part[0].startswith("rehearsal: ")]
    assert parts == [
        ("rehearsal: migrating", "migrate"),
        ("rehearsal: verifying", "verify"),
        ("rehearsal: reverting", "migrate"),
    ]


def test_flags_in_front_stay_and_those_between_are_rehearsed_too() -> None:
    between = {**flags("WRITE_NEW"), "name": "between"}
    one = rehearsing(between, SWEEP, VERIFY, before=(flags("WRITE_BOTH"),))
    values = []
    for _ in range(200):
        one.turn()
        values.append((one.config_maps["app-flags"].get("WRITE_BOTH"), one.config_maps["app-flags"].get("WRITE_NEW")))
        one.work()
        one.pass_time(5)
    assert list(dict.fromkeys(values)) == [(None, None), ("on", None), ("on", "on")]
    changes = [value for number, value in enumerate(values) if not number or value != values[number - 1]]
    assert changes == [(None, None), ("on", None), ("on", "on"), ("on", None), ("on", "on")]


@pytest.mark.parametrize(
    ("run", "sentence"),
    [
        (MIGRATED, "migrate of logs failed in run"),
        ("a1.a.migrate.logs.revert.0", "rehearsal: revert of logs failed in run"),
    ],
)
@pytest.mark.parametrize("action", ["Pause", "Revert"])
def test_a_failed_rehearsal_is_a_failure_of_the_phase(run: str, sentence: str, action: str) -> None:
    one = rehearsing(onFailure={"action": action})
    failing(one, run)
    one.turn()
    assert one.state is not None
    assert one.state.failure is not None
    assert any(entry.message.startswith(sentence) for entry in one.state.history)
    back = Mode.REVERTING if run == MIGRATED else Mode.REVERT_FAILED
    assert one.state.mode is (Mode.PAUSED if action == "Pause" else back)


def test_a_rehearsal_that_finds_something_left_fails() -> None:
    one = rehearsing(onFailure={"action": "Pause"})
    one.totals = lambda plan: totals(plan).plus(Totals(extra=int(plan.kind is RunKind.REVERT_VERIFY)))
    assert "rehearsal: after the revert of step migrate of phase a 1 of 100" in one.until("StepFailed").message


def test_an_attempt_goes_on_with_the_rehearsal_where_it_failed() -> None:
    one = rehearsing(onFailure={"action": "Pause"})
    failing(one, "a1.a.migrate.logs.revert.0")
    one.until("StepFailed")
    one.edit(attempt=2)
    one.until("Soaking")
    assert one.runs["a2.a.migrate.logs.revert.0"].plan.subjects == (MIGRATED,)
    assert one.order[-2:] == ["a2.a.migrate.logs.migrate.1", "a2.a.verify.logs.verify.500"]


def test_a_skip_ends_the_rehearsal_and_what_it_left_can_still_be_taken_back() -> None:
    one = rehearsing(onFailure={"action": "Pause"})
    failing(one, "a1.a.migrate.logs.revert.0")
    one.until("StepFailed")
    one.approve(ApprovalDecision.SKIP)
    one.until("Soaking")
    assert one.state is not None
    assert one.state.phases[0].rehearsal is Rehearsal.DONE
    one.edit(intent="Revert")
    one.until("Reverted")
    assert one.runs["a1.a.migrate.logs.revert.10"].plan.subjects == (MIGRATED, AGAIN)


@pytest.mark.parametrize("turns", range(2, 30, 3))
def test_a_revert_in_the_middle_of_a_rehearsal_takes_back_what_stands(turns: int) -> None:
    one = rehearsing()
    for _ in range(turns):
        one.turn()
        one.work(0.5)
        one.pass_time(5)
    one.edit(intent="Revert")
    one.until("Reverted")
    assert one.state is not None
    standing = {place.state for place in one.state.phases[0].steps.values()}
    assert standing <= {StepState.UNDONE, StepState.PENDING}
    walked = {run for each in one.runs.values() if each.plan.kind is RunKind.REVERT for run in each.plan.subjects}
    assert {run for run, each in one.runs.items() if each.plan.kind is RunKind.MIGRATE} == walked


def test_an_attempt_after_a_revert_is_rehearsed_again() -> None:
    one = rehearsing()
    one.until("Soaking")
    one.edit(intent="Revert")
    one.until("Reverted")
    one.edit(intent=None, attempt=2)
    one.until("Soaking")
    assert [run for run in one.order if run.startswith("a2") and "migrate.logs" in run] == [
        "a2.a.migrate.logs.migrate.0",
        "a2.a.migrate.logs.revert.0",
        "a2.a.migrate.logs.revert-verify.0",
        "a2.a.migrate.logs.migrate.1",
    ]


def test_a_rehearsal_measures_the_way_back_for_the_phases_behind_it() -> None:
    one = world(phase("a", migrate(1), VERIFY, rehearse=True), phase("b", migrate(100)), maxRevertSeconds=1, worker={})
    one.totals, one.estimate = totals, 10_000
    assert "that a revert has reached" in one.until("RevertTooLong").message
