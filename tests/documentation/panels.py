"""The panels of the chart's dashboard as a table in docs/metrics.md."""

from __future__ import annotations

import json
from typing import Any

from tests.documentation.generated import ROOT, Part, cell

DASHBOARD = ROOT / "charts/firelift/files/dashboard.json"


def panels() -> list[dict[str, Any]]:
    """The dashboard's panels."""
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return found


def table() -> str:
    """Title and queries of each panel."""
    rows = (f"| {cell(panel['title'])} | {'<br>'.join(map(_query, panel['targets']))} |\n" for panel in panels())
    return "".join(["| panel | query |\n|---|---|\n", *rows])


def _query(target: dict[str, Any]) -> str:
    return cell(f"`{target['expr']}`")


PART = Part("metrics.md", "panels", table)
