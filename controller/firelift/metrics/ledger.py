"""What the ledger itself says about a running step, as a measurement like any other."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from firelift.api.gates import LedgerMetric
from firelift.api.measurement import Measurement

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class LedgerReading:
    """Totals of a step's runs: counts of documents, and the latencies of its last Commits in milliseconds.

    `documents` were processed, of them `failures` did not get where they should be and `dead_letters` were set aside;
    `checked` were compared by verify, of them `mismatches` were wrong. `newest` is when the last entry was committed.
    """

    documents: int = 0
    failures: int = 0
    dead_letters: int = 0
    checked: int = 0
    mismatches: int = 0
    commit_latencies_ms: Sequence[float] = ()
    newest: datetime | None = None


def measure_ledger(reading: LedgerReading, metric: LedgerMetric, time: datetime) -> Measurement:
    """Compute one metric; nothing processed, compared or committed yet is no data.

    - failureRatio: failures / documents, unit ``1``, samples = documents
    - mismatchRatio: mismatches / checked, unit ``1``, samples = checked
    - deadLetters: dead letters, unit ``1``, samples = documents
    - commitLatencyP95: 95th percentile by nearest rank, unit ``ms``, samples = Commits
    """
    unit = "ms" if metric is LedgerMetric.COMMIT_LATENCY_P95 else "1"
    value, samples = _value(reading, metric)
    return Measurement(value if samples else None, samples, unit, f"ledger {metric}", time, reading.newest)


def _value(reading: LedgerReading, metric: LedgerMetric) -> tuple[float, int]:
    match metric:
        case LedgerMetric.FAILURE_RATIO:
            return reading.failures / max(reading.documents, 1), reading.documents
        case LedgerMetric.MISMATCH_RATIO:
            return reading.mismatches / max(reading.checked, 1), reading.checked
        case LedgerMetric.DEAD_LETTERS:
            return float(reading.dead_letters), reading.documents
        case LedgerMetric.COMMIT_LATENCY_P95:
            return _p95(reading.commit_latencies_ms), len(reading.commit_latencies_ms)
        case _:
            assert_never(metric)


def _p95(latencies: Sequence[float]) -> float:
    ordered = sorted(latencies)
    return ordered[math.ceil(len(ordered) * 0.95) - 1] if ordered else 0.0
