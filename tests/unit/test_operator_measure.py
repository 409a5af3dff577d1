from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from firelift.api.gates import GateSpec, LedgerMetric, LedgerQuery
from firelift.api.measurement import Window
from firelift.api.run import RunKind, Totals
from firelift.metrics.cloud_monitoring import CloudMonitoring
from firelift.operator.measure import Measurer, kind_of, measure_runs
from firelift.operator.memory import FIRST_BACKOFF_SECONDS, ObjectMemory
from firelift.operator.telemetry import Metrics
from firelift.rollout.observation import MeasurementWanted, RunSeen

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
MIGRATE, VERIFY = "a1.one.migrate.logs.migrate.0", "a1.one.verify.logs.verify.0"
RUNS = {
    MIGRATE: RunSeen(MIGRATE, totals=Totals(read=100, dead_letters=2), commit_latencies_ms=(10, 20)),
    VERIFY: RunSeen(VERIFY, totals=Totals(read=50, missing=1, different=4), commit_latencies_ms=(30,)),
}


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
    measured = measure_runs(LedgerQuery(metric=metric), RUNS, NOON)

    assert (measured.value, measured.samples, measured.error) == (value, samples, None)


def test_runs_that_have_done_nothing_are_no_data() -> None:
    assert measure_runs(LedgerQuery(metric=LedgerMetric.FAILURE_RATIO), {}, NOON).value is None


def test_a_runs_kind_stands_in_its_name() -> None:
    assert (kind_of(MIGRATE), kind_of("a1.p.s.m.revert-verify.2")) == (RunKind.MIGRATE, RunKind.REVERT_VERIFY)


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
    assert metrics.registry.get_sample_value("firelift_measurement_seconds_count") == 1
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
