"""The ranges that `make bench` compares its figures with."""

from __future__ import annotations

import pytest
from tests.bench.__main__ import BENCHES
from tests.bench.figures import Figure
from tests.bench.history import COLUMNS
from tests.bench.ranges import Range, place, ranges


def test_every_figure_has_a_range_and_every_range_a_figure() -> None:
    figures = [name for bench in BENCHES.values() for name in bench.figures]
    assert len(figures) == len(set(figures))
    assert set(figures) == set(ranges())


def test_the_history_keeps_only_figures_that_there_are() -> None:
    assert {name for names in COLUMNS for name in names} <= set(ranges())


def test_a_range_goes_from_less_to_more_in_a_unit() -> None:
    assert [name for name, each in ranges().items() if not (each.least < each.most and each.unit)] == []


@pytest.mark.parametrize(("value", "word"), [(0.16, "inside"), (0.2, "inside"), (0.24, "inside"), (0.25, "OUTSIDE")])
def test_a_figure_says_where_in_its_range_it_is(value: float, word: str) -> None:
    assert place(Figure("worker-cpu-vs-official", [value], "ratio")) == f"{word} its range of 0.16 to 0.24"


def test_both_ends_belong_to_a_range() -> None:
    assert [Range(1, 2, "s").holds(value) for value in (0.9, 1, 2, 2.1)] == [False, True, True, False]
