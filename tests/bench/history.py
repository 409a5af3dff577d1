"""The history of the figures in the page on performance: one row for each run that is worth keeping."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.figures import Figure, number

PAGE = Path("docs/performance.md")
HEADER = "| date |"
ABSENT = "-"

COLUMNS: tuple[tuple[str, ...], ...] = (
    ("worker-cpu-vs-official",),
    ("worker-cpu-per-document", "official-cpu-per-document"),
    ("throughput-vs-bare-pump", "throughput-in-place"),
    ("throughput-vs-bare-pump-guarded-copies", "throughput-guarded-copies"),
    ("verify-vs-migrate", "revert-vs-migrate"),
    ("verify-vs-migrate-guarded-copies", "revert-vs-migrate-guarded-copies"),
    ("memory-growth", "cpu-growth"),
    ("memory-growth-million", "cpu-growth-million", "memory-peak-million"),
    ("rollouts-1000-status-p50", "rollouts-1000-status-p99", "rollouts-1000-memory", "churn-memory-growth"),
)
"""The figures of each column behind the date."""


def record(note: str, figures: Sequence[Figure], page: Path = PAGE) -> None:
    """Put a row with the medians of what was measured under the table's last one.

    Raises:
        RuntimeError: when the page has no such table.
    """
    lines = page.read_text().splitlines()
    header = next((at for at, line in enumerate(lines) if line.startswith(HEADER)), None)
    if header is None:
        raise RuntimeError(f"{page} has no table that begins with {HEADER!r}")
    end = next((at for at in range(header, len(lines)) if not lines[at].startswith("|")), len(lines))
    lines.insert(end, row(f"{datetime.now(UTC):%Y-%m-%d}, {note}", figures))
    page.write_text("\n".join(lines) + "\n")


def row(title: str, figures: Sequence[Figure]) -> str:
    """One row of the table; what was not measured has a dash."""
    found = {figure.name: number(figure.value) for figure in figures}
    cells = [", ".join(found.get(name, ABSENT) for name in names) for names in COLUMNS]
    return f"| {title} | " + " | ".join(ABSENT if set(cell) <= set(f"{ABSENT}, ") else cell for cell in cells) + " |"
