"""`spec.gates[]`: the evidence that a phase needs."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from firelift.api.base import Expression, Model, Name, ObjectName, Seconds
from firelift.api.rules import Rule, RuledModel, Rules
from firelift.api.tightened import PatternOfNew

Threshold = Annotated[str, Field(max_length=32, pattern=r"^-?[0-9]+(\.[0-9]+)?(%|ns|us|ms|s|m|h|B|KiB|MiB|GiB)?$")]
ARITHMETIC = r"^(?:[-+*/%<>=!&|?:()\[\],.0-9 \t\r\n]|[0-9][eEu]|value|samples|true|false|double|int|in)*$"
"""Numbers, comparisons and logic over two numbers. The operator evaluates it for everybody: text, lists that grow and
loops would let one rollout's condition take the memory and the time of all."""
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
    """A Monitoring filter, such as ``metric.type = "custom.googleapis.com/app/errors"``."""
    aligner: Annotated[str, Field(max_length=64, pattern=r"^ALIGN_[A-Z0-9_]+$")] | None = None
    """How the points of one series become one value for the window. Absent: by the metric's kind."""
    reducer: Annotated[str, Field(max_length=64, pattern=r"^REDUCE_[A-Z0-9_]+$")] | None = None
    """How many series become one."""
    group_by: Annotated[tuple[GroupBy, ...], Field(max_length=8)] = ()
    """Labels that a reducer keeps apart; what remains must be one series."""


class CloudMonitoringQuery(RuledModel):
    """Either `query`, or `numerator` over `denominator`."""

    project: Annotated[str, Field(max_length=63)] = ""
    """Where the metric is. Empty: the database's project."""
    query: SeriesQuery | None = None
    """The value."""
    numerator: SeriesQuery | None = None
    """What is counted, over the denominator."""
    denominator: SeriesQuery | None = None
    """Out of how many; its sum is the number of samples."""

    rules: ClassVar[Rules] = (
        Rule(
            "has(self.query) ? (!has(self.numerator) && !has(self.denominator))"
            " : (has(self.numerator) && has(self.denominator))",
            "a Cloud Monitoring measure must have either `query`, or `numerator` and `denominator`",
            lambda ask: (
                (ask.query is None, ask.numerator is None, ask.denominator is None)
                in {(False, True, True), (True, False, False)}
            ),
        ),
    )


class LedgerQuery(Model):
    """A measure of the running phase, taken from its journal."""

    metric: LedgerMetric


class EnvironmentFact(StrEnum):
    """What an environment says of the ground, by the condition of that name."""

    INDEXES_READY = "IndexesReady"
    TTL_ACTIVE = "TTLActive"
    DRIFTED = "Drifted"


class EnvironmentQuery(Model):
    """A condition of a `FirestoreEnvironment` in the rollout's namespace: 1 while it is True, 0 while it is False."""

    name: ObjectName
    """The environment's."""
    condition: EnvironmentFact
    """`IndexesReady` and `TTLActive` want `limit: {min: "1"}`, `Drifted` wants `limit: {max: "0"}`."""


class Limit(RuledModel):
    """`min`, `max` or both; or `condition`, CEL over `value` and `samples` that must be true."""

    min: Threshold | None = None
    """The value must be at least this: a number with an optional unit, such as ``99.5%`` or ``200ms``."""
    max: Threshold | None = None
    """The value must be at most this."""
    condition: Annotated[Expression, PatternOfNew(ARITHMETIC)] | None = None
    """CEL over `value` and `samples`: numbers, comparisons, logic, `double()`, `int()`; no text, macros or others."""

    rules: ClassVar[Rules] = (
        Rule(
            "has(self.condition) != (has(self.min) || has(self.max))",
            "a limit must have `min`, `max` or both, or `condition` alone",
            lambda limit: bool(limit.condition) != bool(limit.min or limit.max),
        ),
    )


class FailAfter(RuledModel):
    """How many of the last judged samples must fail before the gate has failed."""

    failures: Annotated[int, Field(ge=1, le=20)] = 1
    """So many of them."""
    of: Annotated[int, Field(ge=1, le=20)] = 1
    """The number of samples that are looked at."""

    rules: ClassVar[Rules] = (
        Rule(
            "self.failures <= self.of",
            "`failures` must be at most `of`: %d of %d samples can never fail",
            lambda after: after.failures <= after.of,
            inserts=("self.failures", "self.of"),
            values=lambda after: (after.failures, after.of),
        ),
    )


class AbsencePolicy(Model):
    """What happens when a gate has had no verdict for this long. Wait waits for ever, and says so."""

    action: AbsenceAction = AbsenceAction.WAIT
    after_seconds: Seconds = 900
    """For how long there must have been no verdict."""


class GateSpec(RuledModel):
    """One measured value and its limit. Exactly one of `cloud_monitoring`, `ledger` and `environment`."""

    name: Name
    """What status and messages call it; a phase's gate replaces the rollout's of the same name."""
    cloud_monitoring: CloudMonitoringQuery | None = None
    ledger: LedgerQuery | None = None
    environment: EnvironmentQuery | None = None
    limit: Limit
    interval_seconds: Annotated[int, Field(ge=1, le=86_400)] = 60
    """How often it is judged."""
    window_seconds: Annotated[int, Field(ge=1, le=86_400)] = 300
    """The span of time that each judgement looks at."""
    delay_seconds: Annotated[int, Field(ge=0, le=86_400)] = 120
    """How late the metric arrives: the window ends that far in the past; those of whole minutes up to 20 s further, so
    that not all rollouts ask at once."""
    freshness_seconds: Annotated[int, Field(ge=0, le=86_400)] = 0
    """The newest point must be at most this much older than the window's end; 0 accepts any point in the window."""
    min_samples: Annotated[int, Field(ge=1, le=1_000_000_000)] = 1
    """Fewer are no data."""
    fail_after: FailAfter = FailAfter()
    on_failure: GateAction | None = None
    """What its failure leads to. Absent: `spec.onFailure`."""
    on_no_data: AbsencePolicy = AbsencePolicy()
    """When there were too few samples, or the newest was too old."""
    on_error: AbsencePolicy = AbsencePolicy()
    """When the metric could not be asked, or its answer not be used."""

    rules: ClassVar[Rules] = (
        Rule(
            "[has(self.cloudMonitoring), has(self.ledger), has(self.environment)].filter(given, given).size() == 1",
            "a gate must have exactly one of `cloudMonitoring`, `ledger` and `environment`",
            lambda gate: [gate.cloud_monitoring, gate.ledger, gate.environment].count(None) == 2,  # noqa: PLR2004 - of three
        ),
    )
