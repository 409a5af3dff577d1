"""Which runs a step needs: cohorts by difference, late-comers under their owners, subjects and followers."""

from __future__ import annotations

from typing import Any

import pytest
from tests.rollout_specs import VERIFY, migrate, migration, phase, soak
from tests.rollout_world import World, world

from firelift.api.cohort import bucket
from firelift.api.run import RunKind, RunPlan, Totals


def finished(*phases: dict[str, Any], **changes: Any) -> World:
    one = world(*phases, **changes)
    one.until("Completed")
    return one


def plan(one: World, run: str) -> RunPlan:
    return one.runs[run].plan


def ids(*names: str) -> dict[str, Any]:
    return {"name": "by-name", "migrate": {"migrations": ["logs"], "cohort": {"ids": list(names)}}}


def test_a_phase_moves_the_difference_to_what_earlier_phases_moved() -> None:
    one = finished(phase("a", migrate(1)), phase("b", migrate(10)), phase("c", migrate(100)))
    buckets = [
        (run.plan.selection.from_bucket, run.plan.selection.to_bucket)
        for run in one.runs.values()
        if run.plan.kind == "migrate"
    ]
    assert buckets == [(0, 100), (100, 1000), (1000, 10000)]


def test_late_comers_are_swept_first_under_the_phase_that_owns_them() -> None:
    one = finished(phase("a", migrate(1)), phase("b", migrate(10)), phase("c", migrate(100)))
    assert one.order[1:] == [
        "a1.a.migrate.logs.sweep.16",
        "a1.b.migrate.logs.migrate.0",
        "a1.a.migrate.logs.sweep.32",
        "a1.b.migrate.logs.sweep.32",
        "a1.c.migrate.logs.migrate.0",
    ]
    swept = plan(one, "a1.b.migrate.logs.sweep.32")
    assert (swept.phase, swept.step) == ("b", "migrate")
    assert (swept.selection.from_bucket, swept.selection.to_bucket) == (100, 1000)
    assert one.state is not None
    assert one.state.phases[0].steps["migrate"].runs == (
        "a1.a.migrate.logs.migrate.0",
        "a1.a.migrate.logs.sweep.16",
        "a1.a.migrate.logs.sweep.32",
    )


def test_what_was_moved_by_name_is_not_moved_again_by_percent() -> None:
    one = finished(phase("a", ids("ada", "grace")), phase("b", migrate(10)))
    assert plan(one, "a1.a.by-name.logs.migrate.0").selection.ids == ("ada", "grace")
    assert plan(one, "a1.b.migrate.logs.migrate.0").selection.except_ids == ("ada", "grace")


def test_what_was_moved_by_percent_is_not_moved_again_by_name() -> None:
    inside = next(f"u{n}" for n in range(1000) if bucket("demo.users", f"u{n}") < 5000)
    outside = next(f"u{n}" for n in range(1000) if bucket("demo.users", f"u{n}") >= 5000)
    one = finished(phase("a", migrate(50)), phase("b", ids(inside, outside)))
    assert plan(one, "a1.b.by-name.logs.migrate.0").selection.ids == (outside,)


def test_a_step_with_nothing_left_to_move_only_sweeps() -> None:
    one = finished(phase("a", migrate(10)), phase("b", migrate(10)))
    assert one.order == ["a1.a.migrate.logs.migrate.0", "a1.a.migrate.logs.sweep.16"]


def test_two_migrate_steps_of_one_phase_own_their_parts() -> None:
    one = finished(phase("a", migrate(1, name="few"), migrate(10, name="more")), phase("b", migrate(100)))
    assert [run for run in one.order if ".sweep." in run] == [
        "a1.a.few.logs.sweep.1",
        "a1.a.few.logs.sweep.16",
        "a1.a.more.logs.sweep.16",
    ]


