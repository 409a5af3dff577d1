"""What the Monitoring stand-in stores: points, series and the refusals that a client sees."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import grpc

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firelift.sandbox.google.distributions import Distribution

    Value = bool | int | float | str | Distribution

SECOND = 1_000_000_000
"""Nanoseconds in a second; every time in the stand-in is an integer of nanoseconds since 1970."""


class Kind(StrEnum):
    """How the points of a metric relate to each other (google.api.MetricDescriptor.MetricKind)."""

    GAUGE = "GAUGE"
    DELTA = "DELTA"
    CUMULATIVE = "CUMULATIVE"


class ValueType(StrEnum):
    """What a point holds (google.api.MetricDescriptor.ValueType)."""

    BOOL = "BOOL"
    INT64 = "INT64"
    DOUBLE = "DOUBLE"
    STRING = "STRING"
    DISTRIBUTION = "DISTRIBUTION"


class RefusedError(Exception):
    """A call that ends with a status other than OK; the message is what the client reads."""

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def invalid(message: str) -> RefusedError:
    """Return the refusal for a request that can never succeed."""
    return RefusedError(grpc.StatusCode.INVALID_ARGUMENT, message)


@dataclass(frozen=True, slots=True)
class Point:
    """One value over the time from `start` to `end` (equal for a gauge), in nanoseconds."""

    start: int
    end: int
    value: Value


@dataclass(frozen=True, slots=True)
class Identity:
    """What makes a series itself: metric and monitored resource with their labels, sorted by name."""

    metric: str
    metric_labels: tuple[tuple[str, str], ...]
    resource: str
    resource_labels: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, metric: str, metric_labels: Mapping[str, str], resource: str, labels: Mapping[str, str]) -> Identity:
        """Build an identity from label maps in any order."""
        return cls(metric, tuple(sorted(metric_labels.items())), resource, tuple(sorted(labels.items())))

    def read(self, path: str) -> str:
        """Return the value at a path such as `metric.labels.code`; a label that is not there reads as empty."""
        match path.split(".", 2):
            case ["metric", "type"]:
                return self.metric
            case ["resource", "type"]:
                return self.resource
            case ["metric", _, label]:
                return dict(self.metric_labels).get(label, "")
            case ["resource", _, label]:
                return dict(self.resource_labels).get(label, "")
            case _:
                raise invalid(f"{path!r} is not a field of a time series")


@dataclass(frozen=True, slots=True)
class Series:
    """A series as a query sees it; points are oldest first."""

    identity: Identity
    kind: Kind
    value_type: ValueType
    unit: str
    points: tuple[Point, ...]

    def having(self, points: tuple[Point, ...]) -> Series:
        """Return the same series with other points."""
        return replace(self, points=points)
