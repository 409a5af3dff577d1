"""Deletion, Abort, suspend, Revert, Advance; what latches, and which attempt is made when."""

from __future__ import annotations

from typing import Any

import pytest
from tests.rollout_rules import names
from tests.rollout_specs import VERIFY, flags, migrate, phase, soak
from tests.rollout_world import World, world

from firelift.api.run import RunKind, RunState, Totals
from firelift.rollout.intents import EnsureJob, EnsureRun
from firelift.rollout.observation import Owner

PHASES = (phase("a", migrate(1), VERIFY, soak(600, evidence="None")), phase("b", migrate(10)))


def at(reason: str, **changes: Any) -> World:
    one = world(*PHASES, **changes)
    one.until(reason)
    return one


def paused() -> World:
    one = world(*PHASES, onFailure={"action": "Pause"})
    one.totals = lambda plan: Totals(read=100, different=int(plan.kind is RunKind.VERIFY))
    one.until("StepFailed")
    one.totals = lambda _plan: Totals(read=100)
    return one


def taking_back() -> World:
    """A rollout whose data is being taken back."""
    one = at("Soaking")
    one.edit(intent="Revert")
    while "a1.a.migrate.logs.revert.0" not in one.runs:
        one.turn()
    return one


def deleted(one: World, turns: int = 100) -> World:
    one.delete()
    for _ in range(turns):
        one.turn()
        if not one.finalizer:
            return one
        one.work()
        one.pass_time(5)
    return one


# Suspend


def test_a_suspended_rollout_holds_its_workers_and_goes_on_where_it_was() -> None:
    one = at("Migrating")
    run = next(iter(one.runs.values()))
    one.edit(suspend=True)
    one.turn()
    assert (run.state, one.reason) == (RunState.HOLD, "Suspended")
    one.edit(suspend=False)
    one.turn()
    assert (run.state, one.reason) == (RunState.RUN, "Migrating")


def test_a_soak_is_lengthened_by_the_time_of_its_suspension() -> None:
    one = at("Soaking")
    one.edit(suspend=True)
    one.turn()
    one.pass_time(10_000)
    one.edit(suspend=False)
    one.turn()
    assert one.reason == "Soaking"
    one.pass_time(590)
    one.turn()
    assert one.reason == "Soaking"
    one.pass_time(10)
    one.turn()
    assert one.reason == "Migrating"


def test_suspend_also_holds_a_revert_and_its_beginning() -> None:
    one = taking_back()
    one.edit(suspend=True)
    one.turn()
    assert one.runs["a1.a.migrate.logs.revert.0"].state is RunState.HOLD
    assert "suspended while reverting" in one.message
    two = at("Soaking")
    two.edit(suspend=True, intent="Revert")
    assert names(two.turn()) == []
    assert two.reason == "Suspended"


def test_what_a_person_must_fix_is_told_before_a_suspension() -> None:
    one = paused()
    one.edit(suspend=True)
    one.turn()
    assert one.reason == "StepFailed"


# Abort


def test_abort_stops_the_workers_and_leaves_data_and_flags() -> None:
    one = world(phase("a", flags("X"), migrate(1)))
    one.until("Migrating")
    run = next(iter(one.runs.values()))
    one.edit(intent="Abort")
    one.turn()
    assert (run.state, run.going, one.reason) == (RunState.STOP, True, "Aborted")
    assert one.config_maps["app-flags"] == {"X": "on"}
    assert one.finalizer


@pytest.mark.parametrize("changes", [{"suspend": True}, {}])
def test_abort_comes_before_suspend(changes: dict[str, bool]) -> None:
    one = at("Migrating")
    one.edit(intent="Abort", **changes)
    one.turn()
    assert one.reason == "Aborted"


def test_abort_latches_and_still_accepts_revert() -> None:
    one = at("Migrating")
    one.edit(intent="Abort")
    one.turn()
    one.edit(intent=None)
    one.turn()
    assert one.reason == "Aborted"
    one.edit(intent="Revert")
    one.until("Reverted")