def test_verify_looks_at_everything_that_was_moved_so_far() -> None:
    one = finished(phase("a", ids("ada"), migrate(1)), phase("b", migrate(10), VERIFY))
    verified = plan(one, "a1.b.verify.logs.verify.0")
    assert (verified.selection.from_bucket, verified.selection.to_bucket) == (0, 1000)
    assert verified.selection.ids == ("ada",)
    assert set(verified.subjects) == {run for run in one.runs if ".migrate." in run or ".sweep." in run}


def test_conditions_choose_among_those_that_no_percent_and_no_name_has_moved() -> None:
    where = {"where": [{"field": "plan", "equals": "pro"}]}
    some = {"name": "some", "migrate": {"migrations": ["logs"], "cohort": where}}
    one = finished(phase("a", ids("ada"), migrate(1), some), phase("b", migrate(100), VERIFY))
    chosen = plan(one, "a1.a.some.logs.migrate.0")
    assert (chosen.selection.from_bucket, chosen.selection.to_bucket) == (100, 10000)
    assert (chosen.selection.except_ids, chosen.selection.where[0].equals) == (("ada",), "pro")
    everybody = plan(one, "a1.b.migrate.logs.migrate.0")
    assert (everybody.selection.from_bucket, everybody.selection.where) == (100, ())
    assert (chosen.overlaps, everybody.overlaps) == (False, True)
    swept = plan(one, "a1.a.some.logs.sweep.16")
    assert (swept.selection, swept.closing, everybody.closing) == (chosen.selection, False, True)
    verified = [plan(one, f"a1.b.verify.logs.verify.{number}") for number in (0, 1)]
    assert [each.selection.to_bucket for each in verified] == [10000, 10000]
    assert [bool(each.selection.where) for each in verified] == [False, True]
    assert [bool(each.subjects) for each in verified] == [True, False]


@pytest.mark.parametrize(("sample", "buckets"), [("100%", 10000), ("5%", 500), ("0.01%", 1), ("0.001%", 1)])
def test_a_sample_is_a_number_of_buckets(sample: str, buckets: int) -> None:
    one = finished(phase("a", migrate(1), {"verify": {"sample": sample}}))
    verified = plan(one, "a1.a.verify.logs.verify.0").verify
    assert verified is not None
    assert verified.sample_buckets == buckets


def test_verify_checks_the_migrations_of_its_phase_unless_it_names_some() -> None:
    both = [migration("logs"), migration("tasks")]
    named = {"verify": {"migrations": ["tasks"]}}
    one = finished(
        phase("a", migrate(1, "logs", "tasks"), named), phase("b", migrate(2, "logs"), VERIFY), migrations=both
    )
    assert [run for run in one.order if ".verify.0" in run] == [
        "a1.a.verify.tasks.verify.0",
        "a1.b.verify.logs.verify.0",
    ]


def test_a_plan_is_frozen_while_pace_workers_and_image_change() -> None:
    one = world(phase("a", migrate(1)))
    one.until("Migrating")
    one.edit(pace={"batchSize": 7}, worker={"parallelism": 9})
    for _ in range(3):
        one.pass_time(3)
        one.turn()
    run = next(iter(one.runs.values()))
    assert (run.plan.pace.batch_size, run.plan.workers) == (200, 2)


def test_a_higher_attempt_follows_the_runs_of_the_one_before() -> None:
    one = world(phase("a", migrate(1)), phase("b", migrate(10)), onFailure={"action": "Pause"})
    while "a1.b.migrate.logs.migrate.0" not in one.runs:
        one.work()
        one.pass_time(5)
        one.turn()
    one.runs["a1.b.migrate.logs.migrate.0"].job_failed = True
    one.until("StepFailed")
    one.edit(attempt=2)
    one.until("Completed")
    assert plan(one, "a2.b.migrate.logs.migrate.0").follows == "a1.b.migrate.logs.migrate.0"
    assert plan(one, "a2.a.migrate.logs.sweep.16").follows == "a1.a.migrate.logs.sweep.16"
    assert one.state is not None
    assert one.state.phases[1].steps["migrate"].runs == ("a1.b.migrate.logs.migrate.0", "a2.b.migrate.logs.migrate.0")


