"""Which rollouts an environment sees as its users, what they need, and whether they are at work."""

from __future__ import annotations

from typing import Any

import pytest

from firelift.api.conditions import Reason, conditions_of
from firelift.operator.ground.users import user

GATE = {"name": "indexes", "environment": {"name": "prod", "condition": "IndexesReady"}, "limit": {"min": "1"}}
REQUIRES = {"requires": {"environment": {"name": "prod"}}}


def waits(*names: str, on: str = "prod") -> dict[str, Any]:
    return {"indexes": {"environment": on, **({"names": list(names)} if names else {})}}


def rollout(*steps: dict[str, Any], status: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    phases = [{"name": "a", "steps": list(steps)}]
    return {"metadata": {"name": "users"}, "spec": {"phases": phases, **spec}, "status": status or {}}


@pytest.mark.parametrize(
    ("document", "indexes"),
    [
        (rollout(**REQUIRES), []),
        (rollout(gates=[GATE]), []),
        (rollout(phases=[{"name": "a", "gates": [GATE], "steps": []}]), []),
        (rollout(waits("by-device")), ["by-device"]),
        (rollout(waits("by-device"), waits("by-name"), **REQUIRES), ["by-device", "by-name"]),
        (rollout(waits("by-device"), waits(), **REQUIRES), []),
        (rollout(waits("by-device"), waits("x", on="other"), gates=[GATE]), ["by-device"]),
    ],
)
def test_whoever_requires_measures_or_waits_for_an_environment_is_its_user(
    document: dict[str, Any], indexes: list[str]
) -> None:
    seen = user(document, "prod")
    assert seen is not None
    assert sorted(seen.indexes) == indexes


@pytest.mark.parametrize(
    "document",
    [
        rollout(),
        rollout(waits("by-device", on="other"), requires={"environment": {"name": "other"}}),
        rollout(gates=[{"name": "ledger", "ledger": {"metric": "deadLetters"}}], requires={}),
    ],
)
def test_other_rollouts_are_none_of_its_users(document: dict[str, Any]) -> None:
    assert user(document, "prod") is None


@pytest.mark.parametrize(
    ("reason", "phase", "started", "working", "begun"),
    [
        (Reason.MIGRATING, "a", ["a"], True, True),
        (Reason.SOAKING, "a", ["a"], True, True),
        (Reason.SUSPENDED, "a", ["a"], True, True),
        (Reason.WAITING_FOR_ENVIRONMENT, "a", ["a"], False, True),
        (Reason.WAITING_FOR_BACKUP, "a", ["a"], False, True),
        (Reason.WAITING_FOR_LOCK, "a", ["a"], False, True),
        (Reason.WAITING_FOR_ROLLOUT, "a", ["a"], False, True),
        (Reason.AWAITING_APPROVAL, "b", ["a"], False, True),
        (Reason.GATE_FAILED, "a", ["a"], False, True),
        (Reason.STEP_FAILED, "b", ["a", "b"], False, True),
        (Reason.REVERT_FAILED, "a", ["a"], False, True),
        (Reason.ABORTED, "a", ["a"], False, True),
        (Reason.REVERTED, "b", ["a"], False, True),
        (Reason.REVERTED, "a", [], False, False),
        (Reason.COMPLETED, "a", ["a"], False, False),
        (Reason.WAITING_FOR_ENVIRONMENT, "a", [], False, False),
    ],
)
def test_a_rollout_that_has_begun_needs_its_indexes_until_it_is_over(
    reason: Reason, phase: str, started: list[str], *, working: bool, begun: bool
) -> None:
    conditions = [{"type": kind, "status": status} for kind, status in conditions_of(reason).items()]
    status = {"reason": reason, "phase": phase, "startedPhases": started, "conditions": conditions}
    seen = user(rollout(status=status, **REQUIRES), "prod")
    assert seen is not None
    assert (seen.working, seen.begun) == (working, begun)
