"""The app's own metrics, written to Cloud Monitoring by the official client."""

from __future__ import annotations

import asyncio
import time
from collections import Counter

from google.api.metric_pb2 import MetricDescriptor
from google.cloud.monitoring_v3 import MetricServiceAsyncClient, Point, TimeInterval, TimeSeries, TypedValue
from google.cloud.monitoring_v3.services.metric_service.transports import MetricServiceGrpcAsyncIOTransport
from grpc.aio import insecure_channel

REQUESTS = "custom.googleapis.com/app/requests"
PERIOD = 0.5


class Metrics:
    """Cumulative counts of requests by service and result, reported twice a second."""

    def __init__(self, project: str, endpoint: str) -> None:
        self._project = project
        transport = MetricServiceGrpcAsyncIOTransport(channel=insecure_channel(endpoint))
        self._client = MetricServiceAsyncClient(transport=transport)
        self._counts: Counter[tuple[str, str]] = Counter()
        self._started = time.time()

    def count(self, service: str, result: str) -> None:
        """One request of a service ended as `ok` or `error`."""
        self._counts[service, result] += 1

    async def report(self, stopped: asyncio.Event) -> None:
        """Write all counters until the app stops."""
        while not stopped.is_set():
            await asyncio.sleep(PERIOD)
            if self._counts:
                series = [self._series(service, result) for service, result in self._counts]
                await self._client.create_time_series(name=f"projects/{self._project}", time_series=series)

    def _series(self, service: str, result: str) -> TimeSeries:
        interval = TimeInterval(start_time=_timestamp(self._started), end_time=_timestamp(time.time()))
        value = TypedValue(int64_value=self._counts[service, result])
        return TimeSeries(
            metric={"type": REQUESTS, "labels": {"service": service, "result": result}},
            resource={"type": "global", "labels": {"project_id": self._project}},
            metric_kind=MetricDescriptor.MetricKind.CUMULATIVE,
            value_type=MetricDescriptor.ValueType.INT64,
            points=[Point(interval=interval, value=value)],
        )


def _timestamp(seconds: float) -> dict[str, int]:
    return {"seconds": int(seconds), "nanos": int(seconds % 1 * 1e9)}
