"""What the series of every kind share: reasons, conditions, and times as Prometheus wants them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from prometheus_client.core import GaugeMetricFamily

from firelift.operator.telemetry.board import Told
from firelift.operator.wakeups import Key

OBJECT = ["namespace", "name"]


def by_reason(kind: str, told: Mapping[Key, Told]) -> GaugeMetricFamily:
    """How many objects say what."""
    family = GaugeMetricFamily(f"firelift_{kind}s", f"{kind.capitalize()}s by reason.", labels=["reason"])
    for reason, count in sorted(Counter(each.status.get("reason", "") for each in told.values()).items()):
        family.add_metric([reason], count)
    return family


def info(kind: str, told: Mapping[Key, Told], *fields: str) -> GaugeMetricFamily:
    """1 for each object, with these fields of its status."""
    text = f"1, with the {', '.join(fields)} of the {kind}."
    family = GaugeMetricFamily(f"firelift_{kind}_info", text, labels=[*OBJECT, *fields])
    for key, each in told.items():
        family.add_metric([*key, *(str(each.status.get(field, "")) for field in fields)], 1)
    return family


def condition_families(kind: str, told: Mapping[Key, Told]) -> tuple[GaugeMetricFamily, GaugeMetricFamily]:
    """1 for the status that each condition has, and since when."""
    held = GaugeMetricFamily(
        f"firelift_{kind}_condition",
        f"1 for the status of each condition of the {kind}.",
        labels=[*OBJECT, "type", "status"],
    )
    since = GaugeMetricFamily(
        f"firelift_{kind}_condition_timestamp_seconds",
        f"When each condition of the {kind} changed its status.",
        labels=[*OBJECT, "type"],
    )
    for key, each in told.items():
        for condition in each.status.get("conditions", ()):
            held.add_metric([*key, condition["type"], condition["status"]], 1)
            since.add_metric([*key, condition["type"]], seconds_of(condition["lastTransitionTime"]))
    return held, since


def seconds_of(moment: str) -> float:
    """Unix seconds of a time as Kubernetes writes it."""
    return datetime.fromisoformat(moment).timestamp()
