"""`maxRevertSeconds`: a phase whose way back would outlast it is not opened."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.rollout_specs import VERIFY, migrate, phase, soak
from tests.rollout_world import World, unplanned

from firelift.api.approval import ApprovalDecision
from firelift.api.conditions import ConditionStatus, ConditionType
from firelift.api.run import RunKind, RunPlan, Totals

SIZE = 100_000


def totals(plan: RunPlan) -> Totals:
    written = SIZE * (plan.selection.to_bucket - plan.selection.from_bucket) // 10_000
    if plan.kind is RunKind.MIGRATE:
        return Totals(read=SIZE, created=written)
    if plan.kind is RunKind.REVERT:
        return Totals(read=SIZE // 100, deleted=SIZE // 100)
    return Totals(read=SIZE)


def limited(seconds: int | None, *more: dict[str, Any], last: dict[str, Any] | None = None, **changes: Any) -> World:
    """One percent, which is moved in 10 to 20 s, then ten."""
    phases = [phase("a", migrate(1), *more), phase("b", migrate(10), **(last or {}))]
    return sized(*phases, maxRevertSeconds=seconds, **changes)


def sized(*phases: dict[str, Any], **changes: Any) -> World:
    """A rollout whose plan has counted its source."""
    one = unplanned(*phases, **changes)
    one.totals, one.estimate, one.counts = totals, SIZE, {"logs": SIZE}
    return one


def test_a_phase_whose_way_back_is_longer_than_allowed_does_not_start_and_says_both_numbers() -> None:
    one = limited(60)
    status = one.until("RevertTooLong")
    assert one.state is not None
    rate = round(1000 / one.state.moving.seconds * 0.7)
    assert (
        f"take about 9,000 documents of phase b back would last {9000 / (0.7 * 1000 / one.state.moving.seconds):,.0f}s"
        in (status.message)
    )
    assert f"at the {rate}/s that are 0.7 of what migrate has reached, and maxRevertSeconds is 60s" in status.message
    assert {condition.type: condition.status for condition in status.conditions}[ConditionType.STALLED] is (
        ConditionStatus.TRUE
    )
    assert status.started_phases == ("a",)
    assert status.approval is not None
    assert status.approval.required


@pytest.mark.parametrize("seconds", [None, 3600])
def test_a_phase_whose_way_back_is_short_enough_starts(seconds: int | None) -> None:
    assert limited(seconds).until("Completed").started_phases == ("a", "b")


@pytest.mark.parametrize(("phase_limit", "reason"), [(3600, "Completed"), (30, "RevertTooLong")])
def test_a_phases_own_limit_replaces_the_rollouts(phase_limit: int, reason: str) -> None:
    limited(60 if reason == "Completed" else 3600, last={"maxRevertSeconds": phase_limit}).until(reason)


def test_a_higher_limit_opens_the_phase() -> None:
    one = limited(60)
    one.until("RevertTooLong")
    one.edit(maxRevertSeconds=3600)
    one.until("Completed")


def test_a_person_opens_one_phase_and_no_other() -> None:
    one = sized(phase("a", migrate(1)), phase("b", migrate(10)), phase("c", migrate(50)), maxRevertSeconds=60)
    one.until("RevertTooLong")
    one.approve(ApprovalDecision.OVERRIDE, gate="max-revert-seconds", expires=one.now + timedelta(days=1))
    one.turn()
    status = one.until("RevertTooLong")
    assert "phase c does not start" in status.message
    assert status.started_phases == ("a", "b")


def test_where_a_failure_reverts_everything_everything_counts() -> None:
    one = limited(60, onFailure={"to": "RolloutStart"})
    assert "10,000 documents of the whole rollout" in one.until("RevertTooLong").message


def test_a_revert_that_was_measured_counts_instead_of_the_way_forward() -> None:
    one = limited(10, VERIFY, soak(3000, evidence="None"))
    one.until("Soaking")
    one.edit(intent="Revert")
    one.until("Reverted", seconds=1)
    one.edit(intent=None, attempt=2)
    one.until("Soaking")
    one.pass_time(3000)
    assert "that a revert has reached" in one.until("RevertTooLong").message


def test_a_revert_is_no_faster_than_the_pace() -> None:
    one = limited(120, pace={"maxWritesPerSecond": 10})
    assert "would last 900s (15m) at the 10/s that pace.maxWritesPerSecond allows" in one.until("RevertTooLong").message


def test_the_first_phase_does_not_start_when_even_the_pace_is_too_slow_for_its_way_back() -> None:
    one = sized(phase("a", migrate(100)), maxRevertSeconds=199)
    status = one.until("RevertTooLong")
    assert "about 100,000 documents of phase a back would last 200s (3m) at the 500/s that " in status.message
    assert "pace.maxWritesPerSecond allows at best, and nothing has been measured yet" in status.message
    assert (status.started_phases, one.runs) == ((), {})
    one.edit(maxRevertSeconds=200)
    one.until("Completed")


def test_pauses_between_batches_slow_a_way_back_down() -> None:
    paused = {"batchSize": 25, "pauseBetweenBatchesSeconds": 2}
    one = sized(phase("a", migrate(1)), maxRevertSeconds=60, pace=paused)
    assert "at the 12/s that pace.pauseBetweenBatchesSeconds allows at best" in one.until("RevertTooLong").message


def test_conditions_count_as_all_that_they_may_hold_for() -> None:
    chosen = {"migrate": {"migrations": ["logs"], "cohort": {"where": [{"field": "plan", "equals": "free"}]}}}
    one = sized(phase("free", chosen), maxRevertSeconds=199)
    assert "about 100,000 documents of phase free" in one.until("RevertTooLong").message


def test_the_first_phase_is_cut_into_as_many_indexes_as_its_plan_has_counted() -> None:
    one = sized(phase("a", migrate(10)), worker={"parallelism": 2})
    one.until("Migrating")
    assert [run.plan.indexes for run in one.runs.values()] == [8]
