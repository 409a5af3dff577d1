"""Between the stand-in's values and Cloud Monitoring's protobuf messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.api import distribution_pb2, metric_pb2
from google.cloud import monitoring_v3

from firelift.sandbox.google.distributions import Distribution, exponential_bounds, linear_bounds
from firelift.sandbox.google.series import Descriptor
from firelift.sandbox.google.values import Identity, Kind, Point, Series, ValueType, invalid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firelift.sandbox.google.values import Value

ListTimeSeriesRequest = monitoring_v3.ListTimeSeriesRequest.pb()
ListTimeSeriesResponse = monitoring_v3.ListTimeSeriesResponse.pb()
CreateTimeSeriesRequest = monitoring_v3.CreateTimeSeriesRequest.pb()
CreateMetricDescriptorRequest = monitoring_v3.CreateMetricDescriptorRequest.pb()
ListMetricDescriptorsRequest = monitoring_v3.ListMetricDescriptorsRequest.pb()
ListMetricDescriptorsResponse = monitoring_v3.ListMetricDescriptorsResponse.pb()
MAX_BUCKETS = 200
"""Buckets of a distribution (Cloud Monitoring's own limit)."""
_FIELDS = {
    "bool_value": ValueType.BOOL,
    "int64_value": ValueType.INT64,
    "double_value": ValueType.DOUBLE,
    "string_value": ValueType.STRING,
    "distribution_value": ValueType.DISTRIBUTION,
}
_FIELD_OF = {value_type: field for field, value_type in _FIELDS.items()}


def project_of(name: str) -> str:
    """Return the project in `projects/{project}[/…]`."""
    parts = name.split("/")
    if parts[0] != "projects" or len(parts) < 2 or not parts[1]:  # noqa: PLR2004 - a collection and an id
        raise invalid(f'Field name had an invalid value of "{name}": the format is projects/[PROJECT_ID]')
    return parts[1]


def read_descriptor(message: Any) -> Descriptor:
    """Read a google.api.MetricDescriptor."""
    kind = metric_pb2.MetricDescriptor.MetricKind.Name(message.metric_kind)
    value_type = metric_pb2.MetricDescriptor.ValueType.Name(message.value_type)
    if kind not in set(Kind) or value_type not in set(ValueType):
        raise invalid(f"Metric {message.type}: kind {kind} with value type {value_type} is not supported.")
    return Descriptor(message.type, Kind(kind), ValueType(value_type), message.unit, message.description)


def write_descriptor(project: str, known: Descriptor) -> Any:
    """Write a google.api.MetricDescriptor."""
    return metric_pb2.MetricDescriptor(
        name=f"projects/{project}/metricDescriptors/{known.metric}",
        type=known.metric,
        metric_kind=_enum("metric_kind", known.kind),
        value_type=_enum("value_type", known.value_type),
        unit=known.unit,
        description=known.description,
    )


def read_series(project: str, message: Any) -> tuple[Descriptor, Identity, Point]:
    """Read a TimeSeries to be written: exactly one point, its type the series' type."""
    if len(message.points) != 1:
        raise invalid(f"Field points had an invalid value: exactly one point is written, found {len(message.points)}.")
    point = message.points[0]
    found = _FIELDS.get(point.value.WhichOneof("value") or "")
    if found is None:
        raise invalid("Field points[0].value must be set.")
    named = metric_pb2.MetricDescriptor.ValueType.Name(message.value_type)
    if message.value_type and named != found:
        raise invalid(f"Value type for metric {message.metric.type} must be {named}, but is {found}.")
    kind = metric_pb2.MetricDescriptor.MetricKind.Name(message.metric_kind) if message.metric_kind else Kind.GAUGE
    descriptor = Descriptor(message.metric.type, Kind(kind), found, message.unit, message.description)
    labels = {"project_id": project, **message.resource.labels}
    identity = Identity.of(message.metric.type, message.metric.labels, message.resource.type or "global", labels)
    return descriptor, identity, _read_point(point)


def write_series(series: Series, *, header_only: bool) -> Any:
    """Write a TimeSeries, its points newest first as the service returns them."""
    message = monitoring_v3.TimeSeries.pb()(
        metric_kind=_enum("metric_kind", series.kind),
        value_type=_enum("value_type", series.value_type),
        unit=series.unit,
    )
    message.metric.type = series.identity.metric
    message.metric.labels.update(dict(series.identity.metric_labels))
    message.resource.type = series.identity.resource
    message.resource.labels.update(dict(series.identity.resource_labels))
    if not header_only:
        for point in reversed(series.points):
            _write_point(message.points.add(), point, series.value_type)
    return message


def _enum(field: str, name: str) -> int:
    enum = metric_pb2.MetricDescriptor.DESCRIPTOR.fields_by_name[field].enum_type
    return int(enum.values_by_name[name].number)


def _read_point(message: Any) -> Point:
    field = message.value.WhichOneof("value")
    value: Value = getattr(message.value, field)
    if field == "distribution_value":
        value = _read_distribution(message.value.distribution_value)
    end = message.interval.end_time.ToNanoseconds()
    start = message.interval.start_time.ToNanoseconds() if message.interval.HasField("start_time") else end
    return Point(start, end, value)


def _write_point(message: Any, point: Point, value_type: ValueType) -> None:
    message.interval.start_time.FromNanoseconds(point.start)
    message.interval.end_time.FromNanoseconds(point.end)
    if isinstance(point.value, Distribution):
        _write_distribution(message.value.distribution_value, point.value)
    elif value_type is ValueType.INT64 and isinstance(point.value, int | float):
        message.value.int64_value = int(point.value)
    else:
        setattr(message.value, _FIELD_OF[value_type], point.value)


def _read_distribution(message: Any) -> Distribution:
    bounds = _bounds(message.bucket_options)
    counts: Sequence[int] = tuple(message.bucket_counts)
    if len(counts) > len(bounds) + 1:
        raise invalid(f"Distribution has {len(counts)} bucket counts for {len(bounds) + 1} buckets.")
    if counts and sum(counts) != message.count:
        raise invalid(f"Distribution count is {message.count}, but its bucket counts add up to {sum(counts)}.")
    padded = (*counts, *[0] * (len(bounds) + 1 - len(counts)))
    options = message.bucket_options.SerializeToString(deterministic=True)
    return Distribution(message.count, message.mean, message.sum_of_squared_deviation, bounds, padded, options)


def _write_distribution(message: Any, value: Distribution) -> None:
    message.count, message.mean, message.sum_of_squared_deviation = value.count, value.mean, value.deviation
    message.bucket_options.CopyFrom(distribution_pb2.Distribution.BucketOptions.FromString(value.options))
    message.bucket_counts.extend(value.counts)


def _bounds(options: Any) -> tuple[float, ...]:
    _check_size(options)
    match options.WhichOneof("options"):
        case "linear_buckets":
            linear = options.linear_buckets
            return linear_bounds(linear.num_finite_buckets, linear.width, linear.offset)
        case "exponential_buckets":
            exponential = options.exponential_buckets
            return exponential_bounds(exponential.num_finite_buckets, exponential.growth_factor, exponential.scale)
        case "explicit_buckets":
            return tuple(options.explicit_buckets.bounds)
        case _:
            return ()


def _check_size(options: Any) -> None:
    finite = max(options.linear_buckets.num_finite_buckets, options.exponential_buckets.num_finite_buckets)
    edges = max(finite, len(options.explicit_buckets.bounds))
    if edges > MAX_BUCKETS:
        raise invalid(f"Distribution has {edges} buckets, at most {MAX_BUCKETS} are allowed.")
