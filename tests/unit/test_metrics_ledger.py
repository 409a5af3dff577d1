"""What the ledger's totals say as metrics."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from firelift.api.gates import LedgerMetric
from firelift.metrics.ledger import LedgerReading, measure_ledger

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
READING = LedgerReading(
    documents=200,
    failures=1,
    dead_letters=3,
    checked=50,
    mismatches=2,
    commit_latencies_ms=tuple(range(100, 0, -1)),
    newest=NOW,
)


@pytest.mark.parametrize(
    ("metric", "value", "samples", "unit"),
    [
        (LedgerMetric.FAILURE_RATIO, 0.005, 200, "1"),
        (LedgerMetric.MISMATCH_RATIO, 0.04, 50, "1"),
        (LedgerMetric.DEAD_LETTERS, 3.0, 200, "1"),
        (LedgerMetric.COMMIT_LATENCY_P95, 95.0, 100, "ms"),
    ],
)
def test_each_metric_has_its_value_samples_and_unit(
    metric: LedgerMetric, value: float, samples: int, unit: str
) -> None:
    measured = measure_ledger(READING, metric, NOW)

    assert (measured.value, measured.samples, measured.unit) == (value, samples, unit)
    assert (measured.query, measured.time, measured.newest) == (f"ledger {metric}", NOW, NOW)


@pytest.mark.parametrize("metric", LedgerMetric)
def test_a_ledger_that_has_seen_nothing_has_no_data(metric: LedgerMetric) -> None:
    measured = measure_ledger(LedgerReading(), metric, NOW)

    assert (measured.value, measured.samples, measured.newest, measured.error) == (None, 0, None, None)


def test_dead_letters_are_zero_once_documents_were_processed() -> None:
    measured = measure_ledger(LedgerReading(documents=1), LedgerMetric.DEAD_LETTERS, NOW)

    assert (measured.value, measured.samples) == (0.0, 1)


def test_one_commit_is_its_own_percentile() -> None:
    measured = measure_ledger(LedgerReading(commit_latencies_ms=(12.5,)), LedgerMetric.COMMIT_LATENCY_P95, NOW)

    assert (measured.value, measured.samples) == (12.5, 1)
