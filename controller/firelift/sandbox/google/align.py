"""Alignment: the points of one series become one value per period, as Cloud Monitoring's aligners do it."""

from __future__ import annotations

import statistics
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from firelift.sandbox.google.distributions import Distribution, difference, percentile, total
from firelift.sandbox.google.values import SECOND, Kind, Point, Series, ValueType, invalid

if TYPE_CHECKING:
    from firelift.sandbox.google.values import Value

    Combine = Callable[[Sequence[Value]], Value]

MAX_PERIODS = 100_000
NUMERIC = frozenset({ValueType.INT64, ValueType.DOUBLE})
HISTOGRAM = frozenset({ValueType.DISTRIBUTION})
BOOLEAN = frozenset({ValueType.BOOL})
LEVELS = frozenset({Kind.GAUGE, Kind.DELTA})
CHANGES = frozenset({Kind.CUMULATIVE, Kind.DELTA})


@dataclass(frozen=True, slots=True)
class Periods:
    """Blocks of `length` nanoseconds counted back from `end`; block 0 is the newest, each holds (start, end]."""

    start: int
    end: int
    length: int

    @property
    def count(self) -> int:
        """How many blocks touch the interval; the oldest may begin before it."""
        return -(-(self.end - self.start) // self.length)

    def block(self, time: int) -> int:
        """Return the number of the block that a time lies in (negative after the interval)."""
        return (self.end - time) // self.length

    def bounds(self, block: int) -> tuple[int, int]:
        """Return the start and end of a block."""
        return self.end - (block + 1) * self.length, self.end - block * self.length


@dataclass(frozen=True, slots=True)
class Aligner:
    """What an aligner accepts and what comes out; `type_out` None keeps the type of the input."""

    kinds: frozenset[Kind]
    types: frozenset[ValueType]
    type_out: ValueType | None
    combine: Combine


def add(values: Sequence[Value]) -> Value:
    """Add numbers, or distributions over the same buckets."""
    histograms = [value for value in values if isinstance(value, Distribution)]
    try:
        return total(histograms) if histograms else sum(numbers(values))
    except ValueError as error:
        raise invalid(str(error)) from error


def numbers(values: Sequence[Value]) -> list[float]:
    """Return the values that are numbers; Booleans count as 0 and 1."""
    return [value for value in values if isinstance(value, int | float)]


def percentile_of(rank: float) -> Combine:
    """Return the function that reads a percentile from added distributions."""

    def combine(values: Sequence[Value]) -> Value:
        histogram = add(values)
        return percentile(histogram, rank) if isinstance(histogram, Distribution) else float("nan")

    return combine


def true_count(values: Sequence[Value]) -> Value:
    """Count the values that are true."""
    return sum(value is True for value in values)


_SIMPLE: dict[str, Aligner] = {
    "ALIGN_MIN": Aligner(LEVELS, NUMERIC, None, lambda values: min(numbers(values))),
    "ALIGN_MAX": Aligner(LEVELS, NUMERIC, None, lambda values: max(numbers(values))),
    "ALIGN_MEAN": Aligner(LEVELS, NUMERIC, ValueType.DOUBLE, lambda values: statistics.fmean(numbers(values))),
    "ALIGN_STDDEV": Aligner(LEVELS, NUMERIC, ValueType.DOUBLE, lambda values: statistics.pstdev(numbers(values))),
    "ALIGN_COUNT": Aligner(LEVELS, NUMERIC | BOOLEAN, ValueType.INT64, len),
    "ALIGN_SUM": Aligner(LEVELS, NUMERIC | HISTOGRAM, None, add),
    "ALIGN_COUNT_TRUE": Aligner(frozenset({Kind.GAUGE}), BOOLEAN, ValueType.INT64, true_count),
    "ALIGN_COUNT_FALSE": Aligner(
        frozenset({Kind.GAUGE}), BOOLEAN, ValueType.INT64, lambda values: len(values) - sum(numbers(values))
    ),
    "ALIGN_FRACTION_TRUE": Aligner(
        frozenset({Kind.GAUGE}), BOOLEAN, ValueType.DOUBLE, lambda values: statistics.fmean(numbers(values))
    ),
    "ALIGN_PERCENTILE_99": Aligner(LEVELS, HISTOGRAM, ValueType.DOUBLE, percentile_of(99)),
    "ALIGN_PERCENTILE_95": Aligner(LEVELS, HISTOGRAM, ValueType.DOUBLE, percentile_of(95)),
    "ALIGN_PERCENTILE_50": Aligner(LEVELS, HISTOGRAM, ValueType.DOUBLE, percentile_of(50)),
    "ALIGN_PERCENTILE_05": Aligner(LEVELS, HISTOGRAM, ValueType.DOUBLE, percentile_of(5)),
}
_ALL = frozenset(ValueType)
_OVER_TIME: dict[str, tuple[frozenset[Kind], frozenset[ValueType]]] = {
    "ALIGN_DELTA": (CHANGES, NUMERIC | HISTOGRAM),
    "ALIGN_RATE": (CHANGES, NUMERIC),
    "ALIGN_NEXT_OLDER": (frozenset({Kind.GAUGE}), _ALL),
}


def align(series: Series, aligner: str, periods: Periods) -> Series:
    """Return the series with one point at the end of each period that has data.

    Raises RefusedError (INVALID_ARGUMENT) for an aligner that the metric's kind and value type do not allow, and for
    more than 100,000 periods.
    """
    _check(series, aligner, periods)
    if aligner == "ALIGN_NEXT_OLDER":
        return series.having(tuple(_next_older(series, periods)))
    if aligner == "ALIGN_DELTA":
        return replace(series, kind=Kind.DELTA, points=tuple(_deltas(series, periods)))
    if aligner == "ALIGN_RATE":
        return _rate(series, periods)
    rule = _SIMPLE[aligner]
    kind = Kind.DELTA if aligner == "ALIGN_SUM" and series.kind is Kind.DELTA else Kind.GAUGE
    unit = "1" if aligner.startswith(("ALIGN_COUNT", "ALIGN_FRACTION")) else series.unit
    points = tuple(_combined(series, kind, rule.combine, periods))
    return replace(series, kind=kind, value_type=rule.type_out or series.value_type, unit=unit, points=points)


def _check(series: Series, aligner: str, periods: Periods) -> None:
    field = f'Field aggregation.perSeriesAligner had an invalid value of "{aligner}": '
    if aligner not in _SIMPLE and aligner not in _OVER_TIME:
        raise invalid(f"{field}the stand-in serves {', '.join(sorted({*_SIMPLE, *_OVER_TIME}))}.")
    rule = _SIMPLE.get(aligner)
    kinds, types = (rule.kinds, rule.types) if rule else _OVER_TIME[aligner]
    if series.kind not in kinds or series.value_type not in types:
        raise invalid(
            f"{field}The aligner cannot be applied to metrics with kind {series.kind} "
            f"and value type {series.value_type}."
        )
    if periods.count > MAX_PERIODS:
        raise invalid(f"the interval has {periods.count} alignment periods, at most {MAX_PERIODS} are served.")


def _combined(series: Series, kind: Kind, combine: Combine, periods: Periods) -> Iterator[Point]:
    blocks: defaultdict[int, list[Value]] = defaultdict(list)
    for point in series.points:
        block = periods.block(point.end)
        if 0 <= block < periods.count:
            blocks[block].append(point.value)
    for block in sorted(blocks, reverse=True):
        start, end = periods.bounds(block)
        yield Point(start if kind is Kind.DELTA else end, end, combine(blocks[block]))


def _next_older(series: Series, periods: Periods) -> Iterator[Point]:
    ends = [point.end for point in series.points]
    for block in reversed(range(periods.count)):
        end = periods.bounds(block)[1]
        older = bisect_right(ends, end)
        if older:
            yield Point(end, end, series.points[older - 1].value)


def _rate(series: Series, periods: Periods) -> Series:
    points = tuple(
        Point(point.end, point.end, numbers([point.value])[0] * SECOND / periods.length)
        for point in _deltas(replace(series, value_type=ValueType.DOUBLE), periods)
    )
    unit = f"{series.unit or '1'}/s"
    return replace(series, kind=Kind.GAUGE, value_type=ValueType.DOUBLE, unit=unit, points=points)


def _deltas(series: Series, periods: Periods) -> Iterator[Point]:
    """A number is spread evenly over the time it covers; a distribution counts whole, where it ends."""
    blocks: defaultdict[int, list[Value]] = defaultdict(list)
    for change in _changes(series):
        for block in range(max(periods.block(change.end), 0), min(periods.block(change.start), periods.count - 1) + 1):
            share = _share(change, *periods.bounds(block))
            if share is not None:
                blocks[block].append(share)
    for block in sorted(blocks, reverse=True):
        value = add(blocks[block])
        if series.value_type is ValueType.INT64 and isinstance(value, float):
            value = round(value)
        yield Point(*periods.bounds(block), value)


def _share(change: Point, start: int, end: int) -> Value | None:
    if isinstance(change.value, Distribution):
        return change.value if start < change.end <= end else None
    covered = min(change.end, end) - max(change.start, start)
    if covered <= 0:
        return None
    return change.value if covered == change.end - change.start else _part(change, covered)


def _part(change: Point, covered: int) -> float:
    return numbers([change.value])[0] * covered / (change.end - change.start)


def _changes(series: Series) -> Iterator[Point]:
    """A cumulative metric counts from 0 at its start time, and again after each reset."""
    previous: Point | None = None
    for point in series.points:
        if series.kind is Kind.DELTA or previous is None or point.start != previous.start:
            yield point
        else:
            yield Point(previous.end, point.end, _gained(point.value, previous.value))
        previous = point


def _gained(later: Value, earlier: Value) -> Value:
    if isinstance(later, Distribution) and isinstance(earlier, Distribution):
        try:
            return difference(later, earlier)
        except ValueError as error:
            raise invalid(str(error)) from error
    return numbers([later])[0] - numbers([earlier])[0]
