"""`spec.gates[]`: the evidence that a phase needs."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from firelift.api.base import Expression, Model, Name, Seconds

Threshold = Annotated[str, Field(max_length=32, pattern=r"^-?[0-9]+(\.[0-9]+)?(%|ns|us|ms|s|m|h|B|KiB|MiB|GiB)?$")]
GroupBy = Annotated[str, Field(min_length=1, max_length=253)]


class GateAction(StrEnum):
    """What a gate that failed leads to."""

    REVERT = "Revert"
    PAUSE = "Pause"
    NOTIFY = "Notify"


class AbsenceAction(StrEnum):
    """What a gate that cannot be judged leads to."""

    WAIT = "Wait"
    PAUSE = "Pause"
    REVERT = "Revert"


class LedgerMetric(StrEnum):
    """What the ledger itself can say about a running step."""

    FAILURE_RATIO = "failureRatio"
    MISMATCH_RATIO = "mismatchRatio"
    DEAD_LETTERS = "deadLetters"
    COMMIT_LATENCY_P95 = "commitLatencyP95"


class SeriesQuery(Model):
    """A Cloud Monitoring time series query that one series answers after reduction."""

    filter: Annotated[str, Field(min_length=1, max_length=2048)]
    aligner: Annotated[str, Field(max_length=64, pattern=r"^ALIGN_[A-Z0-9_]+$")] | None = None
    reducer: Annotated[str, Field(max_length=64, pattern=r"^REDUCE_[A-Z0-9_]+$")] | None = None
    group_by: Annotated[tuple[GroupBy, ...], Field(max_length=8)] = ()


class CloudMonitoringQuery(Model):
    """Exactly one of `query`, or `numerator` over `denominator`. `project` defaults to the database's."""

    project: Annotated[str, Field(max_length=63)] = ""
    query: SeriesQuery | None = None
    numerator: SeriesQuery | None = None
    denominator: SeriesQuery | None = None


class LedgerQuery(Model):
    """A measure of the running phase, taken from its journal."""

    metric: LedgerMetric


class Limit(Model):
    """`min`, `max` or both; or `condition`, CEL over `value` and `samples` that must be true."""

    min: Threshold | None = None
    max: Threshold | None = None
    condition: Expression | None = None


class FailAfter(Model):
    """How many of the last judged samples must fail before the gate has failed."""

    failures: Annotated[int, Field(ge=1, le=20)] = 1
    of: Annotated[int, Field(ge=1, le=20)] = 1


class AbsencePolicy(Model):
    """What happens when a gate has had no verdict for this long. Wait waits for ever, and says so."""

    action: AbsenceAction = AbsenceAction.WAIT
    after_seconds: Seconds = 900


class GateSpec(Model):
    """One measured value and its limit. Exactly one of `cloud_monitoring` and `ledger`."""

    name: Name
    cloud_monitoring: CloudMonitoringQuery | None = None
    ledger: LedgerQuery | None = None
    limit: Limit
    interval_seconds: Annotated[int, Field(ge=1, le=86_400)] = 60
    window_seconds: Annotated[int, Field(ge=1, le=86_400)] = 300
    delay_seconds: Annotated[int, Field(ge=0, le=86_400)] = 120
    freshness_seconds: Annotated[int, Field(ge=0, le=86_400)] = 0
    """The newest point must be at most this much older than the window's end; 0 accepts any point in the window."""
    min_samples: Annotated[int, Field(ge=1, le=1_000_000_000)] = 1
    fail_after: FailAfter = FailAfter()
    on_failure: GateAction | None = None
    """None follows `spec.onFailure`."""
    on_no_data: AbsencePolicy = AbsencePolicy()
    on_error: AbsencePolicy = AbsencePolicy()
