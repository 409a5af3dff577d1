"""Which rollouts an apply waits for: those that write, and none that waits for what the apply may bring."""

from __future__ import annotations

import pytest

from firelift.operator.ground.observe import rollout_seen


@pytest.mark.parametrize(
    ("reason", "phase", "working"),
    [
        ("Migrating", "one-percent", True),
        ("WaitingForLock", "one-percent", True),
        ("WaitingForEnvironment", "one-percent", False),
        ("WaitingForBackup", "one-percent", False),
        ("Planning", "everyone", False),
    ],
)
def test_an_apply_waits_for_a_rollout_that_works_on_a_phase(*, reason: str, phase: str, working: bool) -> None:
    conditions = [{"type": "Reconciling", "status": "True"}]
    status = {"reason": reason, "phase": phase, "startedPhases": ["one-percent"], "conditions": conditions}
    assert rollout_seen({"metadata": {"name": "logs"}, "status": status}).working is working
