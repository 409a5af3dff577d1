"""A log that somebody has written to make reading it slow is read in linear time."""

from __future__ import annotations

import time

import pytest

from firelift.cli.redaction import text

CPU_SECONDS = 30.0
"""Each takes less than 3 s on an idle machine, and hours where a pattern looks at each of its beginnings to the end."""


@pytest.mark.parametrize(
    "piece",
    [
        "eyJ-",
        "ya29",
        "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN ",
        "://a:",
        "a:",
        "bearer ",
        "token ",
        "token:",
        "password = ",
        "secret\t",
    ],
)
def test_a_report_takes_time_by_the_length_of_a_log(piece: str) -> None:
    log = f"://{piece * (1_000_000 // len(piece))}"
    began = time.process_time()
    text(log, ())
    assert time.process_time() - began < CPU_SECONDS


def test_a_token_of_two_thousand_characters_is_still_one() -> None:
    token = f"eyJ{'a' * 1_900}.{'b' * 5_000}.{'c' * 300}"
    assert token[:50] not in text(f"Authorization {token} end", ())
