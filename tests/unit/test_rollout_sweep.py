"""The verb `sweep`: passes over what was moved so far, until one of them writes nothing."""

from __future__ import annotations

from typing import Any

import pytest
from tests.rollout_specs import SWEEP, migrate, migration, phase, soak
from tests.rollout_world import World, world

from firelift.api.run import RunKind, RunPlan, Totals
from firelift.rollout.runs import SWEEPS
from firelift.rollout.state import StepState


def busy(passes: int) -> Any:
    """Totals of sweeps that find one late-comer in each of so many passes."""

    def totals(plan: RunPlan) -> Totals:
        late = plan.kind is RunKind.SWEEP and plan.pass_number // SWEEPS < passes
        return Totals(read=100, created=int(late), unchanged=100 - int(late))

    return totals


def sweeping(passes: int, **changes: Any) -> World:
    one = world(phase("a", migrate(10), {"sweep": {"maxPasses": 3, **changes}}), onFailure={"action": "Pause"})
    one.totals = busy(passes)
    return one


def sweeps(one: World) -> list[str]:
    return [run for run in one.order if ".sweep." in run]


@pytest.mark.parametrize("passes", [0, 1, 2])
def test_a_sweep_passes_until_nothing_changes(passes: int) -> None:
    one = sweeping(passes)
    status = one.until("Completed")
    assert sweeps(one) == [f"a1.a.migrate.logs.sweep.{1 + SWEEPS * number}" for number in range(passes + 1)]
    assert f"{passes} documents moved, nothing in pass {passes + 1}" in status.history[-3].message
    assert status.phases[0].documents == passes


def test_a_sweep_that_never_ends_fails_with_what_it_still_moved() -> None:
    one = sweeping(99)
    status = one.until("StepFailed")
    assert "pass 3 of at most 3 of step sweep of phase a still moved 1 documents" in status.message
    assert len(sweeps(one)) == 3


def test_a_sweep_rests_between_its_passes() -> None:
    one = sweeping(1, pauseSeconds=600)
    one.until("Sweeping")
    while len(sweeps(one)) < 2:
        one.turn()
        one.work()
        one.pass_time(5)
    assert one.runs[sweeps(one)[1]].plan.pass_number == 1 + SWEEPS
    moved = [entry for entry in one.status.history if entry.reason == "StepDone"] if one.status else []
    assert (one.now - moved[0].time).total_seconds() >= 600


def test_a_sweep_covers_the_cohorts_of_all_phases_under_their_owners() -> None:
    last = {"sweep": {"migrations": ["logs"]}}
    one = world(phase("a", migrate(1)), phase("b", migrate(10)), phase("c", last))
    one.until("Completed")
    assert sweeps(one)[-2:] == ["a1.a.migrate.logs.sweep.32", "a1.b.migrate.logs.sweep.32"]


def test_what_a_sweep_has_moved_goes_back_with_the_step_that_owns_the_cohort() -> None:
    one = world(phase("a", migrate(1)), phase("b", migrate(10), SWEEP, soak(3000, evidence="None")))
    one.totals = busy(1)
    one.until("Soaking")
    one.edit(intent="Revert", revertTo="PhaseStart")
    one.until("Reverted")
    assert one.runs["a1.b.migrate.logs.revert.0"].plan.subjects == (
        "a1.b.migrate.logs.migrate.0",
        "a1.b.migrate.logs.sweep.17",
        f"a1.b.migrate.logs.sweep.{17 + SWEEPS}",
    )
    assert one.state is not None
    assert one.state.phases[0].steps["migrate"].state is StepState.DONE


def test_a_new_attempt_sweeps_from_the_beginning() -> None:
    one = sweeping(99)
    one.until("StepFailed")
    one.totals = busy(0)
    one.edit(attempt=2)
    one.until("Completed")
    assert one.runs["a2.a.migrate.logs.sweep.1"].plan.follows is None


def test_a_sweep_of_what_nobody_has_moved_keeps_its_phase_from_starting() -> None:
    both = [migration("logs"), migration("tasks")]
    one = world(phase("a", migrate(1), {"sweep": {"migrations": ["tasks"]}}), migrations=both)
    assert "step sweep of phase a sweeps tasks" in one.until("InvalidSpec").message


def lettered(plan: RunPlan) -> Totals:
    """Three dead letters at first, of which a sweep finds one bad still."""
    if plan.kind is RunKind.SWEEP:
        return Totals(read=100, unchanged=99, dead_letters=1, closed_letters=3 if plan.pass_number < SWEEPS else 1)
    return Totals(read=100, created=97, dead_letters=3)


def test_a_sweep_takes_up_the_letters_of_all_runs_that_its_cohort_has_had() -> None:
    one = world(phase("a", migrate(1), SWEEP), phase("b", migrate(10), SWEEP))
    one.until("Completed")
    assert one.runs["a1.a.migrate.logs.migrate.0"].plan.letters == ()
    assert one.runs["a1.b.migrate.logs.sweep.17"].plan.letters == ("a1.b.migrate.logs.migrate.0",)
    assert one.runs["a1.a.migrate.logs.sweep.17"].plan.letters == (
        "a1.a.migrate.logs.migrate.0",
        "a1.a.migrate.logs.sweep.1",
        "a1.a.migrate.logs.sweep.16",
    )


@pytest.mark.parametrize("phases", [(("a", SWEEP),), (("a",), ("b", {"sweep": {"migrations": ["logs"]}}))])
def test_letters_that_a_sweep_closes_are_taken_off_the_step_that_had_them(phases: Any) -> None:
    (first, *more), *others = phases
    one = world(phase(first, migrate(1), *more), *(phase(*each) for each in others))
    one.totals = lettered
    status = one.until("Completed")
    assert sum(each.dead_letters for each in status.phases) == 1
    assert status.phases[-1].dead_letters == 1


def test_an_attempt_at_the_same_step_retries_its_letters_and_counts_what_both_have_done() -> None:
    one = world(phase("a", migrate(1)), onFailure={"action": "Pause"})
    one.totals = lambda plan: (
        Totals(read=3, created=2, dead_letters=1, closed_letters=3) if plan.attempt > 1 else lettered(plan)
    )
    one.turn()
    while not one.runs:
        one.turn()
    (run,) = one.runs.values()
    run.complete, run.job, run.job_failed, run.done = False, True, True, 50
    one.until("StepFailed")
    run.complete, run.done = True, 100
    one.edit(attempt=2)
    status = one.until("Completed")
    later = one.runs["a2.a.migrate.logs.migrate.0"].plan
    assert (later.follows, later.letters) == ("a1.a.migrate.logs.migrate.0", ("a1.a.migrate.logs.migrate.0",))
    assert (status.phases[0].documents, status.phases[0].dead_letters) == (99, 1)
