"""The picture of the dashboard is of the dashboard that the chart brings, and shows what its queries answer."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

from tests.documentation.dashboard import PICTURE, drawn, fingerprint, queries
from tests.documentation.panels import panels

SECOND = 1000
SPAN = (0, 60 * SECOND)
SVG = "{http://www.w3.org/2000/svg}"


def answers(series: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    return [series for _ in queries()]


def texts(picture: str) -> list[str]:
    return [each.text or "" for each in ET.fromstring(picture).iter(f"{SVG}text")]  # noqa: S314 - our own picture


def curve(**labels: str) -> dict[str, Any]:
    points = [[at * SECOND, at / 60] for at in range(0, 61, 2) if not 20 < at < 40]
    return {"labels": labels, "points": points}


def test_the_picture_is_of_the_dashboard_that_the_chart_brings() -> None:
    kept = PICTURE.read_text(encoding="utf-8")
    assert f'data-dashboard="{fingerprint()}"' in kept, "the dashboard has changed: run `make dashboard`"
    assert {panel["title"] for panel in panels()} <= set(texts(kept))


def test_a_series_is_a_curve_with_its_gaps_its_legend_and_its_scale() -> None:
    picture = drawn(answers([curve(name="logs & more", kind="rollout", phase="one", outcome="moved")]), SPAN)
    charts = [panel for panel in panels() if panel["type"] == "timeseries"]
    lines = list(ET.fromstring(picture).iter(f"{SVG}polyline"))  # noqa: S314 - our own picture
    asked = sum(len(panel["targets"]) for panel in charts)
    assert len(lines) == asked * len(("before the gap", "behind it"))
    assert {"logs & more", "one moved", "100%", "1:00"} <= set(texts(picture))


def test_a_panel_without_an_answer_says_so_and_one_with_many_says_how_many_it_leaves_out() -> None:
    assert "no data" in texts(drawn(answers([]), SPAN))
    many = [curve(name=f"rollout-{number}") for number in range(11)]
    assert "3 lower ones are left out" in texts(drawn(answers(many), SPAN))


def test_what_has_ended_is_shown_with_its_last_value_and_time() -> None:
    ended = {"labels": {"name": "logs", "reason": "Migrating"}, "points": [[10 * SECOND, 1.0]]}
    assert "Migrating (until 0:10)" in texts(drawn(answers([ended]), SPAN))
