"""Cloud Monitoring as a metric source, against the stand-in through the official client."""

from __future__ import annotations

import math
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from tests.contract.time_series import END, WINDOW, Reporter, ago, distribution, official_client

from firelift.api.gates import CloudMonitoringQuery, SeriesQuery
from firelift.api.measurement import Measurement, Window
from firelift.metrics.cloud_monitoring import CloudMonitoring
from firelift.sandbox.google import Fault, StandIn, running_stand_in


class Gate:
    """A source, and an application whose metrics it reads."""

    def __init__(self, stand_in: StandIn, reporter: Reporter, source: CloudMonitoring) -> None:
        self.stand_in = stand_in
        self.reporter = reporter
        self.source = source

    async def value_of(self, metric: str, condition: str = "", **given: Any) -> Measurement:
        filter_text = f'metric.type = "custom.googleapis.com/{metric}" {condition}'
        query = CloudMonitoringQuery(query=SeriesQuery(filter=filter_text, **given))
        return await self.source.measure(query, WINDOW, project=self.reporter.project)


@pytest_asyncio.fixture
async def gate() -> AsyncIterator[Gate]:
    async with (
        running_stand_in() as stand_in,
        official_client(stand_in.endpoint) as client,
        CloudMonitoring(stand_in.endpoint, deadline_seconds=2) as source,
    ):
        yield Gate(stand_in, Reporter(client), source)


@pytest.mark.parametrize(
    ("values", "aligner", "value", "samples"),
    [
        ([{"int64_value": 4}, {"int64_value": 8}], None, 6.0, 2),
        ([{"double_value": 0.5}, {"double_value": 1.5}], None, 1.0, 2),
        ([{"double_value": 0.5}, {"double_value": 1.5}], "ALIGN_MAX", 1.5, 2),
        ([{"int64_value": 4}, {"int64_value": 8}], "ALIGN_NEXT_OLDER", 8.0, 2),
        ([{"bool_value": True}, {"bool_value": False}], "ALIGN_FRACTION_TRUE", 0.5, 2),
        ([distribution([10, 80, 10, 0])] * 2, "ALIGN_SUM", 15.0, 200),
        ([distribution([10, 80, 10, 0])] * 2, "ALIGN_PERCENTILE_50", 15.0, 200),
    ],
)
async def test_a_level_of_any_type_is_a_number_with_its_samples(
    gate: Gate, values: list[dict[str, Any]], aligner: str | None, value: float, samples: int
) -> None:
    await gate.reporter.gauge("level", dict(zip((60.0, 10.0), values, strict=True)), unit="ms")

    measured = await gate.value_of("level", aligner=aligner)

    assert (measured.value, measured.samples, measured.error) == (value, samples, None)
    assert measured.newest == ago(10)


async def test_the_unit_is_the_metrics_own(gate: Gate) -> None:
    await gate.reporter.gauge("latency", {5: {"double_value": 12.5}}, unit="ms")

    measured = await gate.value_of("latency")

    assert measured.unit == "ms"


async def test_a_percentile_of_a_cumulative_distribution_counts_only_the_window(gate: Gate) -> None:
    slow, fast = distribution([0, 0, 0, 500], 90.0), distribution([100, 0, 0, 500], 75.83)
    await gate.reporter.counter("latency", {121: slow, 1: fast}, unit="ms")

    measured = await gate.value_of("latency", aligner="ALIGN_DELTA", reducer="REDUCE_PERCENTILE_95")

    assert measured.value == pytest.approx(9.5)
    assert (measured.samples, measured.unit) == (100, "ms")


async def test_a_nan_stays_a_nan(gate: Gate) -> None:
    await gate.reporter.gauge("level", {60: {"double_value": 1.0}})
    gate.stand_in.faults.add(Fault(nan=True))

    measured = await gate.value_of("level")

    assert measured.value is not None
    assert math.isnan(measured.value)
    assert measured.error is None


async def test_stale_points_show_in_the_newest_time(gate: Gate) -> None:
    await gate.reporter.gauge("level", {100: {"double_value": 1.0}, 2: {"double_value": 9.0}})
    since_the_end = (datetime.now(UTC) - END).total_seconds()
    gate.stand_in.faults.add(Fault(stale_seconds=60 + math.floor(since_the_end)))

    measured = await gate.value_of("level")

    assert (measured.value, measured.newest) == (1.0, ago(100))


async def test_an_empty_answer_is_no_data(gate: Gate) -> None:
    await gate.reporter.gauge("level", {2: {"double_value": 9.0}})
    gate.stand_in.faults.add(Fault(empty=True))

    measured = await gate.value_of("level")

    assert (measured.value, measured.samples, measured.error) == (None, 0, None)


