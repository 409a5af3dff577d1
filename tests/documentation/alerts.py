"""The alerts of the chart as a table in docs/metrics.md."""

from __future__ import annotations

import re
from typing import Any

import yaml
from tests.documentation.generated import ROOT, Part, cell

ALERTS = ROOT / "charts/firelift/files/alerts.yaml"


def table() -> str:
    """Name, weight, patience and what has happened, each name a link to its runbook."""
    rows = ["| alert | severity | after | it means |\n|---|---|---|---|\n"]
    rules: list[dict[str, Any]] = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"][0]["rules"]
    rows += [
        f"| [`{rule['alert']}`](runbooks.md#{rule['alert'].lower()}) | {rule['labels']['severity']} |"
        f" {'at once' if rule['for'] == '0m' else rule['for']} | {_said(rule['annotations']['summary'])} |\n"
        for rule in rules
    ]
    return "".join(rows)


def _said(summary: str) -> str:
    """The sentence, with the names of labels where it has their values, and … for the value."""
    return re.sub(r"\{\{ \$value.*? \}\}", "…", re.sub(r"\{\{ \$labels\.(\w+) \}\}", r"_\1_", cell(summary)))


PART = Part("metrics.md", "alerts", table)
