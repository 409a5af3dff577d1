"""A rollout that declares its database's uid writes nothing where Firestore does not answer this very one."""

from __future__ import annotations

from typing import Any

import pytest
from tests.rollout_specs import APPROVE, VERIFY, migrate, phase
from tests.rollout_world import World, unplanned, world

from firelift.api.approval import ApprovalDecision
from firelift.api.digest import canonical
from firelift.api.plan import CheckVerdict
from firelift.api.rollout import DatabaseRef

UID = "3b9d5a0e-5d0c-4c43-9a0b-1f2d6c8e7a90"
DECLARING: dict[str, Any] = {"database": {"project": "demo-project", "uid": UID}}
PHASES = (phase("one", migrate(1), VERIFY), phase("all", migrate(100), VERIFY))


def _turns(one: World, count: int = 5) -> None:
    for _ in range(count):
        one.turn()
        one.work()
        one.pass_time(10)


def _begun() -> World:
    one = unplanned(*PHASES, **DECLARING)
    one.actual_uid = UID
    one.until("Migrating")
    return one


@pytest.mark.parametrize(
    ("actual", "says"),
    [
        ("another", "has uid another: it is another one, or was made anew under its name; nothing was written there"),
        (
            "",
            "does not say its uid (an emulator has none): grant the operator's service account roles/datastore.viewer",
        ),
    ],
)
def test_nothing_begins_in_a_database_that_does_not_answer_the_declared_uid(actual: str, says: str) -> None:
    one = unplanned(*PHASES, **DECLARING)
    one.actual_uid = actual
    _turns(one)

    assert one.reason == "DatabaseDiffers"
    assert f"spec.database.uid declares the database with uid {UID}, and demo-project/(default) {says}" in one.message
    assert (one.owner, one.runs, one.plan_runs, one.locks, one.finalizer) == (None, {}, {}, {}, False)
    one.actual_uid = UID
    one.until("Completed")


def test_the_declared_database_stands_among_the_checks() -> None:
    one = _begun()
    assert one.status is not None
    shown = {check.check: (check.verdict, check.message) for check in one.status.preflight}
    assert shown["declared database"] == (CheckVerdict.PASS, f"its uid is {UID}")


@pytest.mark.parametrize("asked", [{}, {"intent": "Revert"}])
def test_a_database_that_was_made_anew_in_between_is_not_written_to_and_not_adopted(asked: dict[str, Any]) -> None:
    one = _begun()
    one.actual_uid = "anew"
    before = one.state
    one.edit(**asked)
    one.turn()
    one.approve(ApprovalDecision.ADOPT)
    assert one.turn().intents == ()
    assert (one.reason, one.state, one.database_uid) == ("DatabaseDiffers", before, UID)
    one.delete()
    assert [type(intent).__name__ for intent in one.turn().intents] == ["EmitEvent"]
    assert not one.finalizer


def test_while_the_uid_cannot_be_read_what_is_under_way_goes_on_and_the_next_phase_waits() -> None:
    one = _begun()
    one.actual_uid = ""
    one.until("DatabaseDiffers")
    assert one.state is not None
    assert ([record.name for record in one.state.phases], one.state.phase_index) == (["one"], 1)
    assert all(run.complete for run in one.runs.values())
    done = len(one.runs)
    _turns(one, 20)
    assert len(one.runs) == done
    one.actual_uid = UID
    one.until("Completed")


def test_while_the_uid_cannot_be_read_what_stands_can_be_taken_back() -> None:
    one = _begun()
    one.actual_uid = ""
    one.edit(intent="Revert")
    one.until("Reverted")


def test_a_database_that_declares_no_uid_is_digested_as_ever() -> None:
    assert canonical(DatabaseRef(project="demo-project")) == '{"name":"(default)","project":"demo-project"}'
    assert DatabaseRef(project="demo-project", uid=UID).model_dump()["uid"] == UID


def test_a_rollout_without_a_uid_goes_on_as_ever_where_none_is_answered() -> None:
    one = world(*PHASES)
    one.actual_uid = ""
    one.until("Completed")


def _asked(one: World) -> tuple[int, str]:
    """The number of the plan that there is, and the uid that its run was told."""
    plan = one.state.plan if one.state is not None else None
    return (plan.number, plan.request.database_uid) if plan is not None else (0, "")


@pytest.mark.parametrize("mode", ["DryRun", "Validate", "Migrate"])
def test_no_plan_is_begun_while_the_declared_uid_is_not_answered(mode: str) -> None:
    one = unplanned(*PHASES, mode=mode, **DECLARING)
    one.actual_uid = UID
    one.turn()
    assert (one.reason, _asked(one)) == ("Starting", (0, ""))
    one.actual_uid = ""
    _turns(one)

    assert (one.reason, _asked(one)) == ("DatabaseDiffers", (0, ""))
    assert "does not say its uid" in one.message
    one.actual_uid = UID
    one.until("Completed")
    assert _asked(one) == (1, UID)


def test_no_plan_is_made_again_within_a_phase_while_the_declared_uid_is_not_answered() -> None:
    one = unplanned(phase("one", migrate(1), APPROVE), PHASES[1], **DECLARING)
    one.actual_uid = UID
    one.until("AwaitingApproval")
    assert _asked(one) == (1, UID)
    one.actual_uid = ""
    one.edit(phases=[phase("one", migrate(1), APPROVE), phase("all", migrate(50), VERIFY)])
    _turns(one)

    assert (one.reason, _asked(one)) == ("DatabaseDiffers", (1, UID))
    one.actual_uid = UID
    one.until("AwaitingApproval")
    assert _asked(one) == (2, UID)
    one.approve()
    one.until("Completed")


def test_a_plan_that_stands_serves_while_the_declared_uid_is_not_answered() -> None:
    one = unplanned(phase("one", migrate(1), APPROVE), **DECLARING)
    one.actual_uid = UID
    one.until("AwaitingApproval")
    one.actual_uid = ""
    one.turn()
    one.approve()
    one.until("Completed")
