"""A rollout whose ledger is gone: whatever it has done, it does not begin again by itself."""

from __future__ import annotations

from typing import Any

import pytest
from tests.rollout_specs import migrate, phase, soak
from tests.rollout_world import World, world

from firelift.operator.ledger import LedgerRead
from firelift.operator.lost import farewell, lost
from firelift.operator.status import dump
from firelift.rollout.observation import LedgerSeen
from firelift.stores.memory.store import MemoryStore

GONE = LedgerRead(LedgerSeen(), MemoryStore())


def status_of(made: World) -> dict[str, Any]:
    """As the API server has it."""
    assert made.status is not None
    return dump(made.status)


def reverted() -> World:
    """All of it taken back."""
    made = world(
        phase("one", migrate(10), soak(60, evidence="None")), phase("all", migrate(100), soak(600, evidence="None"))
    )
    made.until("Soaking")
    made.edit(intent="Revert", revertTo="RolloutStart")
    made.until("Reverted")
    return made


def test_what_was_wholly_reverted_stays_so_when_its_ledger_has_expired() -> None:
    made = reverted()
    assert status_of(made)["startedPhases"] == []
    found = lost(made.rollout, GONE, status_of(made))
    assert found is not None
    assert found[0] == "Reverted"
    assert "nothing can be taken back" in found[1]


def test_what_was_wholly_reverted_stays_so_whatever_its_phases_are_called_now() -> None:
    made = reverted()
    status = status_of(made) | {"phases": [{"name": "another", "state": "Pending"}]}
    assert lost(made.rollout, GONE, status) is not None


def test_what_was_wholly_reverted_begins_again_only_when_a_higher_attempt_asks() -> None:
    made = reverted()
    status = status_of(made)
    made.edit(intent=None, revertTo=None, attempt=2)
    assert lost(made.rollout, GONE, status) is None


@pytest.mark.parametrize("reason", ["InvalidSpec", "LedgerUnreadable"])
def test_what_has_succeeded_is_never_called_lost_whatever_was_said_since(reason: str) -> None:
    made = world(phase("all", migrate(100)))
    made.until("Completed")
    found = lost(made.rollout, GONE, status_of(made) | {"reason": reason})
    assert found is not None
    assert found[0] == "Completed"


def test_what_is_under_way_is_lost_and_says_so() -> None:
    made = world(phase("all", migrate(100), soak(60, evidence="None")))
    made.until("Soaking")
    found = lost(made.rollout, GONE, status_of(made))
    assert found is not None
    assert found[0] == "LedgerLost"
    assert "phase all has started" in found[1]


@pytest.mark.parametrize("status", [{}, {"reason": "Planning", "phases": [{"name": "all", "state": "Pending"}]}])
def test_what_has_not_begun_begins(status: dict[str, Any]) -> None:
    assert lost(world(phase("all", migrate(100))).rollout, GONE, status) is None


def partly_reverted() -> World:
    """The second of two phases taken back."""
    made = world(
        phase("one", migrate(10), soak(60, evidence="None")), phase("all", migrate(100), soak(600, evidence="None"))
    )
    for reason in ("Soaking", "Migrating", "Soaking"):
        made.until(reason)
    made.edit(intent="Revert", revertTo="PhaseStart")
    made.until("Reverted")
    return made


def test_a_higher_attempt_of_what_stands_half_way_without_a_ledger_is_told_why_it_does_not_begin() -> None:
    made = partly_reverted()
    status = status_of(made)
    assert status["startedPhases"]
    unasked = lost(made.rollout, GONE, status)
    assert unasked is not None
    assert "attempt" not in unasked[1]

    made.edit(intent=None, revertTo=None, attempt=2)
    found = lost(made.rollout, GONE, status)
    assert found is not None
    assert found[0] == "Reverted"
    assert "attempt 2 cannot begin" in found[1]
    assert "delete this object and make it again" in found[1]


def test_a_higher_attempt_that_an_intent_holds_is_told_so() -> None:
    made = reverted()
    made.edit(attempt=2)
    found = lost(made.rollout, GONE, status_of(made))
    assert found is not None
    assert "attempt 2 begins when spec.intent is removed" in found[1]


@pytest.mark.parametrize(
    ("policy", "said"),
    [("Revert", "deletionPolicy: Revert takes nothing back"), ("Retain", "so nothing is taken back")],
)
def test_an_object_that_goes_without_its_ledger_says_what_it_leaves(policy: str, said: str) -> None:
    made = world(phase("all", migrate(100), soak(60, evidence="None")), deletionPolicy=policy)
    made.until("Soaking")
    assert farewell(made.rollout, GONE, status_of(made)) == ""
    made.delete()
    assert lost(made.rollout, GONE, status_of(made)) is None
    assert said in farewell(made.rollout, GONE, status_of(made))


def test_an_object_that_is_over_goes_without_a_word_when_its_ledger_has_expired() -> None:
    made = reverted()
    made.delete()
    assert farewell(made.rollout, GONE, status_of(made)) == ""
