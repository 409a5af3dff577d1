"""Google Cloud Monitoring as a metric source, through the official client."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

import google.auth
import grpc
from google.api_core.exceptions import GoogleAPICallError, NotFound
from google.auth.exceptions import GoogleAuthError
from google.cloud.monitoring_v3 import MetricServiceAsyncClient
from google.cloud.monitoring_v3.services.metric_service.transports import MetricServiceGrpcAsyncIOTransport

from firelift.api.measurement import Measurement
from firelift.metrics.readings import Reading, SeveralSeriesError, merged, ratio, single
from firelift.metrics.requests import Plan, plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firelift.api.gates import CloudMonitoringQuery
    from firelift.api.measurement import Window
    from firelift.metrics.requests import Ask

ENDPOINT_VARIABLE = "FIRELIFT_MONITORING_ENDPOINT"
SHORTEST_WINDOW = timedelta(seconds=60)
"""Cloud Monitoring's least alignment period. A shorter window would be answered with data from before it."""
SHORTEST_SANDBOX_WINDOW = timedelta(seconds=1)
NO_POINTS = "Cannot find metric"
"""How Cloud Monitoring begins its NOT_FOUND for a metric type that nobody has ever written a point of."""
MAX_SERIES = 1_000
"""Parts of series read before an answer is called too many."""
_READ_SCOPE = "https://www.googleapis.com/auth/monitoring.read"
_CHANNEL_OPTIONS = (("grpc.max_reconnect_backoff_ms", 2_000),)
_REMEDIES: Mapping[grpc.StatusCode | None, str] = {
    grpc.StatusCode.INVALID_ARGUMENT: "correct the gate's filter, aligner or reducer",
    grpc.StatusCode.PERMISSION_DENIED: "grant the operator's service account roles/monitoring.viewer on the project",
    grpc.StatusCode.UNAUTHENTICATED: "give the operator credentials that may read Cloud Monitoring",
}


class CloudMonitoring:
    """A `MetricSource` for `CloudMonitoringQuery`; one client, opened at the first question and kept.

    `endpoint` (host:port, the sandbox) is spoken to without TLS and credentials, and may be asked about windows from
    1 s; None means the real service with the process's own credentials, and windows from 60 s. `deadline_seconds`
    bounds a whole measurement. Its two or three requests run side by side; none is retried: the gate's next interval
    is the retry.
    """

    def __init__(self, endpoint: str | None = None, *, deadline_seconds: float = 10.0) -> None:
        self._endpoint = endpoint
        self._deadline = deadline_seconds
        self._shortest = SHORTEST_SANDBOX_WINDOW if endpoint else SHORTEST_WINDOW
        self._client: MetricServiceAsyncClient | None = None
        self._opening = asyncio.Lock()

    @classmethod
    def from_environment(cls) -> Self:
        """Use the endpoint in FIRELIFT_MONITORING_ENDPOINT when it is set."""
        return cls(os.environ.get(ENDPOINT_VARIABLE) or None)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the client's channel; a later measurement opens another."""
        client, self._client = self._client, None
        if client is not None:
            await client.transport.close()  # type: ignore[no-untyped-call] # the generated client is typed only in part

    async def measure(self, query: CloudMonitoringQuery, window: Window, *, project: str = "") -> Measurement:
        """Ask for a single value, or for a ratio; `project` is used when the query names none.

        A ratio is the numerator's total over the denominator's, in the unit ``1``: a denominator that is absent or
        zero is no data, a numerator without series beside it is 0. Its samples are the denominator's total; those of
        a single value are its distribution's count, else the number of points. `newest` is known to a sixtieth of the
        window, never finer than the shortest alignment period. A metric that has never had a point is no data and no
        error: the app may be about to report it for the first time.
        """
        asked = Measurement(None, 0, "", "", datetime.now(UTC))
        try:
            requests = plan(query, window, self._shortest)
            asked = replace(asked, query=str(requests))
            reading = await self._read(requests, window, query.project or project)
        except NotFound as error:
            if NO_POINTS not in str(error.message):
                return replace(
                    asked, error=f"asked Cloud Monitoring for {asked.query or query}: {self._explain(error)}"
                )
            absent = f"no points yet: {error.message.partition(' If ')[0]}; if it should have some, correct its type"
            return replace(asked, absent=absent)
        except (GoogleAPICallError, GoogleAuthError, SeveralSeriesError, TimeoutError, ValueError) as error:
            return replace(asked, error=f"asked Cloud Monitoring for {asked.query or query}: {self._explain(error)}")
        return replace(asked, value=reading.value, samples=reading.samples, unit=reading.unit, newest=reading.newest)

    async def _read(self, requests: Plan, window: Window, project: str) -> Reading:
        length = window.end - window.start
        if length < self._shortest:
            raise ValueError(
                f"a window of {length.total_seconds():g} s is shorter than the {self._shortest.total_seconds():g} s "
                "that Cloud Monitoring aligns on at least; raise windowSeconds"
            )
        if not project:
            raise ValueError("no project is named; set cloudMonitoring.project")
        async with asyncio.timeout(self._deadline):
            client = await self._open()
            asks = (self._list(client, ask, project, window) for ask in requests.asks)
            answers = await asyncio.gather(*asks)
        if len(requests.values) == 1:
            return single(answers[0], answers[1])
        rate = requests.values[1].aligner == "ALIGN_RATE"
        return ratio(answers[0], answers[1], answers[2], length.total_seconds() if rate else 1.0)

    async def _list(self, client: MetricServiceAsyncClient, ask: Ask, project: str, window: Window) -> list[Any]:
        pager = await client.list_time_series(ask.request(project, window), timeout=self._deadline, retry=None)
        parts = []
        async for part in pager:
            parts.append(part)
            if len(parts) >= MAX_SERIES:
                break
        return merged(parts)

    async def _open(self) -> MetricServiceAsyncClient:
        async with self._opening:
            if self._client is None:
                self._client = MetricServiceAsyncClient(transport=await self._transport())
            return self._client

    async def _transport(self) -> MetricServiceGrpcAsyncIOTransport:
        if self._endpoint:
            channel = grpc.aio.insecure_channel(self._endpoint, options=_CHANNEL_OPTIONS)
            return MetricServiceGrpcAsyncIOTransport(channel=channel)
        # looking credentials up may ask a metadata server, which blocks
        credentials, _ = await asyncio.to_thread(google.auth.default, scopes=[_READ_SCOPE])
        return MetricServiceGrpcAsyncIOTransport(credentials=credentials)

    def _explain(self, error: Exception) -> str:
        if isinstance(error, TimeoutError):
            return f"no answer within {self._deadline:g} s; it is asked again at the next interval"
        if not isinstance(error, GoogleAPICallError):
            return str(error)
        code = error.grpc_status_code
        remedy = _REMEDIES.get(code, "it is asked again at the next interval")
        return f"{code.name if code else error.code}: {error.message}; {remedy}"
