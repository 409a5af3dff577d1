"""How a gate's query becomes requests to Cloud Monitoring."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from firelift.api.gates import CloudMonitoringQuery, SeriesQuery
from firelift.api.measurement import Window
from firelift.metrics.requests import Ask, plan

END = datetime(2026, 5, 1, 12, tzinfo=UTC)
MINUTE = timedelta(seconds=60)
REQUESTS, ERRORS = SeriesQuery(filter='metric.type = "r"'), SeriesQuery(filter='metric.type = "e"')


def window(seconds: float) -> Window:
    return Window(END - timedelta(seconds=seconds), END)


def test_a_single_query_defaults_to_the_mean_over_the_whole_window() -> None:
    made = plan(CloudMonitoringQuery(query=REQUESTS), window(300), MINUTE)

    assert made.values == (Ask('metric.type = "r"', "ALIGN_MEAN", "REDUCE_MEAN", (), timedelta(seconds=300)),)
    assert str(made) == 'metric.type = "r" | ALIGN_MEAN 300s | REDUCE_MEAN'


def test_a_ratio_defaults_to_what_was_gained_over_the_whole_window() -> None:
    made = plan(CloudMonitoringQuery(numerator=ERRORS, denominator=REQUESTS), window(300), MINUTE)

    assert [(ask.aligner, ask.reducer) for ask in made.values] == [("ALIGN_DELTA", "REDUCE_SUM")] * 2
    assert str(made) == (
        '(metric.type = "e" | ALIGN_DELTA 300s | REDUCE_SUM) over (metric.type = "r" | ALIGN_DELTA 300s | REDUCE_SUM)'
    )


@pytest.mark.parametrize(
    ("aligner", "counted_by"),
    [
        ("ALIGN_MEAN", "ALIGN_COUNT"),
        ("ALIGN_FRACTION_TRUE", "ALIGN_COUNT"),
        ("ALIGN_SUM", "ALIGN_SUM"),
        ("ALIGN_PERCENTILE_95", "ALIGN_SUM"),
        ("ALIGN_DELTA", "ALIGN_DELTA"),
        ("ALIGN_RATE", "ALIGN_DELTA"),
    ],
)
def test_samples_are_counted_by_an_aligner_that_fits_the_same_metrics(aligner: str, counted_by: str) -> None:
    query = SeriesQuery(filter="f", aligner=aligner, group_by=("metric.labels.code",))

    made = plan(CloudMonitoringQuery(query=query), window(300), MINUTE)

    assert made.activity == Ask("f", counted_by, "REDUCE_SUM", (), MINUTE)


@pytest.mark.parametrize(
    ("seconds", "shortest", "block"),
    [(300, 60, 60), (90, 60, 90), (3600, 60, 60), (86_400, 60, 1440), (10, 1, 1), (61, 1, 61), (2.5, 1, 2.5)],
)
def test_the_newest_point_is_looked_for_in_blocks_that_divide_the_window(
    seconds: float, shortest: float, block: float
) -> None:
    made = plan(CloudMonitoringQuery(query=REQUESTS), window(seconds), timedelta(seconds=shortest))

    assert made.activity.period.total_seconds() == block


def test_a_request_carries_project_interval_and_aggregation() -> None:
    ask = Ask("f", "ALIGN_DELTA", "REDUCE_PERCENTILE_95", ("metric.labels.code",), MINUTE)

    request = ask.request("shop", window(120))

    assert (request.name, request.filter) == ("projects/shop", "f")
    assert request.interval.end_time - request.interval.start_time == timedelta(seconds=120)
    assert request.aggregation.alignment_period == MINUTE
    assert request.aggregation.per_series_aligner.name == "ALIGN_DELTA"
    assert request.aggregation.cross_series_reducer.name == "REDUCE_PERCENTILE_95"
    assert list(request.aggregation.group_by_fields) == ["metric.labels.code"]


def test_half_a_ratio_is_refused() -> None:
    with pytest.raises(ValueError, match="either query, or numerator and denominator"):
        plan(CloudMonitoringQuery.model_construct(numerator=ERRORS), window(300), MINUTE)
