"""No valid spec, edit or approval makes a decision impossible."""

from __future__ import annotations

import pytest
from tests.rollout_specs import VERIFY, gate, migrate, phase, soak
from tests.rollout_world import World, world

from firelift.api.measurement import Measurement
from firelift.api.run import RunKind, Totals

LONGEST_NAME = f"system:serviceaccount:{'n' * 63}:{'s' * 167}"


def reverted() -> World:
    one = world(phase("a", migrate(1)), phase("b", migrate(10), VERIFY))
    one.totals = lambda plan: Totals(read=100, different=int(plan.kind is RunKind.VERIFY))
    one.until("Reverted")
    return one


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (["a", "b"], [("a", "Done"), ("b", "Undone")]),
        (["a", "b0", "b"], [("a", "Done"), ("b0", "Pending"), ("b", "Undone")]),
        (["a", "b0"], [("a", "Done"), ("b0", "Pending")]),
        (["a"], [("a", "Done")]),
    ],
)
def test_phases_that_were_reverted_may_be_edited_in_every_way(names: list[str], shown: list[tuple[str, str]]) -> None:
    one = reverted()
    one.edit(phases=[phase("a", migrate(1)), *(phase(name, migrate(10)) for name in names[1:])])
    status = one.turn().status
    assert [(each.name, each.state) for each in status.phases] == shown
    assert status.started_phases == ("a",)


@pytest.mark.parametrize("count", [1, 2])
def test_an_approver_may_have_the_longest_name_of_a_user(count: int) -> None:
    assert len(LONGEST_NAME) == 253
    one = world(phase("a", {"approve": {"count": count}}, soak(60, evidence="None")))
    one.until("AwaitingApproval")
    one.approve(approver=LONGEST_NAME)
    status = one.turn().status
    assert status.reason == ("Soaking" if count == 1 else "AwaitingApproval")
    assert status.approval is not None
    assert status.approval.given == (() if count == 1 else (LONGEST_NAME,))


def test_a_metric_may_have_a_unit_of_any_length() -> None:
    one = world(phase("a", soak(600)), gates=[gate(limit={"condition": "value >= 0.0"})])
    one.measure = lambda _gate, end: Measurement(1.0, 100, "{" + "w" * 400 + "}", "q", one.now, newest=end)
    one.until("Completed")
    assert one.status is not None
