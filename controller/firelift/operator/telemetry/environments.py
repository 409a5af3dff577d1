"""The series of environments, derived from what their statuses say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from firelift.operator.telemetry.board import Told
from firelift.operator.telemetry.families import OBJECT, by_reason, condition_families, info, seconds_of
from firelift.operator.wakeups import Key


def environment_series(told: Mapping[Key, Told]) -> Iterable[Metric]:
    """Everything about environments."""
    yield by_reason("environment", told)
    yield info("environment", told, "reason")
    yield from condition_families("environment", told)
    yield _resources(told)
    yield from _drift(told)
    yield _failures(told)


def _resources(told: Mapping[Key, Told]) -> GaugeMetricFamily:
    text = "Indexes and TTLs by the state that Firestore tells."
    family = GaugeMetricFamily("firelift_environment_resources", text, labels=[*OBJECT, "kind", "state"])
    for key, each in told.items():
        for kind, field in (("index", "indexes"), ("ttl", "ttls")):
            for state, count in sorted(Counter(one["state"] for one in each.status.get(field, ())).items()):
                family.add_metric([*key, kind, state], count)
    return family


def _drift(told: Mapping[Key, Told]) -> Iterable[GaugeMetricFamily]:
    drifted = GaugeMetricFamily(
        "firelift_environment_drifted_resources", "Resources that are not as they were applied.", labels=OBJECT
    )
    oldest = GaugeMetricFamily(
        "firelift_environment_drift_timestamp_seconds", "When the oldest of them was first seen.", labels=OBJECT
    )
    for key, each in told.items():
        if (drift := each.status.get("drift")) is None:
            continue
        changes = drift.get("changes", ())
        drifted.add_metric(key, len(changes))
        if times := [change["since"] for change in changes if "since" in change]:
            oldest.add_metric(key, seconds_of(min(times)))
    return drifted, oldest


def _failures(told: Mapping[Key, Told]) -> GaugeMetricFamily:
    text = "Failures in a row of Terraform's last kind of run; 0 when the last one went well."
    family = GaugeMetricFamily("firelift_environment_failures", text, labels=OBJECT)
    for key, each in told.items():
        family.add_metric(key, each.status.get("failure", {}).get("count", 0))
    return family
