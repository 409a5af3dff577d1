"""The series of rollouts, derived from what their statuses say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from firelift.api.quantity import parse
from firelift.kube.client import Json
from firelift.operator.telemetry.board import Told
from firelift.operator.telemetry.families import OBJECT, by_reason, condition_families, info, seconds_of
from firelift.operator.wakeups import Key

_DOCUMENTS = {"moved": "documents", "dead_letter": "deadLetters", "conflict": "conflicts"}
"""Outcomes, and the fields of a phase that count them."""


def rollout_series(told: Mapping[Key, Told]) -> Iterable[Metric]:
    """Everything about rollouts."""
    yield by_reason("rollout", told)
    yield info("rollout", told, "reason", "phase", "step")
    yield from condition_families("rollout", told)
    yield _progress(told)
    yield _rates(told)
    yield _way_back(told)
    yield from _phases(told)
    yield from _gates(told)


def _progress(told: Mapping[Key, Told]) -> GaugeMetricFamily:
    text = "Share of the work of the step at hand, from 0 to 1; absent while it is not known."
    family = GaugeMetricFamily("firelift_rollout_progress_ratio", text, labels=OBJECT)
    for key, each in told.items():
        if each.progress is not None:
            family.add_metric(key, each.progress)
    return family


def _rates(told: Mapping[Key, Told]) -> GaugeMetricFamily:
    family = GaugeMetricFamily("firelift_rollout_documents_per_second", "Rate of the step at hand.", labels=OBJECT)
    for key, each in told.items():
        family.add_metric(key, each.rate)
    return family


def _way_back(told: Mapping[Key, Told]) -> GaugeMetricFamily:
    text = "Until when a rollout that has succeeded can be taken back."
    family = GaugeMetricFamily("firelift_rollout_revertible_until_timestamp_seconds", text, labels=OBJECT)
    for key, each in told.items():
        if until := each.status.get("revertibleUntil"):
            family.add_metric(key, seconds_of(until))
    return family


def _phases(told: Mapping[Key, Told]) -> Iterable[GaugeMetricFamily]:
    documents = GaugeMetricFamily(
        "firelift_rollout_phase_documents", "Documents of a phase by outcome.", labels=[*OBJECT, "phase", "outcome"]
    )
    times = {
        field: GaugeMetricFamily(
            f"firelift_rollout_phase_{word}_timestamp_seconds", f"When a phase {verb}.", labels=[*OBJECT, "phase"]
        )
        for field, word, verb in (("startTime", "start", "began"), ("finishTime", "finish", "ended"))
    }
    for key, phase in _each(told, "phases"):
        for outcome, field in _DOCUMENTS.items():
            documents.add_metric([*key, phase["name"], outcome], phase.get(field, 0))
        for field, family in times.items():
            if field in phase:
                family.add_metric([*key, phase["name"]], seconds_of(phase[field]))
    return documents, *times.values()


def _gates(told: Mapping[Key, Told]) -> Iterable[GaugeMetricFamily]:
    labels = [*OBJECT, "gate"]
    verdicts = GaugeMetricFamily(
        "firelift_rollout_gate_verdict", "1 for the last verdict of a gate.", labels=[*labels, "verdict"]
    )
    values = GaugeMetricFamily(
        "firelift_rollout_gate_value", "What a gate measured last, in seconds, bytes or shares of 1.", labels=labels
    )
    samples = GaugeMetricFamily("firelift_rollout_gate_samples", "How many points that rests on.", labels=labels)
    limits = GaugeMetricFamily(
        "firelift_rollout_gate_limit", "What it is compared with, in the same unit.", labels=[*labels, "bound"]
    )
    for key, gate in _each(told, "gates"):
        own = [*key, gate["name"]]
        verdicts.add_metric([*own, gate["verdict"]], 1)
        samples.add_metric(own, gate.get("samples", 0))
        if (value := number(gate.get("value", ""))) is not None:
            values.add_metric(own, value)
        for bound, limit in bounds(gate.get("limit", "")).items():
            limits.add_metric([*own, bound], limit)
    return verdicts, values, samples, limits


def number(text: str) -> float | None:
    """A value as a status has it, such as ``3.692%`` or ``250ms``, in the base unit; None when it is none."""
    try:
        return float(parse(text.replace(",", "")).base)
    except ValueError:
        return None


def bounds(limit: str) -> dict[str, float]:
    """The numbers of a limit such as ``≥ 5 and ≤ 10``; empty for a condition in CEL."""
    found = {}
    for part in limit.split(" and "):
        sign, _, text = part.partition(" ")
        if (bound := {"≤": "max", "≥": "min"}.get(sign)) and (value := number(text)) is not None:
            found[bound] = value
    return found


def _each(told: Mapping[Key, Told], field: str) -> Iterable[tuple[Key, Json]]:
    return ((key, entry) for key, each in told.items() for entry in each.status.get(field, ()))
