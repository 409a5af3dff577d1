"""The series that clients have written, held in memory and bounded."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import grpc

from firelift.sandbox.google.values import SECOND, Identity, Kind, Point, RefusedError, Series, ValueType, invalid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from firelift.sandbox.google.filters import SeriesFilter

RETENTION = 24 * 3600 * SECOND
MAX_POINTS = 20_000
MAX_SERIES = 10_000
_OLDEST_WRITE = 25 * 3600 * SECOND
_NEWEST_WRITE = 300 * SECOND
_ORDER = "Points must be written in order. One or more of the points specified had an older {} time than the most recent point."  # noqa: E501 - the service's own sentence


@dataclass(frozen=True, slots=True)
class Descriptor:
    """What is known of a metric type: made by CreateMetricDescriptor, or by its first point."""

    metric: str
    kind: Kind
    value_type: ValueType
    unit: str = ""
    description: str = ""


@dataclass(slots=True)
class _Stored:
    identity: Identity
    points: deque[Point] = field(default_factory=lambda: deque(maxlen=MAX_POINTS))


class SeriesStore:
    """Metric descriptors and series by project. Points older than 24 h, and above 20,000 a series, are dropped."""

    def __init__(self) -> None:
        self._descriptors: dict[tuple[str, str], Descriptor] = {}
        self._series: dict[tuple[str, str], dict[Identity, _Stored]] = {}
        self._count = 0

    def describe(self, project: str, wanted: Descriptor) -> Descriptor:
        """Keep a descriptor; an existing one keeps its kind and type, and takes a unit if it has none."""
        known = self._descriptors.get((project, wanted.metric))
        if known is None:
            return self._descriptors.setdefault((project, wanted.metric), wanted)
        if (known.kind, known.value_type) != (wanted.kind, wanted.value_type):
            raise invalid(
                f"Metric {wanted.metric} is {known.kind} {known.value_type}, "
                f"and cannot become {wanted.kind} {wanted.value_type}."
            )
        if wanted.unit and not known.unit:
            known = self._descriptors[project, wanted.metric] = replace(known, unit=wanted.unit)
        return known

    def descriptors(self, project: str) -> list[Descriptor]:
        """Return a project's descriptors in the order of their metric types."""
        return [known for (owner, _), known in sorted(self._descriptors.items()) if owner == project]

    def write(self, project: str, descriptor: Descriptor, identity: Identity, point: Point, now: int) -> None:
        """Append a point, newer than every other of its series, or raise RefusedError in the service's words."""
        _check_time(descriptor.kind, point, now)
        known = self.describe(project, descriptor)
        stored = self._find(project, known.metric, identity)
        if stored.points:
            _check_order(known.kind, stored.points[-1], point)
        stored.points.append(point)
        while stored.points[0].end < now - RETENTION:
            stored.points.popleft()

    def select(self, project: str, wanted: SeriesFilter, newest: int) -> Iterator[Series]:
        """Return the series that match, with their points up to `newest`, in the order of their labels."""
        known = self._descriptors.get((project, wanted.metric))
        if known is None:
            raise RefusedError(
                grpc.StatusCode.NOT_FOUND,
                f'Cannot find metric(s) that match type = "{wanted.metric}". If a metric was created recently, '
                "it could take up to 10 minutes to become available. Please try again soon.",
            )
        for identity, stored in sorted(self._series.get((project, wanted.metric), {}).items(), key=_by_labels):
            if wanted.matches(identity):
                points = tuple(point for point in stored.points if point.end <= newest)
                yield Series(identity, known.kind, known.value_type, known.unit, points)

    def _find(self, project: str, metric: str, identity: Identity) -> _Stored:
        group = self._series.setdefault((project, metric), {})
        if identity not in group:
            if self._count >= MAX_SERIES:
                raise RefusedError(
                    grpc.StatusCode.RESOURCE_EXHAUSTED, f"the stand-in keeps at most {MAX_SERIES} time series"
                )
            self._count += 1
            group[identity] = _Stored(identity)
        return group[identity]


def _by_labels(entry: tuple[Identity, _Stored]) -> tuple[object, ...]:
    identity = entry[0]
    return identity.resource, identity.resource_labels, identity.metric_labels


def _check_time(kind: Kind, point: Point, now: int) -> None:
    if kind is Kind.GAUGE and point.start != point.end:
        raise invalid("The start time and end time of a GAUGE point must be equal, or the start time absent.")
    if kind is not Kind.GAUGE and point.start >= point.end:
        raise invalid(f"The start time must be before the end time for {kind} metrics.")
    if point.end < now - _OLDEST_WRITE:
        raise invalid("Data points cannot be written more than 25h0m in the past.")
    if point.end > now + _NEWEST_WRITE:
        raise invalid("Data points cannot be written more than 5m in the future.")


def _check_order(kind: Kind, latest: Point, point: Point) -> None:
    if point.end <= latest.end:
        raise invalid(_ORDER.format("end"))
    continues = kind is Kind.CUMULATIVE and point.start == latest.start
    if kind is not Kind.GAUGE and not continues and point.start < latest.end:
        raise invalid(_ORDER.format("start"))
