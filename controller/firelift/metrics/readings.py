"""What Cloud Monitoring's answers say: pure arithmetic on time series."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from google.cloud.monitoring_v3 import TimeSeries

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_DELTA = 2
"""google.api.MetricDescriptor.MetricKind.DELTA."""
_NAMED = 3


class SeveralSeriesError(Exception):
    """A query that must yield one series yielded more."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A value with its unit, the samples it rests on, and when the newest of them was."""

    value: float | None
    samples: int
    unit: str
    newest: datetime | None


def single(answer: Sequence[Any], activity: Sequence[Any]) -> Reading:
    """Read the one series of a single query; a distribution reads as its mean."""
    points, unit, kind = _only(answer, "query")
    samples, newest = _activity(activity)
    return Reading(_level(points, kind), samples, unit, newest)


def ratio(above: Sequence[Any], below: Sequence[Any], activity: Sequence[Any], scale: float = 1.0) -> Reading:
    """Divide two totals; a distribution counts its events. `scale` turns the denominator into a count (rates)."""
    numerator, denominator = _total(_only(above, "numerator")[0]), _total(_only(below, "denominator")[0])
    newest = _activity(activity)[1]
    samples = _whole((denominator or 0.0) * scale)
    if not denominator:
        return Reading(None, samples, "1", newest)
    return Reading((numerator or 0.0) / denominator, samples, "1", newest)


def merged(pages: Iterable[TimeSeries]) -> list[Any]:
    """Join the parts of a series that was split over pages; returns raw messages, points newest first."""
    found: dict[bytes, Any] = {}
    for part in pages:
        message = TimeSeries.pb(part)
        key = (message.metric.SerializeToString(deterministic=True)) + message.resource.SerializeToString(
            deterministic=True
        )
        if key in found:
            found[key].points.extend(message.points)
        else:
            found[key] = message
    return list(found.values())


def _only(answer: Sequence[Any], part: str) -> tuple[Sequence[Any], str, int]:
    if len(answer) > 1:
        labels = "; ".join(_labels(series) for series in answer[:_NAMED])
        more = f"; and {len(answer) - _NAMED} more" if len(answer) > _NAMED else ""
        raise SeveralSeriesError(
            f"the {part} yielded {len(answer)} series ({labels}{more}), one is allowed; "
            "give it a reducer without groupBy, or narrow its filter"
        )
    if not answer:
        return (), "", 0
    return answer[0].points, answer[0].unit, answer[0].metric_kind


def _labels(series: Any) -> str:
    labels = {**series.resource.labels, **series.metric.labels}
    return ", ".join(f"{name}={value}" for name, value in sorted(labels.items())) or series.resource.type


def _level(points: Sequence[Any], kind: int) -> float | None:
    """Several points, should the service divide the window, add up when they are changes and average when levels."""
    if not points:
        return None
    values = [_number(point.value) for point in points]
    return math.fsum(values) if kind == _DELTA else math.fsum(values) / len(values)


def _total(points: Sequence[Any]) -> float | None:
    return math.fsum(_events(point.value) for point in points) if points else None


def _activity(answer: Sequence[Any]) -> tuple[int, datetime | None]:
    """Distributions say how many values they hold, counts how many points; otherwise points are counted here."""
    points = [(series, point) for series in answer for point in series.points]
    samples = math.fsum(_samples(series, point.value) for series, point in points)
    newest = max((point.interval.end_time.ToDatetime(tzinfo=UTC) for _, point in points), default=None)
    return _whole(samples), newest


def _samples(series: Any, value: Any) -> float:
    counted = value.WhichOneof("value") == "distribution_value" or series.metric_kind != _DELTA
    return _events(value) if counted else 1


def _number(value: Any) -> float:
    field = value.WhichOneof("value")
    return float(value.distribution_value.mean if field == "distribution_value" else getattr(value, field))


def _events(value: Any) -> float:
    field = value.WhichOneof("value")
    return float(value.distribution_value.count if field == "distribution_value" else getattr(value, field))


def _whole(number: float) -> int:
    return round(number) if math.isfinite(number) else 0
