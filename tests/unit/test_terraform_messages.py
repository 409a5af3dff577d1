"""What Terraform says, read without its secrets."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from firelift.infra.terraform.errors import Diagnostic, StateLock
from firelift.infra.terraform.messages import diagnostics, is_stale, lock_of, text_diagnostic
from firelift.infra.terraform.redact import Redactor

LOCK = """{reason}
Lock Info:
  ID:        0f3c
  Path:      {path}
  Operation: OperationTypeApply
  Who:       firelift@firelift-operator-7c9-x
  Version:   1.11.4
  Created:   2026-11-21 08:20:03.869665123 +0000 UTC
  Info:      


Terraform acquires a state lock to protect the state from being written
by multiple users at the same time."""  # noqa: W291 - as Terraform prints it


def line(**diagnostic: str) -> str:
    return json.dumps({"@level": "error", "type": "diagnostic", "diagnostic": diagnostic})


@pytest.mark.parametrize("path", ["terraform.tfstate", ""])
def test_a_lock_is_told_with_its_holder_and_its_time(path: str) -> None:
    text = LOCK.format(reason="the state is already locked by another terraform client", path=path)
    lock = lock_of([Diagnostic("error", "Error acquiring the state lock", text)])
    assert lock == StateLock(
        id="0f3c",
        who="firelift@firelift-operator-7c9-x",
        operation="Apply",
        created=datetime(2026, 11, 21, 8, 20, 3, 869665, UTC),
        path=path,
    )
    assert lock.host == "firelift-operator-7c9-x"


def test_a_lock_without_its_information_is_still_a_lock() -> None:
    assert lock_of([Diagnostic("error", "Error acquiring the state lock", "no answer")]) == StateLock("", "")


def test_any_other_error_is_no_lock() -> None:
    assert lock_of([Diagnostic("error", "Error creating Index", "409: ID: 7")]) is None


def test_errors_come_before_warnings_and_what_is_no_diagnostic_is_passed_over() -> None:
    lines = ["Initializing…", "{cut", line(severity="warning", summary="old"), line(severity="error", summary="bad")]
    assert [one.summary for one in diagnostics(lines, Redactor())] == ["bad", "old"]


def test_a_flood_of_diagnostics_is_bounded() -> None:
    assert len(diagnostics([line(severity="error", summary=str(n)) for n in range(1000)], Redactor())) == 50


def test_a_diagnostic_is_said_in_one_line_with_its_address() -> None:
    (one,) = diagnostics(
        [line(severity="error", summary="409", detail="index\n  exists", address='google_firestore_index.c["a"]')],
        Redactor(),
    )
    assert str(one) == 'google_firestore_index.c["a"]: 409: index exists'


@pytest.mark.parametrize(("summary", "stale"), [("Saved plan is stale", True), ("Saved plan is broken", False)])
def test_a_stale_plan_is_known_by_its_summary(summary: str, *, stale: bool) -> None:
    assert is_stale([Diagnostic("error", summary)]) is stale


def test_plain_text_loses_its_frame_and_its_colours() -> None:
    (one,) = text_diagnostic("\x1b[31m╷\n│ Error: no\n│ why\n╵\x1b[0m\n", Redactor())
    assert one.summary == "Error: no\nwhy"
