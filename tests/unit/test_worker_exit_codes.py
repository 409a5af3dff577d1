"""Each end of a worker has one code, and each code one meaning to its Job."""

import signal

import pytest

from firelift.migration import errors
from firelift.migration.exit_codes import FATAL, IGNORED, ExitCode, exit_code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.RunStopped("told to"), 10),
        (errors.LeaseLost("nobody leads"), 11),
        (errors.Denied("PERMISSION_DENIED", "no"), 20),
        (errors.FencedError("a rival"), 21),
        (errors.TransformUnusable("no module"), 22),
        (errors.InvalidData("too heavy"), 23),
        (errors.LedgerBroken("format 9"), 24),
        (errors.RetriesExhausted("no answer"), 1),
        (errors.Pressure("ABORTED", "slow"), 1),
        (ValueError("a bug"), 1),
    ],
)
def test_an_error_has_its_code(error: Exception, code: int) -> None:
    assert exit_code(error) == code


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_kill_from_outside_is_no_failure_of_the_work(number: int) -> None:
    assert 128 + number in IGNORED


def test_what_a_job_ignores_and_what_ends_it_are_apart_and_are_no_success() -> None:
    assert not set(IGNORED) & set(FATAL)
    assert ExitCode.DONE not in {*IGNORED, *FATAL}
    assert ExitCode.CRASHED not in {*IGNORED, *FATAL}
