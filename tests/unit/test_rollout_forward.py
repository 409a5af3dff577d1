"""The way forward: order, barriers, locks, frozen phases, failures and time limits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.rollout_rules import names
from tests.rollout_specs import VERIFY, flags, gate, migrate, migration, phase, soak
from tests.rollout_world import World, unplanned, world

from firelift.api.run import RunKind, RunPlan, RunState, Totals
from firelift.rollout.intents import EnsureJob, EnsureRun, SetFlags
from firelift.rollout.machine import decide
from firelift.rollout.memory import changed
from firelift.rollout.observation import HolderSeen, PaceSeen
from firelift.rollout.state import StepState

VERIFY_LOGS: dict[str, Any] = {"verify": {"migrations": ["logs"]}}


def state_of(one: World, step: str, index: int = 0) -> StepState:
    assert one.state is not None
    return one.state.phases[index].steps[step].state


def test_phases_and_steps_are_done_in_order() -> None:
    one = world(phase("a", migrate(1), VERIFY), phase("b", migrate(100), VERIFY))
    one.until("Completed")
    assert [run.removeprefix("a1.") for run in one.order] == [
        "a.migrate.logs.migrate.0",
        "a.verify.logs.verify.0",
        "a.migrate.logs.sweep.16",
        "b.migrate.logs.migrate.0",
        "b.verify.logs.verify.0",
    ]


def test_the_ledger_is_claimed_before_anything_else_happens() -> None:
    one = unplanned(phase("a", migrate(1)))
    assert names(one.turn()) == ["ClaimLedger"]
    assert one.finalizer
    assert one.status is not None
    assert one.status.started_phases == ()


def test_a_phase_is_named_as_started_in_the_turn_of_its_first_intent() -> None:
    one = world(phase("a", migrate(1)))
    decision = one.turn()
    assert decision.status.started_phases == ("a",)
    assert names(decision) == ["AcquireLock"]


def test_a_run_starts_only_under_the_lock_of_its_collection_group() -> None:
    one = world(phase("a", migrate(1)))
    one.locks["logs"] = "shop/other"
    one.until("WaitingForLock")
    one.turn()
    assert one.status is not None
    assert one.status.waiting_for is not None
    assert (one.status.waiting_for.name, one.status.waiting_for.position) == ("shop/other", 1)
    assert one.message.startswith("the lock of collection group logs is held by shop/other, 1 in line")
    assert one.runs == {}
    del one.locks["logs"]
    one.until("Migrating")


def test_locks_are_asked_for_one_after_the_other_in_the_order_of_their_names() -> None:
    one = world(phase("a", migrate(1, "b", "a")), migrations=[migration("b"), migration("a")])
    one.locks["a"] = "other"
    one.until("WaitingForLock")
    for _ in range(3):
        one.turn()
    assert one.locks == {"a": "other"}


def test_migrations_of_a_step_run_one_after_the_other_in_the_order_of_the_spec() -> None:
    one = world(phase("a", migrate(1, "second", "first")), migrations=[migration("first"), migration("second")])
    one.until("Completed")
    assert [run.split(".")[3] for run in one.order] == ["first", "second"]


def test_what_the_flags_were_before_is_remembered_in_a_turn_before_or_with_their_setting() -> None:
    one = world(phase("a", flags("READ_NEW")))
    one.config_maps["app-flags"] = {"READ_NEW": "off", "OTHER": "1"}
    while not any(isinstance(intent, SetFlags) for intent in one.intents):
        before, seen = one.observe()
        decision = one.turn()
        record = decision.state.phases[0].steps["read-new"].before if decision.state.phases else {}
    assert record == {"READ_NEW": "off"}
    assert seen.config_maps["app-flags"].data["READ_NEW"] == "off"
    assert before.version < decision.state.version
    assert one.config_maps["app-flags"] == {"READ_NEW": "on", "OTHER": "1"}


def test_a_flag_that_somebody_sets_between_the_look_and_the_deed_is_what_a_revert_restores() -> None:
    one = world(phase("a", flags("READ_NEW")))
    one.config_maps["app-flags"] = {"READ_NEW": "off"}
    before, seen = one.observe()
    decision = decide(one.rollout, before, seen)
    while not any(isinstance(intent, SetFlags) for intent in decision.intents):
        one.turn()
        before, seen = one.observe()
        decision = decide(one.rollout, before, seen)
    one.record(before, decision)
    one.config_maps["app-flags"]["READ_NEW"] = "by hand"
    one.act(decision.intents)
    assert one.config_maps["app-flags"] == {"READ_NEW": "by hand"}
    one.until("Completed")
    assert one.config_maps["app-flags"] == {"READ_NEW": "on"}
    one.edit(intent="Revert")
    one.until("Reverted")
    assert one.config_maps["app-flags"] == {"READ_NEW": "by hand"}


def test_flags_are_done_only_when_they_have_stood_for_their_propagation() -> None:
    one = world(phase("a", flags("READ_NEW", propagationSeconds=60)))
    one.until("SettingFlags")
    one.turn()
    one.turn()
    assert one.config_maps["app-flags"] == {"READ_NEW": "on"}
    one.pass_time(40)
    one.config_maps["app-flags"]["READ_NEW"] = "off"
    one.turn()
    one.turn()
    one.pass_time(30)
    one.turn()
    assert state_of(one, "read-new") is StepState.RUNNING
    one.pass_time(30)
    one.turn()
    assert one.reason == "Completed"


def test_a_cohort_is_published_with_its_seed() -> None:
    one = world(phase("a", flags("X", set={}, publishCohort={"READ": 10})))
    one.until("Completed")
    assert one.config_maps["app-flags"] == {"READ": "10", "READ_SEED": "demo.users"}


def test_a_missing_config_map_is_waited_for_and_said() -> None:
    one = world(phase("a", flags("X")))
    del one.config_maps["app-flags"]
    one.until("SettingFlags")
    one.turn()
    assert one.message == "ConfigMap app-flags does not exist in namespace demo; the step waits for it"
    one.config_maps["app-flags"], one.owned["app-flags"] = {}, set()
    one.until("Completed")


def test_flags_with_a_time_limit_are_taken_back_by_themselves() -> None:
    one = world(phase("a", flags("WINDOW", maxSeconds=100), soak(1000, evidence="None")))
    one.config_maps["app-flags"]["WINDOW"] = "closed"
    one.until("Soaking")
    assert one.config_maps["app-flags"]["WINDOW"] == "on"
    one.edit(suspend=True)
    one.pass_time(100)
    one.turn()
    one.turn()
    assert one.config_maps["app-flags"]["WINDOW"] == "closed"
    one.config_maps["app-flags"]["WINDOW"] = "opened by hand"
    one.turn()
    assert one.config_maps["app-flags"]["WINDOW"] == "opened by hand"


def test_a_time_limit_never_takes_back_what_somebody_else_has_set() -> None:
    one = world(phase("a", flags("WINDOW", maxSeconds=100), soak(1000, evidence="None")))
    one.until("Soaking")
    one.config_maps["app-flags"]["WINDOW"] = "by hand"
    one.pass_time(200)
    one.turn()
    one.turn()
    assert one.config_maps["app-flags"]["WINDOW"] == "by hand"


@pytest.mark.parametrize(
    ("policy", "expected"), [({"action": "Pause"}, "StepFailed"), ({"action": "Revert"}, "Reverting")]
)
def test_a_failed_job_fails_the_step_with_the_workers_own_sentence(policy: dict[str, str], expected: str) -> None:
    one = world(phase("a", migrate(1)), onFailure=policy)
    one.until("Migrating")
    run = next(iter(one.runs.values()))
    run.job_failed, run.failure = True, "PERMISSION_DENIED on users/7"
    one.turn()
    assert one.reason == expected
    assert one.state is not None
    assert one.state.failure is not None
    assert "run a1.a.migrate.logs.migrate.0: PERMISSION_DENIED on users/7" in one.state.failure.message


def test_a_paused_step_keeps_its_workers_on_hold() -> None:
    one = world(phase("a", migrate(1)), onFailure={"action": "Pause"})
    one.until("Migrating")
    run = next(iter(one.runs.values()))
    run.job_failed = True
    one.turn()
    assert run.state is RunState.HOLD
    assert one.reason == "StepFailed"
    assert one.message.endswith(
        "stopped here; raise spec.attempt to try the step again, approve Skip of the step, or set spec.intent: Revert"
    )


@pytest.mark.parametrize(
    ("different", "allowed", "expected"), [(2, "1%", "StepFailed"), (1, "1%", "Completed"), (1, "0%", "StepFailed")]
)
def test_verify_fails_on_more_differences_than_allowed(different: int, allowed: str, expected: str) -> None:
    one = world(phase("a", migrate(1), {"verify": {"maxMismatch": allowed}}), onFailure={"action": "Pause"})
    one.totals = lambda _plan: Totals(read=100, different=different)
    one.until(expected)
    if expected == "StepFailed":
        assert f"verify: {different}% > {allowed} mismatch ({different} of 100 documents" in one.message


def unread(plan: RunPlan) -> Totals:
    return Totals(read=0 if plan.kind is RunKind.VERIFY else 100)


def test_verify_fails_when_it_has_looked_at_none_of_the_documents_that_there_are() -> None:
    one = world(phase("a", migrate(1), {"verify": {"sample": "5%"}}), onFailure={"action": "Pause"})
    one.totals = unread
    assert one.until("StepFailed").message.startswith(
        "verify: 0 of 100 documents of logs were looked at: none is in both the cohort and the sample of 5%; look "
        "whether its source and entityKey are those of the data, or take more, stopped here"
    )


def test_one_migration_that_was_looked_at_says_nothing_of_another() -> None:
    one = world(
        phase("a", migrate(1, "logs", "tasks"), VERIFY),
        migrations=[migration("logs"), migration("tasks")],
        onFailure={"action": "Pause"},
    )
    one.totals = lambda plan: Totals(read=100 * (plan.migration.name == "logs" or plan.kind is not RunKind.VERIFY))
    assert one.until("StepFailed").message.startswith("verify: 0 of 100 documents of tasks were looked at")


def test_verify_of_an_empty_source_passes_and_says_so_in_status_and_event() -> None:
    one = world(phase("a", migrate(1), VERIFY))
    one.totals, one.estimate = unread, 0
    one.until("Completed")
    sentence = "0 documents compared; the source of logs is empty"
    assert one.status is not None
    assert [step.message for phase in one.status.phases for step in phase.steps][-1] == sentence
    assert f"step verify of phase a is done: {sentence}" in [event.message for event in one.events]


def test_verify_fails_when_no_step_in_front_of_it_has_moved_what_it_compares() -> None:
    one = world(phase("a", migrate(1), VERIFY), onFailure={"action": "Pause"})
    one.until("Migrating")
    assert one.state is not None
    (begun,) = one.state.phases
    backwards = begun.spec.model_copy(update={"steps": begun.spec.steps[::-1]})
    one.state = changed(one.state, phases=(changed(begun, spec=backwards, steps={}),))
    assert one.until("StepFailed").message.startswith(
        "verify: no step in front of step verify of phase a has moved anything: there is nothing to compare, stopped"
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [({}, "Reverting"), ({"onTimeout": "Pause"}, "StepTimedOut"), ({"onTimeout": "Revert"}, "Reverting")],
)
def test_a_step_that_takes_too_long_fails(changes: dict[str, str], expected: str) -> None:
    one = world(phase("a", {**migrate(1), "timeoutSeconds": 100, **changes}))
    one.until("Migrating")
    one.pass_time(100)
    one.turn()
    assert one.reason == expected
    assert one.state is not None
    assert one.state.failure is not None
    assert "step migrate of phase a took 105s ≥ timeoutSeconds 100s" in one.state.failure.message


def test_time_in_which_the_rollout_is_suspended_does_not_count() -> None:
    one = world(phase("a", {**migrate(1), "timeoutSeconds": 100}))
    one.until("Migrating")
    one.edit(suspend=True)
    one.turn()
    one.pass_time(1000)
    one.edit(suspend=False)
    one.turn()
    assert one.reason == "Migrating"
    one.pass_time(100)
    one.turn()
    assert one.reason == "Reverting"


def test_a_run_that_moves_nothing_pauses_the_rollout() -> None:
    one = world(phase("a", migrate(1)), progressDeadlineSeconds=120)
    one.until("Migrating")
    for _ in range(9):
        one.pass_time(20)
        one.turn()
    assert one.reason == "NoProgress"
    assert "no document moved for" in one.message


def test_a_run_that_waits_for_its_share_of_the_budget_is_not_blamed_for_it_and_says_who_holds_it() -> None:
    one = world(phase("a", migrate(1)), progressDeadlineSeconds=120)
    one.until("Migrating")
    one.pace = PaceSeen(0, 500, 500, holder=HolderSeen("shop/tasks", 500, one.now))
    for _ in range(30):
        one.pass_time(20)
        one.turn()
    assert one.reason == "Migrating"
    assert "waiting for its share of the write budget: 0 of 500/s; shop/tasks holds 500/s until" in one.message
    one.pace = PaceSeen(2.5, 500, 500)
    for _ in range(9):
        one.pass_time(20)
        one.turn()
    assert one.reason == "NoProgress"
    assert "which may write 2.5/s of 500/s" in one.message


@pytest.mark.parametrize(
    ("share", "pace", "rests"),
    [(0.002, {}, 1_000), (500, {"pauseBetweenBatchesSeconds": 600}, 600)],
    ids=["almost nothing", "a long rest"],
)
def test_a_run_whose_pace_lets_a_commit_begin_only_now_and_then_is_not_blamed_for_it(
    share: float, pace: dict[str, int], rests: float
) -> None:
    one = world(phase("a", migrate(1)), progressDeadlineSeconds=120, pace=pace, worker={"parallelism": 1})
    one.until("Migrating")
    one.pace = PaceSeen(share, 500, 500)
    turns = int(2 * rests / 20)
    for _ in range(turns):
        one.pass_time(20)
        one.turn()
    assert one.reason == "Migrating"
    for _ in range(turns + 20):
        one.pass_time(20)
        one.turn()
    assert one.reason == "NoProgress"


def test_progress_holds_the_deadline_off() -> None:
    one = world(phase("a", migrate(1)), progressDeadlineSeconds=120)
    one.until("Migrating")
    for _ in range(50):
        one.pass_time(20)
        one.work(0.01)
        one.turn()
    assert one.reason == "Migrating"


@pytest.mark.parametrize("seconds", [100, 100_000])
def test_time_in_which_nobody_watched_is_not_held_against_a_run(seconds: int) -> None:
    one = world(phase("a", migrate(1)), progressDeadlineSeconds=120)
    one.until("Migrating")
    one.pass_time(seconds)
    one.turn()
    assert one.reason == "Migrating"


def test_waiting_for_a_lock_is_not_a_lack_of_progress() -> None:
    one = world(phase("a", migrate(1)), progressDeadlineSeconds=120)
    one.locks["logs"] = "other"
    one.until("WaitingForLock")
    for _ in range(20):
        one.pass_time(20)
        one.turn()
    assert one.reason == "WaitingForLock"


def test_a_started_phase_is_frozen_and_a_later_one_follows_the_spec() -> None:
    one = world(phase("a", migrate(1), soak(30, evidence="None")), phase("b", migrate(10)), gates=[])
    one.until("Soaking")
    one.edit(
        phases=[
            phase("a", migrate(1), soak(1_000_000, evidence="None")),
            phase("b", migrate(50)),
            phase("c", VERIFY_LOGS),
        ],
        gates=[gate(limit={"max": "0"})],
    )
    one.until("Completed")
    assert one.runs["a1.b.migrate.logs.migrate.0"].plan.selection.to_bucket == 5000
    assert one.state is not None
    assert [record.name for record in one.state.phases] == ["a", "b", "c"]
    assert [len(record.gates) for record in one.state.phases] == [0, 1, 1]


def test_a_condition_that_does_not_compile_keeps_its_phase_from_starting() -> None:
    bad = gate(limit={"condition": "value <"})
    one = world(phase("a", migrate(1)), phase("b", migrate(10), gates=[bad]))
    one.until("PreflightFailed")
    assert "gate b/error-rate: cannot be judged: condition 'value <' is not valid CEL" in one.message
    assert one.runs == {}
    one.edit(phases=[phase("a", migrate(1)), phase("b", migrate(10))])
    one.until("Completed")


def test_the_worker_image_is_pinned_at_the_first_run() -> None:
    one = world(phase("a", migrate(1)), phase("b", migrate(10)))
    one.until("Migrating")
    one.edit(worker={"image": "worker@sha256:2"})
    one.until("Completed")
    assert {run.plan.image for run in one.runs.values()} == {"worker@sha256:1"}
    assert one.status is not None
    assert one.status.worker_image == "worker@sha256:1"


def test_a_decision_that_was_recorded_but_not_acted_on_is_acted_on_by_the_next_turn() -> None:
    one = world(phase("a", migrate(1)))
    one.until("Migrating")
    one.runs.clear()
    kinds = [type(intent) for intent in one.turn().intents]
    assert EnsureRun in kinds
    assert EnsureJob in kinds


def test_a_rollout_whose_phases_shrank_below_what_was_started_still_ends() -> None:
    one = world(phase("a", migrate(1)), phase("b", soak(600, evidence="None")))
    one.until("Soaking")
    one.rollout = replace(one.rollout, spec=world(phase("a", migrate(1))).rollout.spec)
    one.pass_time(600)
    one.turn()
    assert one.reason == "Completed"


def test_a_phase_remembers_only_the_migrations_that_it_uses() -> None:
    named = ("logs", "tasks", "plans")
    steps = (migrate(1, "logs"), {"verify": {"migrations": ["logs"]}})
    one = world(
        phase("a", *steps),
        phase("b", migrate(1, "tasks"), {"verify": {"migrations": ["logs"]}}),
        migrations=[migration(name) for name in named],
    )
    one.until("Completed")
    assert one.state is not None
    assert [[kept.name for kept in record.migrations] for record in one.state.phases] == [["logs"], ["logs", "tasks"]]
    one.edit(intent="Revert", revertTo="RolloutStart")
    one.until("Reverted")
