"""What people read: conditions by the table, progress in one line, sentences that say what can be done."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.rollout_specs import VERIFY, flags, gate, migrate, phase, soak
from tests.rollout_world import START, World, unplanned, world

from firelift.api.conditions import ConditionStatus, ConditionType, Reason, conditions_of
from firelift.api.run import Totals
from firelift.api.status import Condition
from firelift.rollout.extent import Progress, duration, short
from firelift.rollout.machine import decide

TABLE = {
    ("False", "True", "False", "Unknown"): {
        Reason.MIGRATING,
        Reason.VERIFYING,
        Reason.SOAKING,
        Reason.SETTING_FLAGS,
        Reason.WAITING_FOR_LOCK,
        Reason.WAITING_FOR_INDEX,
        Reason.WAITING_FOR_ENVIRONMENT,
        Reason.WAITING_FOR_ROLLOUT,
        Reason.WAITING_FOR_EVIDENCE,
        Reason.SWEEPING,
        Reason.DELETING,
        Reason.PLANNING,
        Reason.WAITING_FOR_BACKUP,
        Reason.BACKING_UP,
        Reason.RESTORING,
        Reason.DRY_RUNNING,
        Reason.VALIDATING,
        Reason.AWAITING_APPROVAL,
        Reason.SUSPENDED,
        Reason.REVERTING,
        Reason.STARTING,
        Reason.RELEASING,
        Reason.DATABASE_UNREACHABLE,
    },
    ("False", "False", "True", "Unknown"): {
        Reason.GATE_FAILED,
        Reason.GATE_WITHOUT_VERDICT,
        Reason.STEP_FAILED,
        Reason.STEP_TIMED_OUT,
        Reason.NO_PROGRESS,
        Reason.REJECTED,
        Reason.REVERT_TOO_LONG,
        Reason.INVALID_SPEC,
        Reason.PLAN_DIFFERS,
        Reason.PREFLIGHT_FAILED,
        Reason.DATABASE_NOT_ALLOWED,
        Reason.BUCKET_NOT_ALLOWED,
        Reason.DATABASE_DIFFERS,
        Reason.LEDGER_UNREADABLE,
        Reason.LEDGER_LOST,
        Reason.LEDGER_OWNED_BY_ANOTHER,
        Reason.LEDGER_FROM_ANOTHER_DATABASE,
    },
    ("False", "False", "True", "False"): {
        Reason.REVERTED,
        Reason.REVERTED_WITH_CONFLICTS,
        Reason.REVERT_FAILED,
        Reason.ABORTED,
    },
    ("True", "False", "False", "True"): {Reason.COMPLETED},
}


@pytest.mark.parametrize("reason", list(Reason))
def test_each_reason_has_its_row_in_the_table(reason: Reason) -> None:
    row = next(row for row, reasons in TABLE.items() if reason in reasons)
    assert tuple(conditions_of(reason)[kind] for kind in ConditionType) == row


def test_a_transition_time_is_kept_while_a_condition_does_not_flip() -> None:
    one = world(phase("a", migrate(1), soak(60, evidence="None")))
    first = {condition.type: condition for condition in one.turn().status.conditions}
    one.until("Soaking")
    assert one.status is not None
    assert {condition.last_transition_time for condition in one.status.conditions} == {START}
    one.until("Completed")
    last = {condition.type: condition for condition in one.status.conditions}
    assert last[ConditionType.READY].last_transition_time == one.now
    assert last[ConditionType.STALLED].last_transition_time == first[ConditionType.STALLED].last_transition_time


def test_each_condition_says_of_which_generation_it_speaks() -> None:
    one = world(phase("a", migrate(1)))
    one.edit(suspend=True)
    status = one.turn().status
    assert status.observed_generation == 2
    assert {condition.observed_generation for condition in status.conditions} == {2}


@pytest.mark.parametrize(
    ("progress", "text"),
    [
        (Progress(0, 3_000_000, 0.0), ""),
        (Progress(1_240_000, 3_000_000, 1125.4), "41% 1.2M/3.0M 1,125/s ETA 26m"),
        (Progress(950, 0, 10.0), "950 10/s"),
        (Progress(3000, 3000, 10.0), "100% 3.0k/3.0k 10/s"),
        (Progress(4000, 3000, 0.0), "100% 4.0k/3.0k"),
    ],
)
def test_progress_is_one_line(progress: Progress, text: str) -> None:
    assert progress.text() == text


@pytest.mark.parametrize(("number", "text"), [(0, "0"), (999, "999"), (1250, "1.2k"), (3e6, "3.0M"), (2.5e9, "2.5G")])
def test_counts_are_short(number: float, text: str) -> None:
    assert short(number) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "1s"), (59, "59s"), (1500, "25m"), (3 * 3600, "3h"), (2 * 86400, "2d")]
)
def test_durations_are_in_their_largest_unit(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_progress_comes_from_the_runs_of_the_step() -> None:
    one = world(phase("a", migrate(1)))
    one.until("Migrating")
    one.work(0.4)
    one.pass_time(5)
    status = one.turn().status
    assert (status.progress, status.rate) == ("40% 40/100 4/s ETA 15s", "4/s")


def test_progress_is_of_one_kind_of_run_at_a_time() -> None:
    """The second phase sweeps the first one's cohort, then migrates: two scans of one source, and no document twice."""
    one = world(phase("a", migrate(1)), phase("b", migrate(2)))
    one.until("Migrating")
    one.work()
    while one.turn().status.phase != "b":
        one.pass_time(1)
    one.until("Migrating")
    one.work(0.5)
    one.pass_time(1)
    assert one.turn().status.progress.startswith("50% 50/100 ")


