"""Plots of a benchmark as SVG, one panel above the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, PANEL, LEFT, TOP = 720, 170, 60, 40
COLOURS = ("#1f6f8b", "#b4552d")


@dataclass(frozen=True, slots=True)
class Line:
    """Values over the number of documents."""

    title: str
    points: Sequence[tuple[float, float]]


def plot(title: str, lines: Sequence[Line]) -> str:
    """The drawing: each line in a panel of its own, from zero, so that flat looks flat."""
    height = TOP + len(lines) * (PANEL + TOP)
    panels = [_panel(line, TOP + number * (PANEL + TOP), COLOURS[number % 2]) for number, line in enumerate(lines)]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif">',
            f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
            f'<text x="{LEFT}" y="22" font-size="15">{escape(title)}</text>',
            *panels,
            "</svg>\n",
        ]
    )


def _panel(line: Line, top: int, colour: str) -> str:
    right, bottom = max(x for x, _ in line.points), top + PANEL
    most = max(y for _, y in line.points) * 1.2
    scaled = [(LEFT + x / right * (WIDTH - LEFT - 20), bottom - y / most * (PANEL - 20)) for x, y in line.points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in scaled)
    labels = "".join(
        f'<text x="{LEFT - 6}" y="{bottom - share * (PANEL - 20) + 4:.0f}" font-size="11" text-anchor="end">'
        f"{most * share:.0f}</text>"
        for share in (0, 0.5, 1)
    )
    return (
        f'<text x="{LEFT}" y="{top + 12}" font-size="12" fill="{colour}">{escape(line.title)}</text>'
        f'<path d="M{LEFT},{top + 20} V{bottom} H{WIDTH - 20}" fill="none" stroke="#999"/>{labels}'
        f'<text x="{WIDTH - 20}" y="{bottom + 16}" font-size="11" text-anchor="end">{right:,.0f} documents</text>'
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
    )
