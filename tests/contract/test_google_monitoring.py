"""The Monitoring stand-in, spoken to by the official client."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from google.api_core.exceptions import InvalidArgument, NotFound
from google.cloud import monitoring_v3
from tests.contract.time_series import BOUNDS, END, WINDOW, Reporter, ago, aligned, distribution, official_client

from firelift.sandbox.google import Options, running_stand_in

HEADERS = monitoring_v3.ListTimeSeriesRequest.TimeSeriesView.HEADERS


@pytest_asyncio.fixture
async def reporter() -> AsyncIterator[Reporter]:
    async with (
        running_stand_in(Options(shortest_period=60)) as stand_in,
        official_client(stand_in.endpoint) as client,
    ):
        yield Reporter(client)


def ages(series: monitoring_v3.TimeSeries) -> list[float]:
    return [(END - point.interval.end_time).total_seconds() for point in series.points]


async def test_points_come_back_newest_first_without_the_start_and_with_the_end(reporter: Reporter) -> None:
    await reporter.gauge("level", {age: {"int64_value": round(age)} for age in (120, 119, 60, 0)}, unit="By")

    (series,) = await reporter.list("level")

    assert ages(series) == [0, 60, 119]
    assert [point.value.int64_value for point in series.points] == [0, 60, 119]
    assert series.unit == "By"
    assert dict(series.resource.labels) == {"project_id": reporter.project}


async def test_a_distribution_comes_back_as_it_was_written(reporter: Reporter) -> None:
    await reporter.gauge("latency", {1: distribution([1, 2, 3, 4])})

    (series,) = await reporter.list("latency")

    value = series.points[0].value.distribution_value
    assert (value.count, value.mean, list(value.bucket_counts)) == (10, 15.0, [1, 2, 3, 4])
    assert tuple(value.bucket_options.explicit_buckets.bounds) == BOUNDS


@pytest.mark.parametrize(
    ("buckets", "expected"),
    [
        ({"linear_buckets": {"num_finite_buckets": 2, "width": 10, "offset": 10}}, 19.0),
        ({"exponential_buckets": {"num_finite_buckets": 2, "growth_factor": 2, "scale": 10}}, 19.0),
        ({"explicit_buckets": {"bounds": [10, 20, 40]}}, 19.0),
    ],
)
async def test_percentiles_of_every_kind_of_buckets(reporter: Reporter, buckets: Any, expected: float) -> None:
    value = {"count": 10, "mean": 15.0, "bucket_options": buckets, "bucket_counts": [0, 10]}
    await reporter.counter("latency", {1: {"distribution_value": value}})

    (series,) = await reporter.list("latency", aggregation=aligned("ALIGN_DELTA", "REDUCE_PERCENTILE_95", 3600))

    assert series.points[0].value.double_value == pytest.approx(expected + 0.5)


async def test_a_distribution_has_at_most_200_buckets(reporter: Reporter) -> None:
    options = {"linear_buckets": {"num_finite_buckets": 1_000_000_000, "width": 1, "offset": 0}}

    with pytest.raises(InvalidArgument, match="at most 200 are allowed"):
        await reporter.gauge("latency", {1: {"distribution_value": {"count": 0, "bucket_options": options}}})


async def test_a_second_aggregation_follows_the_first(reporter: Reporter) -> None:
    for code, count in (("200", 60), ("500", 12)):
        values: dict[float, Any] = {121: {"int64_value": 0}, 0: {"int64_value": count}}
        await reporter.counter("requests", values, labels={"code": code}, unit="1")

    (series,) = await reporter.list(
        "requests",
        aggregation=aligned("ALIGN_RATE", "REDUCE_SUM", 60, group_by_fields=["metric.labels.code"]),
        secondary_aggregation=aligned("ALIGN_MAX", "REDUCE_MAX", 120),
    )

    assert series.points[0].value.double_value == pytest.approx(60 / 121)
    assert series.unit == "1/s"


async def test_pages_split_a_series_and_headers_do_not(reporter: Reporter) -> None:
    for code in ("200", "500"):
        values = {age: {"int64_value": age} for age in range(5)}
        await reporter.gauge("level", values, labels={"code": code})  # type: ignore[arg-type] # int ages
    request = monitoring_v3.ListTimeSeriesRequest(
        name=f"projects/{reporter.project}",
        filter='metric.type = "custom.googleapis.com/level"',
        interval={"start_time": WINDOW.start, "end_time": WINDOW.end},
        page_size=4,
    )

    pager = await reporter.client.list_time_series(request)
    pages = [
        [(series.metric.labels["code"], ages(series)) for series in page.time_series] async for page in pager.pages
    ]
    headers = await reporter.list("level", view=HEADERS, page_size=1)

    assert pages == [[("200", [0, 1, 2, 3])], [("200", [4]), ("500", [0, 1, 2])], [("500", [3, 4])]]
    assert [(series.metric.labels["code"], len(series.points)) for series in headers] == [("200", 0), ("500", 0)]


async def test_a_page_token_belongs_to_its_request(reporter: Reporter) -> None:
    await reporter.gauge("level", {0: {"int64_value": 1}})

    with pytest.raises(InvalidArgument, match="pageToken had an invalid value"):
        await reporter.list("level", page_token="elsewhere.5")  # noqa: S106 - a page's token is no secret


@pytest.mark.parametrize(
    ("age", "given", "sentence"),
    [
        (30, {}, "Points must be written in order. One or more of the points specified had an older end time"),
        (-600, {}, "Data points cannot be written more than 5m in the future"),
        (26 * 3600, {}, "Data points cannot be written more than 25h0m in the past"),
        (0, {"kind": "CUMULATIVE"}, "The start time must be before the end time for CUMULATIVE metrics"),
    ],
)
async def test_points_out_of_order_and_out_of_time_are_refused(
    reporter: Reporter, age: float, given: dict[str, Any], sentence: str
) -> None:
    await reporter.gauge("level", {30: {"int64_value": 1}})

    with pytest.raises(InvalidArgument, match=sentence):
        await reporter.gauge("level", {age: {"int64_value": 2}}, **given)


async def test_a_metric_keeps_its_kind_and_type(reporter: Reporter) -> None:
    await reporter.gauge("level", {30: {"int64_value": 1}})

    with pytest.raises(InvalidArgument, match="is GAUGE INT64, and cannot become GAUGE DOUBLE"):
        await reporter.gauge("level", {0: {"double_value": 2.0}})


async def test_only_services_write_delta_metrics_that_nobody_described(reporter: Reporter) -> None:
    point = {"interval": {"start_time": ago(10), "end_time": ago(0)}, "value": {"int64_value": 1}}
    series = monitoring_v3.TimeSeries(
        metric={"type": "custom.googleapis.com/errors"}, metric_kind="DELTA", points=[point]
    )

    with pytest.raises(InvalidArgument, match="must be GAUGE or CUMULATIVE"):
        await reporter.client.create_time_series(name=f"projects/{reporter.project}", time_series=[series])
    await reporter.client.create_service_time_series(name=f"projects/{reporter.project}", time_series=[series])

    assert len(await reporter.list("errors")) == 1


async def test_one_bad_series_does_not_keep_the_others_out(reporter: Reporter) -> None:
    good, twice = (
        monitoring_v3.TimeSeries(
            metric={"type": "custom.googleapis.com/level", "labels": {"code": code}},
            points=[{"interval": {"end_time": ago(0)}, "value": {"int64_value": 1}}],
        )
        for code in ("200", "500")
    )

    with pytest.raises(InvalidArgument, match=r"timeSeries\[2\].*Duplicate TimeSeries encountered"):
        await reporter.client.create_time_series(name=f"projects/{reporter.project}", time_series=[good, twice, twice])

    assert len(await reporter.list("level")) == 2


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"aggregation": aligned("ALIGN_MEAN", seconds=59)}, "the alignment period must be at least 60 seconds"),
        ({"aggregation": aligned("ALIGN_NONE", "REDUCE_SUM")}, "REDUCE_SUM needs aligned series"),
        ({"aggregation": aligned("ALIGN_INTERPOLATE")}, "the stand-in serves ALIGN_COUNT"),
        ({"aggregation": aligned("ALIGN_MEAN", "REDUCE_FRACTION_TRUE")}, "The reducer cannot be applied"),
        ({"secondary_aggregation": aligned("ALIGN_MEAN")}, "may only be specified if aggregation is specified"),
        ({"interval": {"end_time": END}}, "startTime and endTime must be specified"),
        ({"interval": {"start_time": END, "end_time": END}}, "startTime must be earlier than endTime"),
        ({"order_by": "metric"}, "orderBy is unsupported"),
    ],
)
async def test_an_impossible_question_is_refused(reporter: Reporter, given: dict[str, Any], sentence: str) -> None:
    await reporter.gauge("level", {0: {"int64_value": 1}})
    request = {
        "name": f"projects/{reporter.project}",
        "filter": 'metric.type = "custom.googleapis.com/level"',
        "interval": {"start_time": END - timedelta(seconds=120), "end_time": END},
    }

    with pytest.raises(InvalidArgument, match=sentence):
        await reporter.client.list_time_series(monitoring_v3.ListTimeSeriesRequest({**request, **given}))


async def test_a_metric_nobody_wrote_is_not_found(reporter: Reporter) -> None:
    with pytest.raises(NotFound, match="Cannot find metric"):
        await reporter.list("level")


async def test_a_metric_is_described_by_its_first_point(reporter: Reporter) -> None:
    await reporter.counter("requests", {0: {"int64_value": 1}}, unit="1")

    pager = await reporter.client.list_metric_descriptors(name=f"projects/{reporter.project}")
    described = [descriptor async for descriptor in pager]

    assert [(one.type, one.metric_kind, one.value_type, one.unit) for one in described] == [
        ("custom.googleapis.com/requests", 3, 2, "1")
    ]
