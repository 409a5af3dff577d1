from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from firelift.api.gates import GateSpec, LedgerMetric
from firelift.api.measurement import Measurement, Window
from firelift.api.run import Totals
from firelift.metrics.cloud_monitoring import CloudMonitoring
from firelift.operator.measure import Measurer, measure_work
from firelift.operator.memory import FIRST_BACKOFF_SECONDS, ObjectMemory
from firelift.operator.telemetry.metrics import Metrics
from firelift.rollout.gates import judge
from firelift.rollout.observation import MeasurementWanted
from firelift.rollout.phase_work import PhaseWork
from firelift.rollout.state import GateVerdict

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
WORK = PhaseWork(
    moving=Totals(read=100, dead_letters=2),
    checking=Totals(read=50, missing=1, different=4),
    commit_latencies_ms=(10, 20, 30),
    newest=NOON - timedelta(seconds=30),
)


def ledger_gate(metric: LedgerMetric, **changes: Any) -> GateSpec:
    spec = {"name": "g", "ledger": {"metric": metric}, "limit": {"max": "0"}, "delaySeconds": 0, **changes}
    return GateSpec.model_validate(spec)


def measured(spec: GateSpec, window: Window, work: PhaseWork = WORK, now: datetime = NOON) -> Measurement:
    assert spec.ledger is not None
    return measure_work(spec, spec.ledger, window, work, now)


NEWEST = Window(NOON - timedelta(minutes=5), NOON)


@pytest.mark.parametrize(
    ("metric", "value", "samples"),
    [
        (LedgerMetric.FAILURE_RATIO, 0.02, 100),
        (LedgerMetric.DEAD_LETTERS, 2.0, 100),
        (LedgerMetric.MISMATCH_RATIO, 0.1, 50),
        (LedgerMetric.COMMIT_LATENCY_P95, 30.0, 3),
    ],
)
def test_a_ledger_gate_measures_moving_and_checking_apart(metric: LedgerMetric, value: float, samples: int) -> None:
    found = measured(ledger_gate(metric), NEWEST)

    assert (found.value, found.samples, found.error) == (value, samples, None)


def test_work_that_has_not_begun_is_no_data() -> None:
    assert measured(ledger_gate(LedgerMetric.FAILURE_RATIO), NEWEST, PhaseWork()).value is None


@pytest.mark.parametrize(("age_seconds", "measures"), [(0, True), (59, True), (60, False), (600, False)])
def test_a_window_that_was_missed_is_not_measured_by_what_the_ledger_says_now(
    age_seconds: int, *, measures: bool
) -> None:
    window = Window(NOON - timedelta(seconds=age_seconds + 300), NOON - timedelta(seconds=age_seconds))
    verdict = judge(gate := ledger_gate(LedgerMetric.DEAD_LETTERS), window, measured(gate, window))

    expected = (GateVerdict.FAIL, "2 > 0") if measures else (GateVerdict.NO_DATA, "it was not measured at the time")
    assert (verdict.verdict, verdict.message) == expected


def test_a_ledger_whose_last_entry_is_old_is_stale() -> None:
    gate = ledger_gate(LedgerMetric.DEAD_LETTERS, freshnessSeconds=20)

    assert judge(gate, NEWEST, measured(gate, NEWEST)).verdict is GateVerdict.STALE


def gate(name: str = "errors") -> GateSpec:
    query = {"filter": 'metric.type="x"', "aligner": "ALIGN_SUM"}
    return GateSpec.model_validate({"name": name, "cloudMonitoring": {"query": query}, "limit": {"max": "1"}})


def wanted(minute: int = 0) -> MeasurementWanted:
    end = NOON + timedelta(minutes=minute)
    return MeasurementWanted("errors", Window(end - timedelta(seconds=60), end))


@pytest.fixture
def silent(unused_tcp_port: int) -> CloudMonitoring:
    """A provider at an address where nobody listens."""
    return CloudMonitoring(f"127.0.0.1:{unused_tcp_port}", deadline_seconds=5)


async def test_a_provider_that_is_away_is_an_error_of_the_gate_and_stops_nothing(silent: CloudMonitoring) -> None:
    measurer = Measurer(silent, Metrics(), timeout_seconds=5)

    seen = await measurer.take([(wanted(), gate())], project="p", patience_seconds=5, answered=lambda: None)

    assert [each.gate for each in seen] == ["errors"]
    assert seen[0].measurement.value is None
    assert seen[0].measurement.error
    await silent.close()


async def test_a_slow_answer_is_handed_in_later_and_asked_for_once(silent: CloudMonitoring) -> None:
    metrics = Metrics()
    measurer = Measurer(silent, metrics, timeout_seconds=5)
    poked = asyncio.Event()

    async def take(patience: float) -> int:
        seen = await measurer.take([(wanted(), gate())], project="p", patience_seconds=patience, answered=poked.set)
        return len(seen)

    assert await take(0) == 0
    await asyncio.wait_for(poked.wait(), 10)
    assert await take(0) == 1
    assert metrics.registry.get_sample_value("firelift_measurement_seconds_count", {"outcome": "failed"}) == 1
    await silent.close()


async def test_a_question_that_is_no_longer_wanted_is_dropped(silent: CloudMonitoring) -> None:
    measurer = Measurer(silent, Metrics(), timeout_seconds=5)
    await measurer.take([(wanted(0), gate())], project="p", patience_seconds=5, answered=lambda: None)

    seen = await measurer.take([(wanted(1), gate())], project="p", patience_seconds=5, answered=lambda: None)

    assert [each.window.end for each in seen] == [NOON + timedelta(minutes=1)]
    measurer.close()
    await silent.close()


async def test_an_object_that_keeps_failing_waits_longer_and_keeps_its_problems(silent: CloudMonitoring) -> None:
    memory = ObjectMemory(Measurer(silent, Metrics(), timeout_seconds=1))
    waits = [memory.failed(f"problem {number}", 2.0) for number in range(8)]

    assert waits[0] == FIRST_BACKOFF_SECONDS
    assert waits == sorted(waits)
    assert waits[-1] == 2.0
    assert memory.problems == ("problem 5", "problem 6", "problem 7")
    memory.succeeded()
    assert not memory.problems
    assert memory.failed("again", 2.0) == FIRST_BACKOFF_SECONDS
