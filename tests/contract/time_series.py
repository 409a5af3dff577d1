"""An application that reports metrics, through the official client."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
from google.cloud import monitoring_v3
from google.cloud.monitoring_v3.services.metric_service.transports import MetricServiceGrpcAsyncIOTransport

from firelift.api.measurement import Window

END = datetime.now(UTC).replace(microsecond=0)
"""The end of every window here; points are written relative to it."""
WINDOW = Window(END - timedelta(seconds=120), END)
BOUNDS = (10.0, 20.0, 40.0)


def ago(seconds: float) -> datetime:
    return END - timedelta(seconds=seconds)


class Reporter:
    """Writes points of metrics in a project of its own."""

    def __init__(self, client: monitoring_v3.MetricServiceAsyncClient) -> None:
        self.client = client
        self.project = f"p-{secrets.token_hex(4)}"

    async def write(self, metric: str, points: Sequence[tuple[Any, Any, dict[str, Any]]], **given: Any) -> None:
        """Write (start, end, value) points one by one, oldest first; `given`: kind, unit, labels, resource."""
        for start, end, value in points:
            series = monitoring_v3.TimeSeries(
                metric={"type": f"custom.googleapis.com/{metric}", "labels": given.get("labels", {})},
                resource=given.get("resource", {"type": "global"}),
                metric_kind=given.get("kind", "GAUGE"),
                unit=given.get("unit", ""),
                points=[{"interval": {"start_time": start, "end_time": end}, "value": value}],
            )
            write = self.client.create_time_series
            if given.get("kind") == "DELTA":
                write = self.client.create_service_time_series
            await write(name=f"projects/{self.project}", time_series=[series])

    async def gauge(self, metric: str, values: Mapping[float, dict[str, Any]], **given: Any) -> None:
        """Write values by how many seconds ago they were."""
        points = [(ago(age), ago(age), values[age]) for age in sorted(values, reverse=True)]
        await self.write(metric, points, **given)

    async def counter(self, metric: str, values: Mapping[float, dict[str, Any]], **given: Any) -> None:
        """Write a cumulative metric that counts since an hour ago."""
        points = [(ago(3600), ago(age), values[age]) for age in sorted(values, reverse=True)]
        await self.write(metric, points, kind="CUMULATIVE", **given)

    async def list(self, metric: str, condition: str = "", **given: Any) -> list[monitoring_v3.TimeSeries]:
        """Read series of a metric over the window."""
        question = {
            "name": f"projects/{self.project}",
            "filter": f'metric.type = "custom.googleapis.com/{metric}" {condition}',
            "interval": {"start_time": WINDOW.start, "end_time": WINDOW.end},
        }
        request = monitoring_v3.ListTimeSeriesRequest({**question, **given})
        return [series async for series in await self.client.list_time_series(request)]


def distribution(counts: Sequence[int], mean: float = 15.0) -> dict[str, Any]:
    """A value with explicit buckets at 10, 20 and 40."""
    return {
        "distribution_value": {
            "count": sum(counts),
            "mean": mean,
            "bucket_options": {"explicit_buckets": {"bounds": BOUNDS}},
            "bucket_counts": list(counts),
        }
    }


def aligned(
    aligner: str, reducer: str = "REDUCE_NONE", seconds: float = 120, **given: Any
) -> monitoring_v3.Aggregation:
    return monitoring_v3.Aggregation(
        alignment_period=timedelta(seconds=seconds), per_series_aligner=aligner, cross_series_reducer=reducer, **given
    )


@asynccontextmanager
async def official_client(endpoint: str) -> AsyncIterator[monitoring_v3.MetricServiceAsyncClient]:
    transport = MetricServiceGrpcAsyncIOTransport(channel=grpc.aio.insecure_channel(endpoint))
    yield monitoring_v3.MetricServiceAsyncClient(transport=transport)
    await transport.close()  # type: ignore[no-untyped-call] # the generated client is typed only in part
