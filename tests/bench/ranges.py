"""Where each figure is expected: beside its target, which says what it should be, the range says what it has been."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml
from tests.bench.figures import Figure, number

FILE = Path(__file__).with_name("ranges.yaml")


@dataclass(frozen=True, slots=True)
class Range:
    """From `least` to `most`, both included, in the figure's unit."""

    least: float
    most: float
    unit: str

    def holds(self, value: float) -> bool:
        """Whether a value is inside."""
        return self.least <= value <= self.most


@cache
def ranges() -> Mapping[str, Range]:
    """The range of each figure, by its name."""
    return {name: Range(**entry) for name, entry in yaml.safe_load(FILE.read_text()).items()}


def place(figure: Figure) -> str:
    """Where a figure is in its range, as part of the line for people."""
    expected = ranges()[figure.name]
    word = "inside" if expected.holds(figure.value) else "OUTSIDE"
    return f"{word} its range of {number(expected.least)} to {number(expected.most)}"
