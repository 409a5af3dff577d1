"""What every metric source promises, whoever provides the numbers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, Protocol

import pytest
import pytest_asyncio
from tests.contract.time_series import END, WINDOW, Reporter, official_client

from firelift.api.gates import CloudMonitoringQuery, LedgerMetric, SeriesQuery
from firelift.api.measurement import Measurement
from firelift.metrics.cloud_monitoring import CloudMonitoring
from firelift.metrics.ledger import LedgerReading, measure_ledger
from firelift.sandbox.google import running_stand_in

METRIC = 'metric.type = "custom.googleapis.com/requests"'


class Provider(Protocol):
    """A provider that can be told how many of how many requests failed, and then be measured for the ratio."""

    async def report(self, failed: int, processed: int) -> None: ...

    async def measure(self) -> Measurement: ...


class FromLedger:
    def __init__(self) -> None:
        self.reading = LedgerReading()

    async def report(self, failed: int, processed: int) -> None:
        self.reading = LedgerReading(documents=processed, failures=failed, newest=END)

    async def measure(self) -> Measurement:
        return measure_ledger(self.reading, LedgerMetric.FAILURE_RATIO, datetime.now(UTC))


class FromCloudMonitoring:
    def __init__(self, source: CloudMonitoring, reporter: Reporter, field: str) -> None:
        self.source = source
        self.reporter = reporter
        self.field = field

    async def report(self, failed: int, processed: int) -> None:
        for code, count in (("500", failed), ("200", processed - failed)):
            values: dict[float, dict[str, Any]] = {120: {self.field: 1000}, 0: {self.field: 1000 + count}}
            await self.reporter.counter("requests", values, labels={"code": code})

    async def measure(self) -> Measurement:
        failures = SeriesQuery(filter=f'{METRIC} AND metric.labels.code = starts_with("5")')
        query = CloudMonitoringQuery(
            project=self.reporter.project, numerator=failures, denominator=SeriesQuery(filter=METRIC)
        )
        return await self.source.measure(query, WINDOW)


@pytest_asyncio.fixture(params=["ledger", "int64_value", "double_value"])
async def provider(request: pytest.FixtureRequest) -> AsyncIterator[Provider]:
    if request.param == "ledger":
        yield FromLedger()
        return
    async with running_stand_in() as stand_in, official_client(stand_in.endpoint) as client:
        reporter = Reporter(client)
        await reporter.client.create_metric_descriptor(
            name=f"projects/{reporter.project}",
            metric_descriptor={
                "type": "custom.googleapis.com/requests",
                "metric_kind": "CUMULATIVE",
                "value_type": request.param.removesuffix("_value").upper(),
            },
        )
        async with CloudMonitoring(stand_in.endpoint) as source:
            yield FromCloudMonitoring(source, reporter, request.param)


@pytest.mark.parametrize(("failed", "processed", "value"), [(3, 1200, 0.0025), (0, 40, 0.0), (7, 7, 1.0)])
async def test_a_ratio_comes_with_its_samples_unit_and_newest_point(
    provider: Provider, failed: int, processed: int, value: float
) -> None:
    await provider.report(failed, processed)

    measured = await provider.measure()

    assert (measured.value, measured.samples, measured.unit, measured.error) == (value, processed, "1", None)
    assert measured.newest == END


async def test_a_provider_that_was_told_nothing_has_no_data(provider: Provider) -> None:
    measured = await provider.measure()

    assert (measured.value, measured.samples, measured.newest, measured.error) == (None, 0, None, None)


async def test_a_denominator_of_zero_is_no_data(provider: Provider) -> None:
    await provider.report(0, 0)

    measured = await provider.measure()

    assert (measured.value, measured.samples, measured.error) == (None, 0, None)


async def test_a_measurement_says_what_was_asked_and_when(provider: Provider) -> None:
    before = datetime.now(UTC)

    measured = await provider.measure()

    assert "ledger failureRatio" in measured.query or METRIC in measured.query
    assert before <= measured.time <= datetime.now(UTC)
