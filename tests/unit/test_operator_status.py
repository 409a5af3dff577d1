from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from firelift.api.conditions import Reason
from firelift.operator.status import told, with_sentence, with_trouble, worth_writing

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
STATUS: dict[str, Any] = {
    "reason": "Migrating",
    "message": "migrate of logs, 41% 1.2M/3.0M",
    "progress": "41%",
    "rate": "100/s",
    "startedPhases": ["one"],
    "phases": [
        {"name": "one", "state": "Running", "documents": 10, "steps": [{"name": "migrate", "message": "10 of 20"}]}
    ],
    "gates": [{"name": "errors", "verdict": "Pass", "value": "0.1%", "samples": 5}],
    "conditions": [{"type": "Ready", "status": "False", "message": "41%", "lastTransitionTime": "t"}],
}


def changed(**fields: Any) -> dict[str, Any]:
    return STATUS | fields


@pytest.mark.parametrize(
    "new",
    [
        changed(progress="42%", rate="90/s"),
        changed(message="migrate of logs, 42% 1.3M/3.0M"),
        changed(phases=[STATUS["phases"][0] | {"documents": 11}]),
        changed(phases=[STATUS["phases"][0] | {"steps": [{"name": "migrate", "message": "11 of 20"}]}]),
        changed(gates=[STATUS["gates"][0] | {"value": "0.2%", "samples": 6}]),
        changed(conditions=[STATUS["conditions"][0] | {"message": "42%"}]),
    ],
    ids=["progress", "message", "documents", "step", "gate", "condition"],
)
def test_numbers_that_moved_wait_for_their_time(new: dict[str, Any]) -> None:
    assert not worth_writing(STATUS, new, seconds_since_write=9, progress_seconds=10)
    assert worth_writing(STATUS, new, seconds_since_write=10, progress_seconds=10)


@pytest.mark.parametrize(
    "new",
    [
        changed(reason="GateFailed"),
        changed(message="waiting for the lock"),
        changed(startedPhases=["one", "ten"]),
        changed(gates=[STATUS["gates"][0] | {"verdict": "Fail"}]),
        changed(conditions=[STATUS["conditions"][0] | {"status": "True"}]),
        changed(phases=[STATUS["phases"][0] | {"state": "Done"}]),
    ],
    ids=["reason", "message", "started phases", "verdict", "condition", "phase"],
)
def test_news_are_written_at_once(new: dict[str, Any]) -> None:
    assert worth_writing(STATUS, new, seconds_since_write=0, progress_seconds=10)


def test_a_status_that_stays_is_never_written_again() -> None:
    assert not worth_writing(STATUS, dict(STATUS), seconds_since_write=1e9, progress_seconds=10)


def test_a_sentence_leaves_what_the_status_knows_of_phases() -> None:
    status = with_sentence(STATUS, Reason.DATABASE_UNREACHABLE, "no answer", generation=4, now=NOON)

    assert (status["startedPhases"], status["reason"], status["observedGeneration"]) == (
        ["one"],
        "DatabaseUnreachable",
        4,
    )
    assert {entry["type"]: entry["status"] for entry in status["conditions"]} == {
        "Ready": "False",
        "Reconciling": "True",
        "Stalled": "False",
        "Succeeded": "Unknown",
    }


def test_a_condition_keeps_its_time_until_its_status_flips() -> None:
    status = with_sentence(STATUS, Reason.INVALID_SPEC, "no", generation=4, now=NOON)
    times = {entry["type"]: entry["lastTransitionTime"] for entry in status["conditions"]}

    assert (times["Ready"], times["Stalled"]) == ("t", "2026-01-01T12:00:00Z")


def test_an_outage_stands_beside_what_a_person_must_mend_and_the_generation_is_seen() -> None:
    status = told(
        changed(reason="Suspended", message="suspended while under way", observedGeneration=3),
        Reason.DATABASE_UNREACHABLE,
        "database p/d: no answer",
        generation=4,
        now=NOON,
        deleting=False,
    )

    assert (status["reason"], status["observedGeneration"]) == ("Suspended", 4)
    assert status["message"] == "suspended while under way; at the moment: database p/d: no answer"


def test_a_deletion_says_first_what_holds_it_up_and_what_a_person_can_do() -> None:
    status = told(
        changed(reason="Suspended", message="suspended"),
        Reason.DATABASE_UNREACHABLE,
        "database p/d: no answer",
        generation=4,
        now=NOON,
        deleting=True,
    )

    assert status["reason"] == "DatabaseUnreachable"
    assert status["message"].startswith("database p/d: no answer. The object is being deleted")
    assert "remove its finalizer firelift.dev/way-back" in status["message"]


def test_nobody_takes_an_edit_for_done_that_nobody_has_decided_on() -> None:
    done = changed(reason="Completed", message="all phases are done", observedGeneration=3)
    said = {"now": NOON, "deleting": False}

    seen = told(done, Reason.DATABASE_UNREACHABLE, "no answer", generation=3, **said)  # type: ignore[arg-type] # two kinds of value
    edited = told(done, Reason.DATABASE_UNREACHABLE, "no answer", generation=4, **said)  # type: ignore[arg-type] # as above

    assert (seen["reason"], edited["reason"]) == ("Completed", "DatabaseUnreachable")


def test_the_trouble_of_a_turn_is_said_once_and_a_new_one_takes_its_place() -> None:
    first = with_trouble(STATUS, "GET /configmaps/a: forbidden (HTTP 403)", generation=4, now=NOON)
    again = with_trouble(first, "GET /configmaps/a: forbidden (HTTP 403)", generation=4, now=NOON)
    other = with_trouble(first, "the state is not valid", generation=5, now=NOON)

    assert first["reason"] == STATUS["reason"]
    assert first["message"] == f"{STATUS['message']}; at the moment: GET /configmaps/a: forbidden (HTTP 403)"
    assert again is first
    assert other["message"] == f"{STATUS['message']}; at the moment: the state is not valid"
    assert other["observedGeneration"] == 5


def test_a_first_turn_that_fails_is_said_of_an_object_without_a_status() -> None:
    status = with_trouble({}, "GET /configmaps/a: forbidden", generation=1, now=NOON)

    assert (status["reason"], status["observedGeneration"]) == ("Starting", 1)
    assert {entry["type"] for entry in status["conditions"]} == {"Ready", "Reconciling", "Stalled", "Succeeded"}
