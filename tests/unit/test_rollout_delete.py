"""The verb `delete`: after an approval, over all that was moved, under the lock of the source, and back on a revert."""

from __future__ import annotations

from typing import Any

from tests.rollout_specs import APPROVE, DELETE, migrate, migration, phase, soak, spec
from tests.rollout_world import World, world

from firelift.api.run import RunKind, RunPlan, Totals
from firelift.api.status import RolloutStatus

AFTER = soak(3000, evidence="None")


def cleaned(*extra: dict[str, Any], **changes: Any) -> tuple[World, RolloutStatus]:
    one = world(phase("a", migrate(1)), phase("b", migrate(50), APPROVE, DELETE, *extra), **changes)
    one.totals = totals
    one.until("AwaitingApproval")
    one.approve()
    return one, one.until("Soaking" if extra else "Completed")


def totals(plan: RunPlan) -> Totals:
    if plan.kind is RunKind.DELETE:
        return Totals(read=100, deleted=97, kept=3)
    return Totals(read=100, created=100)


def test_a_delete_covers_what_all_phases_have_moved_and_says_what_it_kept() -> None:
    one, status = cleaned()
    made = one.runs["a1.b.delete.logs.delete.0"].plan
    assert (made.selection.from_bucket, made.selection.to_bucket) == (0, 5000)
    assert made.now == one.runs["a1.a.migrate.logs.migrate.0"].plan.now
    assert one.order.index(made.id) > one.order.index("a1.b.migrate.logs.migrate.0")
    done = [entry.message for entry in status.history if entry.reason == "StepDone"]
    assert "97 sources deleted, 3 kept: their dead letters say why" in done[-1]


def test_a_delete_holds_the_lock_of_the_source_and_a_revert_of_it_too() -> None:
    one, _ = cleaned(AFTER, migrations=[{**migration("logs"), "target": {"document": "users/{doc.u}/archive/{id}"}}])
    assert {"logs", "archive"} <= set(one.locks)
    one.edit(intent="Revert", revertTo="PhaseStart")
    one.until("Reverted")
    back = [run for run in one.order if ".revert." in run]
    assert back == ["a1.b.delete.logs.revert.0", "a1.b.migrate.logs.revert.0"]
    assert one.runs[back[0]].plan.subjects == ("a1.b.delete.logs.delete.0",)


def test_a_delete_of_what_nobody_has_moved_keeps_its_phase_from_starting() -> None:
    both = [migration("logs"), migration("tasks")]
    one = world(phase("a", migrate(1, "tasks"), APPROVE, DELETE), migrations=both)
    assert "step delete of phase a deletes the sources of logs" in one.until("InvalidSpec").message


def test_an_irreversible_delete_asks_by_itself_and_stops_a_revert() -> None:
    one = world(phase("a", migrate(1), {**DELETE, "irreversible": True}, AFTER))
    one.until("AwaitingApproval")
    one.approve()
    one.until("Soaking")
    one.edit(intent="Revert")
    assert "irreversible" in one.until("RevertFailed").message


def test_the_names_of_a_delete_are_its_own() -> None:
    assert spec(phase("a", migrate(1), APPROVE, DELETE)).phases[0].steps[2].verb == "delete"