def test_a_phase_tells_what_it_has_moved() -> None:
    one = world(phase("a", migrate(1), VERIFY), phase("b", migrate(2)))
    one.totals = lambda _plan: Totals(read=100, created=60, updated=30, dead_letters=10)
    status = one.until("Completed")
    assert [(each.name, each.state, each.documents, each.dead_letters) for each in status.phases] == [
        ("a", "Done", 90, 10),
        ("b", "Done", 180, 20),
    ]
    assert [step.state for step in status.phases[0].steps] == ["Done", "Done"]


def test_phases_that_have_not_started_are_named() -> None:
    one = world(phase("a", soak(60, evidence="None")), phase("b", migrate(2)))
    status = one.until("Soaking")
    assert [(each.name, each.state) for each in status.phases] == [("a", "Running"), ("b", "Pending")]


def test_a_gate_that_was_not_judged_yet_is_pending() -> None:
    one = world(phase("a", soak(600)), gates=[gate(), gate("latency", limit={"max": "200ms"})])
    one.measure = lambda *_: None
    status = one.until("Soaking")
    assert [(each.name, each.verdict, each.limit) for each in status.gates] == [
        ("error-rate", "Pending", "≤ 0.1%"),
        ("latency", "Pending", "≤ 200ms"),
    ]
    assert status.gates_summary == "0/2"


def test_the_history_is_bounded() -> None:
    one = world(*(phase(f"p{n}", flags(f"F{n}"), migrate(n + 1)) for n in range(8)))
    status = one.until("Completed")
    assert len(status.history) == 20
    assert status.history[-1].reason == "Completed"


def test_what_the_operator_could_not_do_is_told() -> None:
    one = world(phase("a", migrate(1)))
    before, seen = one.observe()
    decision = decide(one.rollout, before, replace(seen, problems=("ConfigMap app-flags: forbidden", "other")))
    assert decision.status.message.endswith("; ConfigMap app-flags: forbidden")


def test_a_reason_that_a_person_must_act_on_is_followed_by_what_can_be_done() -> None:
    one = world(phase("a", migrate(1)), onFailure={"action": "Pause"})
    one.until("Migrating")
    next(iter(one.runs.values())).job_failed = True
    status = one.turn().status
    assert status.message.endswith("or set spec.intent: Revert")
    assert {condition.message for condition in status.conditions} == {status.message}


def test_the_digest_of_the_migrations_changes_with_them_and_with_the_image() -> None:
    one, two = unplanned(phase("a", migrate(1))), unplanned(phase("a", migrate(1)))
    two.edit(
        migrations=[{**two.rollout.spec.migrations[0].model_dump(mode="json", by_alias=True), "onExisting": "Skip"}]
    )
    first = one.turn().status.migrations_digest
    assert first != two.turn().status.migrations_digest
    one.worker_image = "worker@sha256:2"
    assert one.turn().status.migrations_digest != first


def test_transition_times_are_those_of_the_status_that_was_written_last() -> None:
    one = world(phase("a", migrate(1)))
    before, seen = one.observe()
    old = Condition(
        type=ConditionType.READY,
        status=ConditionStatus.FALSE,
        reason="Starting",
        last_transition_time=START - timedelta(days=1),
    )
    decision = decide(one.rollout, before, replace(seen, conditions=(old,)))
    times = {condition.type: condition.last_transition_time for condition in decision.status.conditions}
    assert times[ConditionType.READY] == START - timedelta(days=1)
    assert times[ConditionType.SUCCEEDED] == START


def test_the_next_turn_is_asked_for_when_something_is_due() -> None:
    one: World = world(phase("a", soak(7, evidence="None")))
    one.until("Soaking", seconds=0.25)
    assert one.due == one.now + timedelta(seconds=7)
