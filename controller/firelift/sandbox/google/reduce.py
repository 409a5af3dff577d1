"""Reduction: aligned series become one per group, as Cloud Monitoring's reducers do it."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from firelift.sandbox.google.align import BOOLEAN, HISTOGRAM, LEVELS, NUMERIC, add, numbers, true_count
from firelift.sandbox.google.distributions import Distribution, percentile
from firelift.sandbox.google.values import Identity, Kind, Point, Series, ValueType, invalid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firelift.sandbox.google.align import Combine
    from firelift.sandbox.google.values import Value


@dataclass(frozen=True, slots=True)
class Reducer:
    """What a reducer accepts and what comes out; `type_out` None keeps the type of the input."""

    types: frozenset[ValueType]
    type_out: ValueType | None
    combine: Combine


def _mean(values: Sequence[Value]) -> Value:
    histogram = add(values)
    return histogram.mean if isinstance(histogram, Distribution) else statistics.fmean(numbers(values))


def _deviation(values: Sequence[Value]) -> Value:
    histogram = add(values)
    return histogram.variance**0.5 if isinstance(histogram, Distribution) else statistics.pstdev(numbers(values))


def _percentile(rank: float) -> Combine:
    """Numbers interpolate linearly between the two nearest of them."""

    def combine(values: Sequence[Value]) -> Value:
        histogram = add(values)
        if isinstance(histogram, Distribution):
            return percentile(histogram, rank)
        ordered = sorted(numbers(values))
        place = (len(ordered) - 1) * rank / 100
        low, high = ordered[math.floor(place)], ordered[math.ceil(place)]
        return low + (high - low) * (place - math.floor(place))

    return combine


_REDUCERS: dict[str, Reducer] = {
    "REDUCE_MEAN": Reducer(NUMERIC | HISTOGRAM, ValueType.DOUBLE, _mean),
    "REDUCE_MIN": Reducer(NUMERIC, None, lambda values: min(numbers(values))),
    "REDUCE_MAX": Reducer(NUMERIC, None, lambda values: max(numbers(values))),
    "REDUCE_SUM": Reducer(NUMERIC | HISTOGRAM, None, add),
    "REDUCE_STDDEV": Reducer(NUMERIC | HISTOGRAM, ValueType.DOUBLE, _deviation),
    "REDUCE_COUNT": Reducer(frozenset(ValueType), ValueType.INT64, len),
    "REDUCE_COUNT_TRUE": Reducer(BOOLEAN, ValueType.INT64, true_count),
    "REDUCE_COUNT_FALSE": Reducer(BOOLEAN, ValueType.INT64, lambda values: len(values) - sum(numbers(values))),
    "REDUCE_FRACTION_TRUE": Reducer(BOOLEAN, ValueType.DOUBLE, lambda values: statistics.fmean(numbers(values))),
    "REDUCE_PERCENTILE_99": Reducer(NUMERIC | HISTOGRAM, ValueType.DOUBLE, _percentile(99)),
    "REDUCE_PERCENTILE_95": Reducer(NUMERIC | HISTOGRAM, ValueType.DOUBLE, _percentile(95)),
    "REDUCE_PERCENTILE_50": Reducer(NUMERIC | HISTOGRAM, ValueType.DOUBLE, _percentile(50)),
    "REDUCE_PERCENTILE_05": Reducer(NUMERIC | HISTOGRAM, ValueType.DOUBLE, _percentile(5)),
}


def reduce_series(series: Sequence[Series], reducer: str, group_by: Sequence[str]) -> list[Series]:
    """Return one series per combination of the fields in `group_by` (and, always, the resource type).

    Fields that are not named are gone from the answer. Raises RefusedError (INVALID_ARGUMENT) for a reducer that the
    value type does not allow.
    """
    groups: defaultdict[Identity, list[Series]] = defaultdict(list)
    for one in series:
        _check(one, reducer)
        groups[_group(one.identity, group_by)].append(one)
    return [_reduced(identity, members, reducer) for identity, members in groups.items()]


def _check(series: Series, reducer: str) -> None:
    field = f'Field aggregation.crossSeriesReducer had an invalid value of "{reducer}": '
    rule = _REDUCERS.get(reducer)
    if rule is None:
        raise invalid(f"{field}the stand-in serves {', '.join(sorted(_REDUCERS))}.")
    if series.kind not in LEVELS or series.value_type not in rule.types:
        raise invalid(
            f"{field}The reducer cannot be applied to metrics with kind {series.kind} "
            f"and value type {series.value_type}."
        )


def _group(identity: Identity, group_by: Sequence[str]) -> Identity:
    wanted = {field.replace(".label.", ".labels.") for field in group_by}
    for field in wanted:
        identity.read(field)  # refuses a path that no series has
    return Identity(
        identity.metric,
        tuple(label for label in identity.metric_labels if f"metric.labels.{label[0]}" in wanted),
        identity.resource,
        tuple(label for label in identity.resource_labels if f"resource.labels.{label[0]}" in wanted),
    )


def _reduced(identity: Identity, members: Sequence[Series], reducer: str) -> Series:
    rule = _REDUCERS[reducer]
    columns: defaultdict[tuple[int, int], list[Value]] = defaultdict(list)
    for one in members:
        for point in one.points:
            columns[point.start, point.end].append(point.value)
    points = tuple(Point(*time, rule.combine(columns[time])) for time in sorted(columns))
    keeps = rule.type_out is None or rule.type_out is members[0].value_type
    kind = members[0].kind if keeps and reducer == "REDUCE_SUM" else Kind.GAUGE
    if kind is Kind.GAUGE:
        points = tuple(replace(point, start=point.end) for point in points)
    unit = "1" if reducer.startswith(("REDUCE_COUNT", "REDUCE_FRACTION")) else members[0].unit
    return Series(identity, kind, rule.type_out or members[0].value_type, unit, points)
