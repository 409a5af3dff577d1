"""One interval of a gate: its verdict, and the sentence with both numbers."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.rollout_specs import gate

from firelift.api.gates import GateSpec
from firelift.api.measurement import Measurement, Window
from firelift.api.quantity import number_text, parse
from firelift.rollout.gates import MISSED_PER_TURN, intervals, judge, limit_text, next_due, windows_due
from firelift.rollout.state import GateRecord

T0 = datetime(2026, 1, 1, tzinfo=UTC)
WINDOW = Window(T0, T0 + timedelta(seconds=60))


def spec(**changes: Any) -> GateSpec:
    return GateSpec.model_validate(gate(**changes))


def measured(value: float | None, unit: str = "1", samples: int = 100, **changes: Any) -> Measurement:
    return Measurement(value=value, samples=samples, unit=unit, query="q", time=T0, **changes)


@pytest.mark.parametrize(
    ("limit", "value", "unit", "verdict", "message"),
    [
        ({"max": "0.1%"}, 0.0041, "1", "Fail", "0.41% > 0.1%"),
        ({"max": "0.1%"}, 0.001, "1", "Pass", "0.1% ≤ 0.1%"),
        ({"max": "0.1%"}, 0.41, "%", "Fail", "0.41% > 0.1%"),
        ({"max": "0.1%"}, 0.0005, "10^2.%", "Pass", "0.05% ≤ 0.1%"),
        ({"max": "200ms"}, 0.25, "s", "Fail", "250ms > 200ms"),
        ({"max": "200ms"}, 199_000, "us", "Pass", "199ms ≤ 200ms"),
        ({"max": "2s"}, 2500, "ms", "Fail", "2.5s > 2s"),
        ({"max": "1m"}, 2, "min", "Fail", "2m > 1m"),
        ({"max": "5MiB"}, 6 * 2**20, "By", "Fail", "6MiB > 5MiB"),
        ({"max": "0"}, 1, "", "Fail", "1 > 0"),
        ({"max": "0"}, 0, "{documents}", "Pass", "0 ≤ 0"),
        ({"min": "99.9%"}, 0.998, "1", "Fail", "99.8% < 99.9%"),
        ({"min": "1", "max": "3"}, 2, "1", "Pass", "2 ≤ 3 and 2 ≥ 1"),
        ({"max": "200ms"}, 0.1, "", "Error", "the limit is in ms, but the measurement is in a unit that is not known"),
        ({"max": "200ms"}, 0.1, "By", "Error", "the limit is in ms, but the measurement is in By"),
        ({"condition": "value < 0.5 && samples > 10"}, 0.4, "1", "Pass", "value < 0.5 && samples > 10 is true of 0.4"),
        ({"condition": "value < 0.5"}, 0.6, "1", "Fail", "value < 0.5 is false of 0.6"),
        ({"condition": "1 / (samples - samples) > 0"}, 0.6, "1", "Error", "divide by zero"),
        ({"condition": "value"}, 0.6, "1", "Error", "where true or false is needed"),
        ({"condition": "value <"}, 0.6, "1", "Error", "is not valid CEL"),
        ({"max": "1"}, math.inf, "1", "Error", "the value is inf"),
    ],
)
def test_a_value_is_compared_with_its_limit_in_the_limits_unit(
    limit: dict[str, str], value: float, unit: str, verdict: str, message: str
) -> None:
    judged = judge(spec(limit=limit), WINDOW, measured(value, unit))
    assert (judged.verdict, message in judged.message) == (verdict, True), judged.message


@pytest.mark.parametrize(
    ("measurement", "verdict", "message"),
    [
        (measured(None), "NoData", "the query answered nothing"),
        (measured(math.nan), "NoData", "the value is NaN"),
        (measured(0.5, samples=49), "NoData", "49 samples < 50"),
        (measured(0.5, samples=49, error="UNAVAILABLE"), "Error", "UNAVAILABLE"),
        (measured(0.0, newest=T0 - timedelta(seconds=1)), "Stale", "the newest point is 61s old > 30s"),
        (measured(0.0, newest=T0 + timedelta(seconds=30)), "Pass", "0% ≤ 0.1%"),
        (measured(0.0), "Pass", "0% ≤ 0.1%"),
    ],
)
def test_what_was_not_measured_has_neither_passed_nor_failed(
    measurement: Measurement, verdict: str, message: str
) -> None:
    judged = judge(spec(minSamples=50, freshnessSeconds=30), WINDOW, measurement)
    assert (judged.verdict, judged.message) == (verdict, message)


def test_a_verdict_keeps_value_limit_samples_query_and_time() -> None:
    judged = judge(spec(), WINDOW, measured(0.0041))
    assert (judged.value, judged.limit, judged.samples) == ("0.41%", "≤ 0.1%", 100)
    assert (judged.query, judged.window_end) == ("q", WINDOW.end)


@pytest.mark.parametrize(
    ("changes", "since", "now", "ends"),
    [
        ({}, 0, 59, []),
        ({}, 0, 60, [60]),
        ({}, 1, 119, []),
        ({}, 1, 120, [120]),
        ({}, 0.2, 120, [120]),
        ({}, 31, 129, []),
        ({}, 31, 130, [120]),
        ({}, 59, 139, [120]),
        ({}, 0, 190, [60, 120, 180]),
        ({"delaySeconds": 30}, 0, 89, []),
        ({"delaySeconds": 30}, 0, 90, [60]),
        ({"windowSeconds": 300}, 0, 299, []),
        ({"windowSeconds": 300}, 0, 360, [300, 360]),
        ({"intervalSeconds": 45}, 10, 120, [70, 115]),
        ({"intervalSeconds": 45}, 10.5, 70, []),
        ({"intervalSeconds": 45}, 10.5, 71, [71]),
    ],
)
def test_windows_begin_with_the_step_and_lie_wholly_behind_its_start(
    changes: dict[str, int], since: float, now: float, ends: list[int]
) -> None:
    start = T0 + timedelta(seconds=since)
    windows = windows_due(spec(**changes), GateRecord(name="g", since=start, cursor=start), T0 + timedelta(seconds=now))
    assert [(window.end - T0).total_seconds() for window in windows] == ends
    assert all(window.start >= start for window in windows)
    assert all((window.end - window.start).total_seconds() == spec(**changes).window_seconds for window in windows)


def test_intervals_that_were_missed_are_asked_for_later_a_bounded_number_at_a_time() -> None:
    record = GateRecord(name="g", since=T0, cursor=T0)
    windows = windows_due(spec(), record, T0 + timedelta(days=1))
    assert [window.end for window in windows] == [T0 + timedelta(minutes=1 + n) for n in range(MISSED_PER_TURN)]


def test_what_an_earlier_version_has_judged_on_another_grid_is_not_judged_in_part_again() -> None:
    since, cursor = T0 + timedelta(seconds=17), T0 + timedelta(seconds=900)
    record = GateRecord(name="g", since=since, cursor=cursor)
    gate = spec(intervalSeconds=300, windowSeconds=300)
    first, *_ = windows_due(gate, record, T0 + timedelta(hours=1))
    assert first.end == T0 + timedelta(seconds=1260)


def test_a_judged_interval_is_not_asked_for_again() -> None:
    cursor = T0 + timedelta(seconds=120)
    record = GateRecord(name="g", since=T0, cursor=cursor)
    assert windows_due(spec(), record, cursor) == ()
    assert next_due(spec(delaySeconds=7), record) == T0 + timedelta(seconds=187)


@pytest.mark.parametrize(
    ("window", "interval", "seconds", "count"), [(60, 60, 300, 5), (300, 60, 300, 1), (300, 60, 60, 1), (10, 60, 70, 2)]
)
def test_a_soak_has_at_least_one_interval(window: int, interval: int, seconds: int, count: int) -> None:
    assert intervals(spec(windowSeconds=window, intervalSeconds=interval), seconds) == count


@pytest.mark.parametrize(
    ("limit", "text"),
    [
        ({"max": "0.1%"}, "≤ 0.1%"),
        ({"min": "1", "max": "3"}, "≥ 1 and ≤ 3"),
        ({"condition": "value < 1.0"}, "value < 1.0"),
    ],
)
def test_a_limit_reads_like_a_sentence(limit: dict[str, str], text: str) -> None:
    assert limit_text(spec(limit=limit).limit) == text


@pytest.mark.parametrize(
    ("text", "base"), [("0.1%", 0.001), ("200ms", 0.2), ("1.5h", 5400), ("2KiB", 2048), ("-3", -3)]
)
def test_a_quantity_is_a_number_in_its_base_unit(text: str, base: float) -> None:
    assert float(parse(text).base) == pytest.approx(base)


@pytest.mark.parametrize("text", ["", "%", "1 s", "1x", "1e3"])
def test_what_is_no_quantity_is_refused_with_the_units_that_are(text: str) -> None:
    with pytest.raises(ValueError, match="is not a number with one of the units"):
        parse(text)


@pytest.mark.parametrize(
    ("value", "text"), [(0.41, "0.41"), (12345.6, "12,346"), (0, "0"), (1234, "1234"), (1e-7, "1e-07")]
)
def test_numbers_have_four_digits(value: float, text: str) -> None:
    assert number_text(value) == text
