from __future__ import annotations

import pytest

from firelift.kube.errors import Changed, KubeError, NotFound, Refused, Unreachable, error_of


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, Refused),
        (403, Refused),
        (404, NotFound),
        (408, Unreachable),
        (409, Changed),
        (410, Unreachable),
        (422, Refused),
        (429, Unreachable),
        (500, Unreachable),
        (503, Unreachable),
        (504, Unreachable),
    ],
)
def test_an_answer_says_what_can_be_done_about_it(status: int, expected: type[KubeError]) -> None:
    error = error_of("GET /x", status, "as it says")

    assert type(error) is expected
    assert str(error) == f"GET /x: as it says (HTTP {status})"


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7.0), ("", 0.0), ("Sat, 21 Nov 2026 15:00:00 GMT", 0.0), ("-1", 0.0)]
)
def test_who_asks_to_wait_says_how_long(header: str, seconds: float) -> None:
    error = error_of("GET /x", 429, "slower", retry_after=header)

    assert isinstance(error, Unreachable)
    assert error.retry_seconds == seconds
