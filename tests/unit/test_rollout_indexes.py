"""The verb `indexes`: a phase goes on when what its queries need is built, and says what is not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.rollout_specs import migrate, phase
from tests.rollout_world import START, World, ground, unplanned

from firelift.kube.grounds import parse
from firelift.rollout.ground import EnvironmentSeen, IndexSeen


def waiting(on: EnvironmentSeen | None, timeout: dict[str, Any] | None = None, **step: Any) -> World:
    """A rollout whose one phase waits for indexes and migrates then."""
    verb = {"indexes": {"environment": "prod", **step}, **(timeout or {})}
    one = unplanned(phase("a", verb, migrate(100)), onFailure={"action": "Pause"})
    one.environments = {} if on is None else {"prod": on}
    return one


def having(*indexes: IndexSeen, **changes: Any) -> EnvironmentSeen:
    return ground(indexes=indexes, **changes)


READY = IndexSeen("by-device", "telemetry", "READY", START)
CREATING = IndexSeen("by-tenant", "telemetry", "CREATING", START, "41%")


@pytest.mark.parametrize(
    ("seen", "names", "reason", "sentence"),
    [
        (
            having(READY, CREATING),
            [],
            "WaitingForIndex",
            "1 of 2 indexes of FirestoreEnvironment prod are READY: by-tenant on telemetry is CREATING since",
        ),
        (
            having(IndexSeen("a", "logs", "NEEDS_REPAIR", START)),
            [],
            "WaitingForEnvironment",
            "a on logs is NEEDS_REPAIR since",
        ),
        (having(IndexSeen("a", "logs", "MISSING")), [], "WaitingForEnvironment", "a on logs is MISSING"),
        (having(READY), ["nowhere"], "WaitingForEnvironment", "nowhere is not in its status: add it to spec.indexes"),
        (having(), [], "WaitingForEnvironment", "tells of no index"),
        (having(READY, observed=1), [], "WaitingForEnvironment", "its generation 2 has not been looked at yet, only 1"),
        (having(READY, deleting=True), [], "WaitingForEnvironment", "it is being deleted"),
        (None, [], "WaitingForEnvironment", "there is none of that name in this namespace"),
        (EnvironmentSeen(error="GET x: 403"), [], "WaitingForEnvironment", "GET x: 403"),
    ],
)
def test_a_phase_waits_for_its_indexes_and_says_which(
    seen: EnvironmentSeen | None, names: list[str], reason: str, sentence: str
) -> None:
    one = waiting(seen, names=names)
    status = one.until(reason)
    assert sentence in status.message
    assert status.waiting_for is not None
    assert one.runs == {}
    one.environments["prod"] = having(READY, IndexSeen("nowhere", "x", "READY", START))
    one.until("Completed")


def test_an_index_that_is_not_named_is_not_waited_for() -> None:
    status = waiting(having(READY, CREATING), names=["by-device"]).until("Completed")
    assert status.phases[0].steps[0].message == "1 indexes are READY"


def test_indexes_must_have_been_ready_for_a_while() -> None:
    one = waiting(having(READY), minReadySeconds=100)
    status = one.until("WaitingForIndex")
    assert "by-device for less than minReadySeconds 100s, until 2026-01-01T00:01:40Z" in status.message
    one.until("Completed")
    assert one.now >= START + timedelta(seconds=100)


def test_a_wait_that_is_too_long_ends_with_what_was_missing() -> None:
    status = waiting(having(CREATING), {"timeoutSeconds": 60}).until("StepTimedOut")
    assert "≥ timeoutSeconds 60s: 0 of 1 indexes" in status.message
    assert "by-tenant on telemetry is CREATING since 2026-01-01T00:00:00Z" in status.message


def test_indexes_of_another_database_fail_the_step() -> None:
    status = waiting(having(READY, project="other")).until("StepFailed")
    assert "declares database (default) of project other" in status.message


def test_indexes_are_read_as_the_environment_has_them() -> None:
    told = {"name": "by-tenant", "collection": "telemetry", "state": "CREATING", "since": "2026-01-01T00:00:00Z"}
    status = {"indexes": [{**told, "progress": "41%"}, {"name": "half"}]}
    seen = parse({"metadata": {"generation": 1}, "spec": {}, "status": status})
    assert seen.indexes == (CREATING,)