async def test_a_ratio_without_failures_is_zero_and_without_traffic_is_no_data(gate: Gate) -> None:
    await gate.reporter.counter("requests", {120: {"int64_value": 0}, 1: {"int64_value": 119}}, labels={"code": "200"})
    metric = 'metric.type = "custom.googleapis.com/requests"'
    failures = SeriesQuery(filter=f'{metric} AND metric.labels.code = "500"')

    quiet = CloudMonitoringQuery(numerator=failures, denominator=SeriesQuery(filter=metric))
    absent = CloudMonitoringQuery(numerator=SeriesQuery(filter=metric), denominator=failures)
    measured = [await gate.source.measure(query, WINDOW, project=gate.reporter.project) for query in (quiet, absent)]

    assert [(one.value, one.samples, one.error) for one in measured] == [(0.0, 119, None), (None, 0, None)]


async def test_several_series_are_an_error_that_counts_them_and_names_the_remedy(gate: Gate) -> None:
    for code in ("200", "404", "500", "503"):
        await gate.reporter.gauge("level", {2: {"double_value": 9.0}}, labels={"code": code})

    measured = await gate.value_of("level", group_by=("metric.labels.code",))

    assert measured.value is None
    assert "yielded 4 series (code=200; code=404; code=500; and 1 more), one is allowed" in (measured.error or "")
    assert "give it a reducer without groupBy" in (measured.error or "")


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (Fault(code="UNAVAILABLE", message="try later"), "UNAVAILABLE: try later; it is asked again"),
        (Fault(code="RESOURCE_EXHAUSTED"), "RESOURCE_EXHAUSTED: a fault was asked for; it is asked again"),
        (Fault(code="PERMISSION_DENIED"), "grant the operator's service account roles/monitoring.viewer"),
        (Fault(latency_ms=60_000), "no answer within 2 s; it is asked again at the next interval"),
    ],
)
async def test_an_outage_is_a_sentence_within_the_deadline(gate: Gate, fault: Fault, sentence: str) -> None:
    await gate.reporter.gauge("level", {2: {"double_value": 9.0}})
    gate.stand_in.faults.add(fault)
    began = time.monotonic()

    measured = await gate.value_of("level")

    assert measured.value is None
    assert sentence in (measured.error or "")
    assert time.monotonic() - began < 5


async def test_a_source_measures_again_once_the_outage_is_over(gate: Gate) -> None:
    await gate.reporter.gauge("level", {2: {"double_value": 9.0}})
    gate.stand_in.faults.add(Fault(code="UNAVAILABLE", count=2))

    first, second = await gate.value_of("level"), await gate.value_of("level")

    assert first.error is not None
    assert (second.value, second.error) == (9.0, None)


@pytest.mark.parametrize(
    ("metric", "given", "sentence"),
    [
        ("level", {"condition": "AND metric.labels.code ="}, "INVALID_ARGUMENT: Field filter had an invalid value"),
        ("level", {"aligner": "ALIGN_DELTA"}, "The aligner cannot be applied to metrics with kind GAUGE"),
        ("level", {"aligner": "ALIGN_NONE"}, "aligner ALIGN_NONE does not give one value per window"),
        ("level", {"aligner": "ALIGN_MEDIAN"}, "aligner ALIGN_MEDIAN does not give one value per window"),
        ("level", {"reducer": "REDUCE_MEDIAN"}, "reducer REDUCE_MEDIAN is not one of Cloud Monitoring's"),
    ],
)
async def test_a_wrong_query_is_a_sentence_that_says_what_is_wrong(
    gate: Gate, metric: str, given: dict[str, Any], sentence: str
) -> None:
    await gate.reporter.gauge("level", {2: {"double_value": 9.0}})

    measured = await gate.value_of(metric, **given)

    assert measured.value is None
    assert sentence in (measured.error or "")


async def test_a_metric_that_has_never_had_a_point_is_no_data_and_no_error(gate: Gate) -> None:
    measured = await gate.value_of("unknown")

    assert (measured.value, measured.error) == (None, None)
    assert measured.absent.startswith("no points yet: Cannot find metric(s) that match type")
    assert measured.absent.endswith("correct its type")


async def test_a_server_that_is_gone_is_an_error() -> None:
    async with running_stand_in() as stand_in:
        endpoint = stand_in.endpoint
    query = CloudMonitoringQuery(project="p", query=SeriesQuery(filter='metric.type = "custom.googleapis.com/x"'))

    async with CloudMonitoring(endpoint, deadline_seconds=2) as source:
        measured = await source.measure(query, WINDOW)

    assert measured.value is None
    assert "UNAVAILABLE" in (measured.error or "") or "no answer" in (measured.error or "")


async def test_the_real_service_is_not_asked_about_less_than_a_minute() -> None:
    query = CloudMonitoringQuery(project="p", query=SeriesQuery(filter='metric.type = "custom.googleapis.com/x"'))

    measured = await CloudMonitoring().measure(query, Window(END - timedelta(seconds=30), END))

    assert "a window of 30 s is shorter than the 60 s" in (measured.error or "")


async def test_a_query_without_a_project_says_so() -> None:
    query = CloudMonitoringQuery(query=SeriesQuery(filter='metric.type = "custom.googleapis.com/x"'))

    measured = await CloudMonitoring("127.0.0.1:1").measure(query, WINDOW)

    assert "no project is named" in (measured.error or "")
