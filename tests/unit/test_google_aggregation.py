"""Aligners, reducers and distributions of the Monitoring stand-in."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firelift.sandbox.google.align import Periods, align
from firelift.sandbox.google.distributions import (
    Distribution,
    difference,
    exponential_bounds,
    linear_bounds,
    percentile,
    total,
)
from firelift.sandbox.google.reduce import reduce_series
from firelift.sandbox.google.values import SECOND, Identity, Kind, Point, RefusedError, Series, ValueType

BOUNDS = (10.0, 20.0, 40.0)
TWO_MINUTES = Periods(0, 120 * SECOND, 60 * SECOND)


def series(
    kind: Kind, value_type: ValueType, points: Mapping[tuple[float, float], object], code: str = "200"
) -> Series:
    """A series whose points are {(start, end): value} in seconds."""
    identity = Identity.of("custom.googleapis.com/m", {"code": code}, "global", {"project_id": "p"})
    made = tuple(
        Point(round(start * SECOND), round(end * SECOND), value)  # type: ignore[arg-type] # the table's values
        for (start, end), value in points.items()
    )
    return Series(identity, kind, value_type, "ms", made)


def values(answer: Series) -> list[object]:
    return [point.value for point in answer.points]


def histogram(*counts: int, mean: float = 15.0) -> Distribution:
    return Distribution(sum(counts), mean, 0.0, BOUNDS, counts)


NUMBERS: dict[tuple[float, float], object] = {(10, 10): 1, (60, 60): 3, (61, 61): 10, (120, 120): 20}


@pytest.mark.parametrize(
    ("aligner", "expected", "value_type"),
    [
        ("ALIGN_MIN", [1, 10], ValueType.INT64),
        ("ALIGN_MAX", [3, 20], ValueType.INT64),
        ("ALIGN_MEAN", [2.0, 15.0], ValueType.DOUBLE),
        ("ALIGN_STDDEV", [1.0, 5.0], ValueType.DOUBLE),
        ("ALIGN_SUM", [4, 30], ValueType.INT64),
        ("ALIGN_COUNT", [2, 2], ValueType.INT64),
        ("ALIGN_NEXT_OLDER", [3, 20], ValueType.INT64),
    ],
)
def test_a_gauge_is_aligned_on_periods_that_include_their_end(
    aligner: str, expected: list[float], value_type: ValueType
) -> None:
    answer = align(series(Kind.GAUGE, ValueType.INT64, NUMBERS), aligner, TWO_MINUTES)

    assert values(answer) == expected
    assert [point.end // SECOND for point in answer.points] == [60, 120]
    assert (answer.kind, answer.value_type) == (Kind.GAUGE, value_type)


@pytest.mark.parametrize(
    ("aligner", "expected"),
    [("ALIGN_FRACTION_TRUE", [0.5, 1.0]), ("ALIGN_COUNT_TRUE", [1, 1]), ("ALIGN_COUNT_FALSE", [1, 0])],
)
def test_booleans_are_counted(aligner: str, expected: list[float]) -> None:
    flags: dict[tuple[float, float], object] = {(10, 10): True, (20, 20): False, (70, 70): True}

    answer = align(series(Kind.GAUGE, ValueType.BOOL, flags), aligner, TWO_MINUTES)

    assert values(answer) == expected
    assert answer.unit == "1"


def test_a_counter_becomes_what_it_gained_spread_over_the_time_it_covers() -> None:
    counter = series(Kind.CUMULATIVE, ValueType.INT64, {(0, 30): 30, (0, 90): 90, (0, 120): 150})

    answer = align(counter, "ALIGN_DELTA", TWO_MINUTES)

    assert values(answer) == [60, 90]
    assert [(point.start // SECOND, point.end // SECOND) for point in answer.points] == [(0, 60), (60, 120)]
    assert (answer.kind, answer.value_type) == (Kind.DELTA, ValueType.INT64)


def test_a_counter_that_was_reset_counts_from_zero_again() -> None:
    counter = series(Kind.CUMULATIVE, ValueType.INT64, {(0, 60): 1000, (60, 90): 5, (60, 120): 7})

    assert values(align(counter, "ALIGN_DELTA", TWO_MINUTES)) == [1000, 7]


@given(st.lists(st.tuples(st.integers(1, 90), st.integers(0, 1000)), min_size=1, max_size=20), st.integers(1, 300))
def test_no_alignment_period_gains_or_loses_what_was_counted(steps: list[tuple[int, int]], seconds: int) -> None:
    points: dict[tuple[float, float], object] = {}
    time = count = 0
    for gap, gained in steps:
        time, count = time + gap, count + gained
        points[0, time] = float(count)
    periods = Periods(0, time * SECOND, seconds * SECOND)

    answer = align(series(Kind.CUMULATIVE, ValueType.DOUBLE, points), "ALIGN_DELTA", periods)

    assert math.fsum(point.value for point in answer.points if isinstance(point.value, float)) == pytest.approx(count)


def test_a_rate_is_per_second_and_says_so_in_its_unit() -> None:
    counter = series(Kind.DELTA, ValueType.INT64, {(0, 60): 30, (60, 120): 120})

    answer = align(counter, "ALIGN_RATE", TWO_MINUTES)

    assert values(answer) == [0.5, 2.0]
    assert (answer.kind, answer.value_type, answer.unit) == (Kind.GAUGE, ValueType.DOUBLE, "ms/s")


def test_a_period_without_data_has_no_point() -> None:
    assert values(align(series(Kind.GAUGE, ValueType.INT64, {(61, 61): 1}), "ALIGN_MEAN", TWO_MINUTES)) == [1.0]


def test_a_distribution_counts_whole_where_it_ends() -> None:
    latencies: dict[tuple[float, float], object] = {(0, 50): histogram(5, 5, 0, 0), (50, 70): histogram(10, 0, 0, 0)}

    answer = align(series(Kind.DELTA, ValueType.DISTRIBUTION, latencies), "ALIGN_DELTA", TWO_MINUTES)

    assert values(answer) == [histogram(5, 5, 0, 0), histogram(10, 0, 0, 0)]


@pytest.mark.parametrize(
    ("aligner", "kind", "value_type"),
    [
        ("ALIGN_DELTA", Kind.GAUGE, ValueType.INT64),
        ("ALIGN_SUM", Kind.CUMULATIVE, ValueType.INT64),
        ("ALIGN_COUNT", Kind.CUMULATIVE, ValueType.INT64),
        ("ALIGN_MEAN", Kind.DELTA, ValueType.DISTRIBUTION),
        ("ALIGN_RATE", Kind.DELTA, ValueType.DISTRIBUTION),
        ("ALIGN_PERCENTILE_95", Kind.GAUGE, ValueType.DOUBLE),
        ("ALIGN_FRACTION_TRUE", Kind.GAUGE, ValueType.DOUBLE),
        ("ALIGN_NEXT_OLDER", Kind.DELTA, ValueType.INT64),
    ],
)
def test_an_impossible_aligner_is_refused_in_the_services_words(
    aligner: str, kind: Kind, value_type: ValueType
) -> None:
    with pytest.raises(RefusedError) as refused:
        align(series(kind, value_type, {}), aligner, TWO_MINUTES)

    assert refused.value.message == (
        f'Field aggregation.perSeriesAligner had an invalid value of "{aligner}": '
        f"The aligner cannot be applied to metrics with kind {kind} and value type {value_type}."
    )


def test_too_many_periods_are_refused() -> None:
    with pytest.raises(RefusedError, match="at most 100000 are served"):
        align(series(Kind.GAUGE, ValueType.INT64, {}), "ALIGN_MEAN", Periods(0, 200_000 * SECOND, SECOND))


@pytest.mark.parametrize(
    ("reducer", "expected"),
    [
        ("REDUCE_SUM", 60),
        ("REDUCE_MEAN", 20.0),
        ("REDUCE_MIN", 10),
        ("REDUCE_MAX", 30),
        ("REDUCE_COUNT", 3),
        ("REDUCE_STDDEV", math.sqrt(200 / 3)),
        ("REDUCE_PERCENTILE_50", 20.0),
        ("REDUCE_PERCENTILE_95", 29.0),
        ("REDUCE_PERCENTILE_05", 11.0),
    ],
)
def test_series_are_reduced_to_one(reducer: str, expected: float) -> None:
    members = [
        series(Kind.GAUGE, ValueType.INT64, {(60, 60): number}, code)
        for number, code in ((10, "200"), (20, "404"), (30, "500"))
    ]

    (answer,) = reduce_series(members, reducer, [])

    assert values(answer) == [pytest.approx(expected)]
    assert answer.identity.metric_labels == ()


def test_groups_keep_the_labels_they_are_made_by() -> None:
    members = [series(Kind.GAUGE, ValueType.INT64, {(60, 60): 1}, code) for code in ("200", "200", "500")]

    answer = reduce_series(members, "REDUCE_SUM", ["metric.label.code"])

    assert {one.identity.metric_labels: values(one) for one in answer} == {
        (("code", "200"),): [2],
        (("code", "500"),): [1],
    }


@pytest.mark.parametrize(
    ("reducer", "expected"),
    [("REDUCE_SUM", histogram(5, 5, 0, 10, mean=30.0)), ("REDUCE_MEAN", 30.0), ("REDUCE_PERCENTILE_50", 20.0)],
)
def test_distributions_are_added_before_they_are_read(reducer: str, expected: object) -> None:
    slow, fast = histogram(0, 0, 0, 10, mean=50.0), histogram(5, 5, 0, 0, mean=10.0)
    members = [series(Kind.DELTA, ValueType.DISTRIBUTION, {(0, 60): one}) for one in (slow, fast)]

    (answer,) = reduce_series(members, reducer, [])

    value = values(answer)[0]
    if isinstance(value, Distribution) and isinstance(expected, Distribution):
        assert (value.count, value.mean, value.counts) == (expected.count, expected.mean, expected.counts)
    else:
        assert value == expected


@pytest.mark.parametrize(
    ("reducer", "value_type"), [("REDUCE_MAX", ValueType.DISTRIBUTION), ("REDUCE_FRACTION_TRUE", ValueType.INT64)]
)
def test_an_impossible_reducer_is_refused(reducer: str, value_type: ValueType) -> None:
    with pytest.raises(RefusedError, match="The reducer cannot be applied to metrics with kind GAUGE"):
        reduce_series([series(Kind.GAUGE, value_type, {})], reducer, [])


def test_distributions_over_different_buckets_are_refused() -> None:
    other = Distribution(1, 1.0, 0.0, (1.0,), (1, 0))
    latencies: dict[tuple[float, float], object] = {(0, 50): histogram(1, 0, 0, 0), (50, 60): other}

    with pytest.raises(RefusedError, match="different buckets"):
        align(series(Kind.DELTA, ValueType.DISTRIBUTION, latencies), "ALIGN_SUM", TWO_MINUTES)


@pytest.mark.parametrize(
    ("counts", "rank", "expected"),
    [
        ((10, 0, 0, 0), 50, 5.0),
        ((0, 100, 0, 0), 99, 19.9),
        ((25, 25, 25, 25), 50, 20.0),
        ((25, 25, 25, 25), 5, 2.0),
        ((0, 0, 0, 10), 50, 40.0),
        ((50, 0, 50, 0), 75, 30.0),
    ],
)
def test_a_percentile_is_interpolated_within_its_bucket(counts: tuple[int, ...], rank: float, expected: float) -> None:
    assert percentile(histogram(*counts), rank) == pytest.approx(expected)


def test_the_percentile_of_nothing_is_not_a_number() -> None:
    assert math.isnan(percentile(histogram(0, 0, 0, 0), 95))


def test_a_distribution_without_buckets_reads_as_its_mean() -> None:
    assert percentile(Distribution(4, 7.5, 0.0, (), (4,)), 95) == 7.5


def test_bucket_edges_follow_the_distribution_message() -> None:
    assert linear_bounds(3, 10.0, 5.0) == (5.0, 15.0, 25.0, 35.0)
    assert exponential_bounds(3, 2.0, 1.0) == (1.0, 2.0, 4.0, 8.0)


def test_what_is_added_can_be_taken_away_again() -> None:
    first = Distribution(2, 5.0, 18.0, BOUNDS, (2, 0, 0, 0))
    second = Distribution(4, 15.0, 20.0, BOUNDS, (0, 4, 0, 0))

    gained = difference(total([first, second]), first)

    assert (gained.count, gained.counts) == (4, (0, 4, 0, 0))
    assert gained.mean == pytest.approx(15.0)
    assert gained.deviation == pytest.approx(20.0)
