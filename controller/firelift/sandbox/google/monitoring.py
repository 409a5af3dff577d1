"""google.monitoring.v3.MetricService as the official client speaks it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf import empty_pb2

from firelift.sandbox.google import wire
from firelift.sandbox.google.queries import answer, page
from firelift.sandbox.google.series import SeriesStore
from firelift.sandbox.google.values import SECOND, Kind, Point, RefusedError, Series, ValueType, invalid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firelift.sandbox.google.calls import Calls, Clock
    from firelift.sandbox.google.faults import Fault

SERVICE = "google.monitoring.v3.MetricService"
MAX_WRITES = 200
"""Series in one CreateTimeSeries (Cloud Monitoring's own limit)."""


@dataclass(slots=True)
class MetricService:
    """Serves time series from memory; `shortest_period` is the least alignment period, in seconds."""

    clock: Clock
    shortest_period: int = 1
    store: SeriesStore = field(default_factory=SeriesStore)

    def handler(self, calls: Calls) -> grpc.GenericRpcHandler[Any, Any]:
        """Return what a gRPC server needs to serve this."""
        rpc = partial(calls.unary, "monitoring")
        return grpc.method_handlers_generic_handler(
            SERVICE,
            {
                "ListTimeSeries": rpc("ListTimeSeries", self.list_time_series, wire.ListTimeSeriesRequest),
                "CreateTimeSeries": rpc("CreateTimeSeries", self.create_time_series, wire.CreateTimeSeriesRequest),
                "CreateServiceTimeSeries": rpc(
                    "CreateServiceTimeSeries", self.create_service_time_series, wire.CreateTimeSeriesRequest
                ),
                "CreateMetricDescriptor": rpc(
                    "CreateMetricDescriptor", self.create_metric_descriptor, wire.CreateMetricDescriptorRequest
                ),
                "ListMetricDescriptors": rpc(
                    "ListMetricDescriptors", self.list_metric_descriptors, wire.ListMetricDescriptorsRequest
                ),
            },
        )

    def list_time_series(self, request: Any, faults: Sequence[Fault]) -> Any:
        """Filter, align, reduce, page."""
        hidden = max((fault.stale_seconds for fault in faults), default=0)
        newest = self.clock.now() - hidden * SECOND if hidden else request.interval.end_time.ToNanoseconds()
        series = answer(request, self.store, newest, self.shortest_period)
        if any(fault.empty for fault in faults):
            series = []
        if any(fault.nan for fault in faults):
            series = [_without_numbers(one) for one in series]
        return page(request, series)

    def create_time_series(self, request: Any, _faults: Sequence[Fault]) -> Any:
        """Write at most 200 points; a new metric is a GAUGE or CUMULATIVE, as in the real service."""
        return self._create(request, {Kind.GAUGE, Kind.CUMULATIVE})

    def create_service_time_series(self, request: Any, _faults: Sequence[Fault]) -> Any:
        """Write as Google's own services do, DELTA metrics included."""
        return self._create(request, set(Kind))

    def create_metric_descriptor(self, request: Any, _faults: Sequence[Fault]) -> Any:
        """Describe a metric before its first point."""
        project = wire.project_of(request.name)
        return wire.write_descriptor(
            project, self.store.describe(project, wire.read_descriptor(request.metric_descriptor))
        )

    def list_metric_descriptors(self, request: Any, _faults: Sequence[Fault]) -> Any:
        """List a project's descriptors, all on one page; `metric.type = "…"` is the one filter served."""
        project = wire.project_of(request.name)
        known = self.store.descriptors(project)
        if request.filter:
            wanted = request.filter.partition("=")[2].strip().strip('"')
            if request.filter.partition("=")[0].strip() != "metric.type":
                raise invalid(f'Field filter had an invalid value of "{request.filter}": only metric.type = "…"')
            known = [one for one in known if one.metric == wanted]
        described = [wire.write_descriptor(project, one) for one in known]
        return wire.ListMetricDescriptorsResponse(metric_descriptors=described)

    def _create(self, request: Any, creatable: set[Kind]) -> Any:
        project = wire.project_of(request.name)
        if len(request.time_series) > MAX_WRITES:
            raise invalid(f"At most {MAX_WRITES} time series are written at once, found {len(request.time_series)}.")
        known = {descriptor.metric for descriptor in self.store.descriptors(project)}
        failures: list[str] = []
        seen = set()
        for index, message in enumerate(request.time_series):
            try:
                descriptor, identity, point = wire.read_series(project, message)
                if identity in seen:
                    raise invalid("Duplicate TimeSeries encountered. Only one point can be written per TimeSeries.")
                if descriptor.metric not in known and descriptor.kind not in creatable:
                    raise invalid(f"Metric kind for a new metric {descriptor.metric} must be GAUGE or CUMULATIVE.")
                seen.add(identity)
                self.store.write(project, descriptor, identity, point, self.clock.now())
            except RefusedError as refusal:
                failures.append(f"timeSeries[{index}] (metric.type={message.metric.type!r}): {refusal.message}")
        if failures:
            raise invalid(f"One or more TimeSeries could not be written: {'; '.join(failures)}")
        return empty_pb2.Empty()


def _without_numbers(series: Series) -> Series:
    points = tuple(Point(point.start, point.end, math.nan) for point in series.points)
    return replace(series, value_type=ValueType.DOUBLE, points=points)