def test_now_is_the_rollouts_start_in_every_run_of_every_attempt() -> None:
    """Else a verify would ask for another time than the migrate run has written."""
    one = world(phase("a", migrate(1), VERIFY), phase("b", migrate(10), VERIFY, soak(600, evidence="None")))
    one.until("Soaking")
    one.edit(intent="Revert", revertTo="RolloutStart")
    one.until("Reverted")
    one.edit(intent=None, revertTo=None, attempt=2)
    one.until("Soaking")
    others = {RunKind.PLAN, RunKind.DRY_RUN, RunKind.VALIDATE, RunKind.DELETE}
    assert {run.plan.kind for run in one.runs.values()} == set(RunKind) - others
    assert {run.plan.attempt for run in one.runs.values()} == {1, 2}
    assert one.state is not None
    assert {run.plan.now for run in one.runs.values()} == {one.state.started}


def test_an_attempt_after_a_revert_begins_from_nothing() -> None:
    one = world(phase("a", migrate(1), soak(600, evidence="None")))
    one.until("Soaking")
    one.edit(intent="Revert")
    one.until("Reverted")
    one.edit(intent=None, attempt=2)
    one.until("Soaking")
    assert plan(one, "a2.a.migrate.logs.migrate.0").follows is None


def test_a_revert_walks_the_runs_of_its_step_and_no_others() -> None:
    one = world(phase("a", migrate(1)), phase("b", migrate(10), soak(600, evidence="None")))
    one.until("Soaking")
    one.edit(intent="Revert", revertTo="RolloutStart")
    one.until("Reverted")
    assert plan(one, "a1.b.migrate.logs.revert.0").subjects == ("a1.b.migrate.logs.migrate.0",)
    assert plan(one, "a1.a.migrate.logs.revert.0").subjects == (
        "a1.a.migrate.logs.migrate.0",
        "a1.a.migrate.logs.sweep.16",
    )


def test_what_a_run_has_found_decides_how_many_indexes_the_next_one_has() -> None:
    one = world(phase("a", migrate(1), VERIFY), phase("b", migrate(10)))
    one.estimate = 1_000_000
    one.until("Completed")
    found = {run.plan.id: run.plan.indexes for run in one.runs.values()}
    assert found["a1.a.migrate.logs.migrate.0"] == 2, "nobody knows yet"
    assert {found[run] for run in one.order[1:]} == {8}


def test_a_small_source_has_one_index() -> None:
    one = finished(phase("a", migrate(1), VERIFY), phase("b", migrate(10)))
    assert {one.runs[run].plan.indexes for run in one.order[1:]} == {1}


def test_where_entities_are_listed_a_cohort_counts_for_what_it_covers() -> None:
    listed = {**migration("logs"), "entityKey": "userId", "entityCollection": "users"}
    one = world(phase("a", migrate(1)), phase("b", migrate(11)), migrations=[listed])
    one.estimate = 500
    one.until("Completed")
    assert one.state is not None
    assert one.state.sources == {"logs": 5_000}
    assert plan(one, "a1.b.migrate.logs.migrate.0").indexes == 2
    assert plan(one, "a1.a.migrate.logs.sweep.16").indexes == 1


def test_a_revert_has_indexes_for_what_was_written_and_for_each_run_behind_the_other() -> None:
    one = world(phase("a", migrate(100), VERIFY, soak(3000, evidence="None")))
    one.totals = lambda plan: Totals(read=40_000, created=40_000 if plan.kind is RunKind.MIGRATE else 0)
    one.until("Soaking")
    one.edit(intent="Revert")
    one.until("Reverted")
    assert plan(one, "a1.a.migrate.logs.revert.0").indexes == 4