def test_abort_stops_a_revert_and_another_attempt_goes_on_reverting() -> None:
    one = taking_back()
    one.edit(intent="Abort")
    one.turn()
    run = one.runs["a1.a.migrate.logs.revert.0"]
    assert (run.state, run.going) == (RunState.STOP, True)
    one.edit(intent=None, attempt=2)
    one.until("Reverted")
    assert one.runs["a2.a.migrate.logs.revert.0"].plan.follows == run.plan.id


def test_abort_of_what_is_over_changes_nothing() -> None:
    one = at("Completed")
    one.edit(intent="Abort")
    one.turn()
    assert one.reason == "Completed"


# Attempts


def test_an_attempt_after_a_pause_begins_at_the_same_step() -> None:
    one = paused()
    one.edit(attempt=2)
    one.until("Completed")
    assert [run for run in one.order if run.startswith("a2.a")] == [
        "a2.a.verify.logs.verify.0",
        "a2.a.migrate.logs.sweep.16",
    ]


def test_an_attempt_after_an_abort_begins_at_the_same_step_when_the_old_workers_are_gone() -> None:
    one = at("Migrating")
    run = next(iter(one.runs.values()))
    one.edit(intent="Abort")
    one.turn()
    one.edit(intent=None, attempt=2)
    assert names(one.turn()) == []
    run.going = False
    assert names(one.turn()) == ["RemoveJob"]
    assert list(one.runs) == [run.plan.id]
    one.work()
    one.turn()
    assert "a2.a.migrate.logs.migrate.0" in one.runs


def test_an_attempt_after_a_revert_begins_at_the_phase_that_was_reverted_to_with_the_spec_as_it_is_now() -> None:
    one = world(phase("a", migrate(1)), phase("b", migrate(10), soak(600, evidence="None")))
    one.until("Soaking")
    one.edit(intent="Revert")
    one.until("Reverted")
    one.edit(intent=None, attempt=2, phases=[phase("a", migrate(1)), phase("c", migrate(20))])
    one.until("Completed")
    assert [run for run in one.order if run.startswith("a2")] == [
        "a2.a.migrate.logs.sweep.16",
        "a2.c.migrate.logs.migrate.0",
    ]


@pytest.mark.parametrize("intent", ["Abort", "Revert"])
def test_an_attempt_waits_while_an_intent_is_set(intent: str) -> None:
    one = at("Migrating")
    one.edit(intent=intent)
    one.until("Aborted" if intent == "Abort" else "Reverted")
    one.edit(attempt=2)
    one.turn()
    assert f"attempt 2 waits until spec.intent {intent} is removed" in one.message
    assert one.state is not None
    assert one.state.attempt == 1
    one.edit(intent=None)
    one.until("Migrating")
    assert one.state.attempt == 2


def test_an_attempt_after_success_is_refused() -> None:
    one = at("Completed")
    one.edit(attempt=2)
    one.turn()
    assert one.message.endswith("attempt 2 is refused: the rollout has succeeded, make a new one")
    assert one.reason == "Completed"


def test_an_attempt_that_nobody_needs_is_refused_and_does_not_lie_in_wait() -> None:
    one = at("Soaking", onFailure={"action": "Pause"})
    one.edit(attempt=2)
    one.turn()
    assert one.events[-1].reason == "AttemptRefused"
    one.edit(intent="Abort")
    one.turn()
    one.edit(intent=None)
    one.turn()
    assert one.reason == "Aborted"
    assert "attempt 2 is refused: attempt 1 was under way" in one.message
    one.edit(attempt=3)
    one.turn()
    assert one.state is not None
    assert one.state.attempt == 3


# Deletion


def test_a_deletion_that_retains_stops_the_workers_and_gives_everything_back() -> None:
    one = at("Migrating")
    run = next(iter(one.runs.values()))
    deleted(one)
    assert not one.finalizer
    assert (run.state, run.job) == (RunState.STOP, False)
    assert one.locks == {}
    assert one.owner is None


