"""The threat model names a test for what it says holds, and the tests are there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
PATH = re.compile(r"`((?:tests|docs)/[\w./]+)`")


def threats() -> list[list[str]]:
    """The cells of the table's rows."""
    table = PAGE.partition("## Threats")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines() if line[:1] == "|"]
    return rows[2:]


def test_every_threat_says_what_holds_what_proves_it_and_what_is_open() -> None:
    rows = threats()
    assert len(rows) >= 10
    assert [row[0] for row in rows if len(row) != 4 or not all(row)] == []
    assert [row[0] for row in rows if not PATH.findall(row[2])] == []


def test_the_tests_that_are_named_are_there() -> None:
    named = {path for row in threats() for path in PATH.findall(row[2])}
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []
