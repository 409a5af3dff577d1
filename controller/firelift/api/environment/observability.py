"""`spec.observability`: what rings when the database suffers, and where."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import Field

from firelift.api.base import Model, Percentage
from firelift.api.environment.secrets import SecretVersion
from firelift.api.environment.vocabulary import Key
from firelift.api.lists import AS_SET
from firelift.api.references import KeyRef
from firelift.api.rules import Rule, RuledModel, Rules

LabelName = Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[a-z][a-z0-9_]*$")]
Channels = Annotated[tuple[Key, ...], Field(max_length=16), AS_SET]
Count = Annotated[int, Field(ge=0, le=1_000_000_000_000_000)]
Latency = Annotated[str, Field(max_length=16, pattern=r"^[0-9]+(\.[0-9]+)?(ms|s)$")]
WindowSeconds = Annotated[int, Field(ge=60, le=86_400, multiple_of=60)]
_SECRET_LABELS = ("auth_token", "password", "service_key")


class Severity(StrEnum):
    """How urgent an alert is."""

    CRITICAL = "CRITICAL"
    ERROR = "ERROR"
    WARNING = "WARNING"


class ChannelSpec(RuledModel):
    """Somebody who is told."""

    type: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[a-z][a-z0-9_]*$")]
    """Of Cloud Monitoring, such as `email`, `slack`, `pagerduty` or `webhook_tokenauth`."""
    labels: Annotated[dict[LabelName, Annotated[str, Field(max_length=512)]], Field(max_length=16)] = {}
    """What the type asks for, such as `"email_address"`."""
    secret_labels: Annotated[dict[LabelName, KeyRef], Field(max_length=3)] = {}
    """`"auth_token"`, `password` or `"service_key"`, each from a key of a Secret in the environment's namespace."""
    secret_version: SecretVersion = 1
    """Raise it to have changed secret labels written."""

    rules: ClassVar[Rules] = (
        Rule(
            "self.secretLabels.all(k, k in ['auth_token', 'password', 'service_key'])",
            "`secretLabels` must be of `auth_token`, `password` and `service_key`; all others are `labels`",
            lambda channel: set(channel.secret_labels) <= set(_SECRET_LABELS),
            field=".secretLabels",
        ),
        Rule(
            "self.labels.all(k, !(k in ['auth_token', 'password', 'service_key']))",
            "`auth_token`, `password` and `service_key` must be in `secretLabels`, where no plan shows them",
            lambda channel: not set(channel.labels) & set(_SECRET_LABELS),
            field=".labels",
        ),
    )


class CountAlert(Model):
    """A number in a day, or of bytes, that must not be passed."""

    above: Count
    """It rings above this."""
    channels: Channels = ()
    """Keys of `channels`."""
    severity: Severity = Severity.WARNING


class RatioAlert(Model):
    """A share of all requests that must not be passed."""

    above: Percentage
    """It rings above this, such as ``2%``."""
    window_seconds: WindowSeconds = 300
    """For how long it must have been so."""
    channels: Channels = ()
    """Keys of `channels`."""
    severity: Severity = Severity.WARNING


class LatencyAlert(Model):
    """A latency that must not be passed."""

    above: Latency
    """It rings above this, such as ``300ms``."""
    window_seconds: WindowSeconds = 900
    """For how long it must have been so."""
    channels: Channels = ()
    """Keys of `channels`."""
    severity: Severity = Severity.WARNING


class AvailabilityAlert(Model):
    """A share of requests that must be answered."""

    below: Percentage
    """It rings below this, such as ``99.5%``."""
    window_seconds: WindowSeconds = 3600
    """For how long it must have been so."""
    channels: Channels = ()
    """Keys of `channels`."""
    severity: Severity = Severity.CRITICAL


class AlertsSpec(Model):
    """The alerts that Firelift knows how to ask for. Absent: not watched."""

    reads_per_day: CountAlert | None = None
    """Documents read in a day."""
    writes_per_day: CountAlert | None = None
    """Documents written in a day."""
    storage_bytes: CountAlert | None = None
    """What is stored, indexes included."""
    error_ratio: RatioAlert | None = None
    """Requests that failed, of all."""
    latency_p50: LatencyAlert | None = None
    """The median request."""
    latency_p95: LatencyAlert | None = None
    """The slowest twentieth."""
    availability: AvailabilityAlert | None = None
    """Requests that the service answered, of all."""

    @classmethod
    def names(cls) -> list[str]:
        """Of all alerts, as a manifest has them."""
        return [field.alias or name for name, field in cls.model_fields.items()]

    @property
    def declared(self) -> dict[str, CountAlert | RatioAlert | LatencyAlert | AvailabilityAlert]:
        """Those that are set, by the name that a manifest gives them."""
        found = {field.alias or name: getattr(self, name) for name, field in type(self).model_fields.items()}
        return {name: alert for name, alert in found.items() if alert is not None}


class LogMetric(Model):
    """A count of log entries, under `logging.googleapis.com/user/<key>`, for gates and alerts of your own."""

    filter: Annotated[str, Field(min_length=1, max_length=2048)]
    """In the logging query language."""


def _tells_known_channels(name: str) -> Rule:
    def holds(spec: Any) -> bool:
        alert = spec.alerts.declared.get(name)
        return alert is None or set(alert.channels) <= set(spec.channels)

    return Rule(
        f"!has(self.alerts.{name}) || self.alerts.{name}.channels.all(c, c in self.channels)",
        f"`channels` of the alert {name} must be keys of `observability.channels`",
        holds,
        field=f".alerts.{name}",
    )


class ObservabilitySpec(RuledModel):
    """Channels, alerts, counts of log entries and a dashboard."""

    channels: Annotated[dict[Key, ChannelSpec], Field(max_length=16)] = {}
    """Who is told."""
    alerts: AlertsSpec = AlertsSpec()
    log_metrics: Annotated[dict[Key, LogMetric], Field(max_length=32)] = {}
    """Counts of log entries."""
    dashboard: bool = False
    """One dashboard with all of the above."""

    rules: ClassVar[Rules] = tuple(_tells_known_channels(name) for name in AlertsSpec.names())
