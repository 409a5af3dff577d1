"""The alerts and the dashboard ask for series that exist, in PromQL that Prometheus reads, and lead to a page."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from firelift.operator.telemetry.metrics import Metrics

ROOT = Path(__file__).resolve().parents[2]
FILES = ROOT / "charts/firelift/files"
ALERTS: list[dict[str, Any]] = yaml.safe_load((FILES / "alerts.yaml").read_text())["groups"][0]["rules"]
DASHBOARD: dict[str, Any] = json.loads((FILES / "dashboard.json").read_text())
PANELS = [(panel["title"], target["expr"]) for panel in DASHBOARD["panels"] for target in panel["targets"]]
EXAMPLES = re.findall(r"```promql\n(.*?)```", (ROOT / "docs/metrics.md").read_text(), re.DOTALL)
QUERIES = [
    *((alert["alert"], alert["expr"]) for alert in ALERTS),
    *PANELS,
    *(("docs/metrics.md", line) for text in EXAMPLES for line in text.splitlines() if line and line[0] != "#"),
]


def series() -> set[str]:
    """The names of all series, as a query spells them."""
    names = set()
    for metric in Metrics().registry.collect():
        names.add(f"{metric.name}_total" if metric.type == "counter" else metric.name)
        if metric.type == "histogram":
            names |= {f"{metric.name}_{part}" for part in ("bucket", "count", "sum")}
    return names


@pytest.mark.parametrize(("where", "query"), QUERIES)
def test_a_query_is_promql_over_series_that_there_are(where: str, query: str) -> None:
    promql_parser.parse(query.replace("$namespace", "a").replace("$rollout", "b"))
    asked = set(re.findall(r"firelift_[a-z_]+", query))
    assert asked, where
    assert asked <= series(), where


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: str(alert["alert"]))
def test_an_alert_leads_to_its_page(alert: dict[str, Any]) -> None:
    page, _, anchor = alert["annotations"]["runbook_url"].partition("#")
    headings = re.findall(r"^## (\w+)$", (ROOT / page).read_text(), re.MULTILINE)
    assert anchor in {heading.lower() for heading in headings}
    assert alert["labels"]["severity"] in {"critical", "warning", "info"}


def test_every_page_has_its_alert() -> None:
    headings = re.findall(r"^## (\w+)$", (ROOT / "docs/runbooks.md").read_text(), re.MULTILINE)
    assert set(headings) == {alert["alert"] for alert in ALERTS}


def test_a_label_that_an_alert_writes_is_one_that_its_series_has() -> None:
    for alert in ALERTS:
        said = " ".join(alert["annotations"].values())
        for label in re.findall(r"\$labels\.(\w+)", said):
            known = {"namespace", "name"} if "sum by" not in alert["expr"] else set()
            assert label in known or label in _labels(alert["expr"]), (alert["alert"], label)


def _labels(query: str) -> set[str]:
    """Those of every metric that a query asks for, by the page that lists them, and those that it names itself."""
    page = (ROOT / "docs/metrics.md").read_text()
    rows = [line.split("|") for line in page.splitlines() if line.startswith("| `firelift_")]
    asked = set(re.findall(r"firelift_[a-z_]+", query))
    found = {label for row in rows if row[1].strip(" `") in asked for label in re.findall(r"`(\w+)`", row[2])}
    return found | set(re.findall(r"\w+", " ".join(re.findall(r"\(([a-z, ]+)\)", query))))


def test_panels_do_not_overlap_and_fill_the_width() -> None:
    cells: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        x, y, w, h = (panel["gridPos"][side] for side in "xywh")
        own = set(itertools.product(range(x, x + w), range(y, y + h)))
        assert not own & cells, panel["title"]
        cells |= own
    assert {x for x, _ in cells} == set(range(24))
