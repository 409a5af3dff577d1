"""What is asked of a rollout before it has a ledger is decided once, like everything else."""

from __future__ import annotations

import pytest
from tests.rollout_specs import gate, migrate, phase
from tests.rollout_world import world

from firelift.api.approval import ApprovalDecision


@pytest.mark.parametrize(("intent", "reason"), [("Revert", "Reverted"), ("Abort", "Aborted")])
def test_an_intent_before_the_first_phase_is_decided_once(intent: str, reason: str) -> None:
    one = world(phase("p", migrate(100)))
    one.edit(intent=intent)
    one.until(reason)
    told, said = one.status, len(one.events)
    for _ in range(5):
        one.pass_time(10)
        one.turn()

    assert one.status == told
    assert len(one.events) == said


def test_an_override_before_the_first_phase_is_no_news_for_ever() -> None:
    one = world(phase("p", migrate(100)), gates=[gate(limit={"condition": "value <"})])
    one.until("InvalidSpec")
    one.approve(ApprovalDecision.OVERRIDE, gate="error-rate")
    for _ in range(3):
        one.turn()
        one.pass_time(10)

    assert one.events == []
