"""The API server's own tables, as `kubectl get` prints them."""

from __future__ import annotations

from collections.abc import Sequence

from firelift.kube.client import Json

_GAP = "   "


def text(columns: Sequence[Json], rows: Sequence[Json], *, wide: bool = False, namespaces: bool = False) -> str:
    """The header and a line for each object of a `meta.k8s.io` Table; `namespaces` puts theirs in front."""
    shown = [index for index, column in enumerate(columns) if wide or not column.get("priority", 0)]
    header = [str(columns[index]["name"]).upper() for index in shown]
    lines = [[_cell(row["cells"][index]) for index in shown] for row in rows]
    if namespaces:
        header.insert(0, "NAMESPACE")
        for row, line in zip(rows, lines, strict=True):
            line.insert(0, str(row["object"]["metadata"].get("namespace", "")))
    return aligned([header, *lines])


def names(rows: Sequence[Json], prefix: str) -> str:
    """A line `kind.group/name` for each object."""
    return "\n".join(f"{prefix}/{row['object']['metadata']['name']}" for row in rows)


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their longest cell, with three spaces between."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (_GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def _cell(value: object) -> str:
    """A cell keeps to its line, as kubectl's does."""
    shown = "" if value is None else str(value)
    first, *more = shown.split("\n", 1)
    return f"{first}..." if more else shown
