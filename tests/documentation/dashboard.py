"""The Grafana dashboard of the chart as a picture, of a demo's own metrics: `make dashboard`.

The panels, their queries, legends and units are those of the chart's JSON; the answers are of Prometheus' own engine.
The drawing is ours, because Grafana is not a package of any registry that builds from source here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

from tests.documentation.generated import ROOT
from tests.documentation.panels import panels

PICTURE = ROOT / "docs/pictures/dashboard.svg"
STEP_SECONDS = 2
_CELL, _ROW, _GAP = 50, 34, 8
_COLOURS = ("#1a7f37", "#0969da", "#bf8700", "#cf222e", "#8250df", "#1b7c83", "#bc4c00", "#57606a")
_LINES = 8
"""Lines of a panel that are drawn, the highest ones; what is left out is counted."""
_STYLE = """
svg{--ink:#1b1f24;--soft:#57606a;--line:#d0d7de;--box:#ffffff;--page:#f6f8fa}
@media (prefers-color-scheme:dark){svg{--ink:#e6edf3;--soft:#9da7b3;--line:#30363d;--box:#161b22;--page:#0d1117}}
.page{fill:var(--page)} text{fill:var(--ink)}
.soft{fill:var(--soft);font-size:10px} .box{fill:var(--box);stroke:var(--line)}
.grid{stroke:var(--line);stroke-width:1;fill:none} .curve{fill:none;stroke-width:1.6}
"""

Series = dict[str, Any]


def queries() -> list[str]:
    """Every query, for all namespaces and rollouts."""
    return [
        target["expr"].replace("$namespace", ".*").replace("$rollout", ".*")
        for panel in panels()
        for target in panel["targets"]
    ]


def fingerprint() -> str:
    """Of what the picture is of; another dashboard wants another picture."""
    return hashlib.sha256(json.dumps(panels(), sort_keys=True).encode()).hexdigest()[:16]


def drawn(answers: Sequence[list[Series]], span: tuple[int, int]) -> str:
    """The picture of the answers to `queries()`, over a span of milliseconds."""
    rest = iter(answers)
    boxes = []
    for panel in panels():
        lines = [(target, one) for target in panel["targets"] for one in next(rest) if one["points"]]
        named = [(_legend(target.get("legendFormat", ""), one["labels"]), one["points"]) for target, one in lines]
        boxes.append(_panel(panel, named, span))
    height = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels()) * _ROW + 2 * _GAP
    width = 24 * _CELL + 2 * _GAP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="system-ui, sans-serif"'
        f' font-size="12" role="img" aria-label="The Firelift dashboard" data-dashboard="{fingerprint()}">\n'
        f'<style>{_STYLE}</style>\n<rect class="page" width="{width}" height="{height}"/>\n{"".join(boxes)}</svg>\n'
    )


def _legend(pattern: str, labels: dict[str, str]) -> str:
    if not pattern:
        return " ".join(labels[key] for key in ("namespace", "name", "reason") if key in labels)
    for key, value in labels.items():
        pattern = pattern.replace("{{" + key + "}}", value)
    return pattern


def _panel(panel: dict[str, Any], lines: list[tuple[str, list[list[float]]]], span: tuple[int, int]) -> str:
    place, more = panel["gridPos"], max(0, len(lines) - _LINES)
    highest = sorted(lines, key=lambda line: -max(value for _, value in line[1]))[:_LINES]
    x, y = place["x"] * _CELL + _GAP, place["y"] * _ROW + _GAP
    width, height = place["w"] * _CELL - _GAP, place["h"] * _ROW - _GAP
    unit = panel["fieldConfig"]["defaults"].get("unit", "short")
    inside = _chart if panel["type"] == "timeseries" else _rows
    return (
        f'<g transform="translate({x},{y})"><rect class="box" width="{width}" height="{height}" rx="4"/>'
        f'<text x="10" y="18" font-weight="600">{escape(panel["title"])}</text>{_left_out(more, width)}'
        f"{''.join(inside(sorted(highest), (width, height), unit, span))}</g>\n"
    )


def _left_out(more: int, width: int) -> str:
    """How many lower lines there is no room for."""
    said = f"{more} lower ones are left out"
    return f'<text class="soft" x="{width - 10}" y="18" text-anchor="end">{said}</text>' if more else ""


def _rows(
    lines: list[tuple[str, list[list[float]]]], size: tuple[int, int], unit: str, span: tuple[int, int]
) -> Iterator[str]:
    """Of bar gauges, stats and tables: the last value of each series that is there at the end, else the last seen."""
    standing = [(name, points[-1][1]) for name, points in lines if points[-1][0] >= span[1] - 3000 * STEP_SECONDS]
    shown = standing or [(f"{name} (until {_clock(points[-1][0], span)})", points[-1][1]) for name, points in lines]
    if not shown:
        yield '<text class="soft" x="10" y="44">no data</text>'
    most = max((abs(value) for _, value in shown), default=1) or 1
    for index, (name, value) in enumerate(shown):
        top = 30 + index * 24
        bar = max(2.0, (size[0] - 20) * abs(value) / most)
        colour = _COLOURS[index % len(_COLOURS)]
        yield f'<rect x="10" y="{top}" width="{bar:.0f}" height="20" rx="3" fill="{colour}" opacity="0.25"/>'
        yield f'<text x="16" y="{top + 14}">{escape(name)}</text>'
        yield f'<text x="{size[0] - 16}" y="{top + 14}" text-anchor="end">{_number(value, unit)}</text>'


def _chart(
    lines: list[tuple[str, list[list[float]]]], size: tuple[int, int], unit: str, span: tuple[int, int]
) -> Iterator[str]:
    """Curves over the whole span, their scale at the left, their legend below."""
    legend_rows = (len(lines) + 1) // 2
    left, top, right, bottom = 48, 30, size[0] - 12, size[1] - 24 - 14 * legend_rows
    largest = max((value for _, points in lines for _, value in points), default=0.0) or 1.0
    for part in (0, 0.5, 1):
        level = bottom - (bottom - top) * part
        yield f'<path class="grid" d="M{left},{level:.1f} H{right}"/>'
        scale = _number(largest * part, unit)
        yield f'<text class="soft" x="{left - 4}" y="{level + 4:.1f}" text-anchor="end">{scale}</text>'
    for share in (0, 0.5, 1):
        at = span[0] + (span[1] - span[0]) * share
        anchor = ("start", "middle", "end")[round(share * 2)]
        yield (
            f'<text class="soft" x="{left + (right - left) * share:.0f}" y="{bottom + 13}" text-anchor="{anchor}">'
            f"{_clock(at, span)}</text>"
        )
    for index, (name, points) in enumerate(lines):
        colour = _COLOURS[index % len(_COLOURS)]
        for run in _runs(points):
            spots = " ".join(
                f"{left + (right - left) * (at - span[0]) / (span[1] - span[0]):.1f},"
                f"{bottom - (bottom - top) * value / largest:.1f}"
                for at, value in run
            )
            yield f'<polyline class="curve" stroke="{colour}" points="{spots}"/>'
        column, row = index % 2, index // 2
        x, y = left + column * (right - left) / 2, bottom + 30 + row * 14
        yield f'<rect x="{x:.0f}" y="{y - 5:.0f}" width="10" height="3" fill="{colour}"/>'
        yield f'<text class="soft" x="{x + 14:.0f}" y="{y:.0f}">{escape(name)}</text>'


def _runs(points: list[list[float]]) -> Iterator[list[list[float]]]:
    """The points without the gaps between them."""
    run: list[list[float]] = []
    for point in points:
        if run and point[0] - run[-1][0] > 1500 * STEP_SECONDS:
            yield run
            run = []
        run.append(point)
    if run:
        yield run


def _clock(at: float, span: tuple[int, int]) -> str:
    seconds = round((at - span[0]) / 1000)
    return f"{seconds // 60}:{seconds % 60:02d}"


def _number(value: float, unit: str) -> str:
    match unit:
        case "percentunit":
            return f"{value:.0%}"
        case "s" if abs(value) >= 172_800:
            return f"{value / 86_400:.1f} d"
        case "s" if 0 < abs(value) < 1:
            return f"{value * 1000:.0f} ms"
        case "s":
            return f"{value:.0f} s"
        case "cps" | "ops" | "reqps":
            return f"{value:,.0f}/s" if value >= 10 or not value else f"{value:.1f}/s"
        case _:
            return f"{value:,.0f}" if value == round(value) or value >= 100 else f"{value:.3g}"


def main() -> None:
    """Record a demo, ask the dashboard's queries, draw the answers."""
    from tests.documentation.recording import record  # noqa: PLC0415 - starts a sandbox, which drawing does not need

    recording = record()
    answers = recording.ask(queries(), STEP_SECONDS)
    PICTURE.write_text(drawn(answers, (recording.times[0], recording.times[-1])), encoding="utf-8")


if __name__ == "__main__":
    main()
