"""The history that `make bench` writes."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.bench.figures import Figure
from tests.bench.history import COLUMNS, PAGE, record, row

CPU = Figure("worker-cpu-vs-official", [0.3, 0.1, 0.2], "ratio")
VERIFY = Figure("verify-vs-migrate", [1.5], "ratio")


def test_a_row_has_medians_and_a_dash_for_what_was_not_measured() -> None:
    assert row("today", [CPU, VERIFY]) == "| today | 0.2 | - | - | - | 1.5, - | - | - | - | - |"


def test_a_row_is_put_under_the_last_one(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Page\n\n| date | a |\n|---|---|\n| first | 1 |\n\nText.\n")
    record("new", [CPU], page)
    lines = page.read_text().splitlines()
    assert lines[4] == "| first | 1 |"
    assert lines[5].endswith(", new | 0.2 | - | - | - | - | - | - | - | - |")
    assert lines[6:] == ["", "Text."]


def test_a_page_without_the_table_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Page\n")
    with pytest.raises(RuntimeError, match="no table"):
        record("new", [CPU], page)


def test_the_page_has_a_column_for_each_cell_of_a_row() -> None:
    table = [line for line in PAGE.read_text().splitlines() if line.startswith(("| date |", "| 20"))]
    assert len(table) > 1
    assert {line.count(" | ") for line in table} == {len(COLUMNS)}