def test_a_lock_is_never_given_back_while_a_worker_may_still_write() -> None:
    one = at("Migrating")
    run = next(iter(one.runs.values()))
    one.delete()
    one.turn()
    run.job = True
    assert "ReleaseLock" not in names(one.turn())
    assert one.finalizer


def test_an_object_that_is_created_again_goes_on_where_the_old_one_was() -> None:
    one = at("Migrating")
    deleted(one)
    one.rollout = type(one.rollout)("demo", "users", "uid-2", 1, one.rollout.spec)
    one.until("Completed")
    assert one.order.count("a1.a.migrate.logs.migrate.0") == 1
    assert one.owner is None or one.owner.uid == "uid-2"


@pytest.mark.parametrize("suspend", [True, False])
@pytest.mark.parametrize("until", ["Migrating", "Soaking", "Completed"])
def test_a_deletion_that_reverts_takes_the_whole_rollout_back_first(until: str, *, suspend: bool) -> None:
    one = at(until, deletionPolicy="Revert")
    assert one.finalizer
    one.edit(suspend=suspend)
    deleted(one)
    assert not one.finalizer
    moved = {run for run in one.runs if ".migrate." in run.split("logs")[1] or ".sweep." in run}
    walked = {subject for run in one.runs.values() if run.plan.kind is RunKind.REVERT for subject in run.plan.subjects}
    assert moved == walked
    assert one.owner is None


def test_a_deletion_that_reverts_also_reverts_what_was_aborted() -> None:
    one = at("Migrating", deletionPolicy="Revert")
    one.edit(intent="Abort")
    one.turn()
    deleted(one)
    assert not one.finalizer
    assert "a1.a.migrate.logs.revert.0" in one.runs


def test_a_deletion_takes_a_revert_of_one_phase_back_to_the_start() -> None:
    one = world(phase("a", migrate(1)), phase("b", migrate(10), soak(600, evidence="None")), deletionPolicy="Revert")
    one.until("Soaking")
    one.edit(intent="Revert")
    one.turn()
    deleted(one)
    assert "a1.a.migrate.logs.revert.0" in one.runs


def test_a_deletion_whose_revert_fails_keeps_the_object_until_a_person_decides() -> None:
    one = at("Soaking", deletionPolicy="Revert")
    one.totals = lambda plan: Totals(read=100, different=int(plan.kind is RunKind.REVERT_VERIFY))
    deleted(one)
    assert (one.finalizer, one.reason) == (True, "RevertFailed")
    one.totals = lambda _plan: Totals(read=100)
    one.edit(attempt=2)
    deleted(one)
    assert not one.finalizer


def test_a_deletion_whose_revert_fails_can_be_turned_into_one_that_retains() -> None:
    one = at("Soaking", deletionPolicy="Revert")
    one.totals = lambda plan: Totals(read=100, different=int(plan.kind is RunKind.REVERT_VERIFY))
    deleted(one)
    one.edit(deletionPolicy="Retain")
    deleted(one)
    assert not one.finalizer


def test_an_object_that_holds_nothing_has_no_finalizer() -> None:
    one = world(*PHASES)
    one.owner = Owner("c", "other", "demo/other")
    one.turn()
    assert not one.finalizer
    two = at("Completed")
    two.turn()
    two.turn()
    assert not two.finalizer
    assert names(two.turn()) == []


def test_nothing_runs_after_the_end() -> None:
    one = at("Completed")
    for _ in range(3):
        decision = one.turn()
        assert not any(isinstance(intent, EnsureRun | EnsureJob) for intent in decision.intents)


def test_a_succeeded_rollout_can_be_reverted_until_its_retention_ends() -> None:
    one = at("Completed", ledgerRetentionSeconds=1000)
    assert one.status is not None
    assert one.status.revertible_until is not None
    one.pass_time(900)
    one.edit(intent="Revert", revertTo="RolloutStart")
    one.until("Reverted")
    two = at("Completed", ledgerRetentionSeconds=1000)
    two.pass_time(1001)
    two.edit(intent="Revert", revertTo="RolloutStart")
    two.turn()
    assert two.reason == "Completed"
