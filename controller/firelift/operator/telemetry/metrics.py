"""All that Prometheus is told by this process. Only the leader has anything to say of objects."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from firelift.operator.telemetry.board import Board, Listener, nobody
from firelift.operator.telemetry.environments import environment_series
from firelift.operator.telemetry.requests import RequestCounter
from firelift.operator.telemetry.rollouts import rollout_series

_RUN_BUCKETS = (1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)
"""Seconds: Terraform plans in seconds, and may build an index for an hour."""


class Metrics:
    """Labels are what the API bounds: outcomes, reasons, and the names of objects, phases and gates that are there."""

    def __init__(self, rollouts: Listener = nobody, environments: Listener = nobody) -> None:
        self.registry = registry = CollectorRegistry()
        self.rollouts = Board(rollout_series, rollouts)
        self.environments = Board(environment_series, environments)
        registry.register(self.rollouts)
        registry.register(self.environments)
        self.requests = RequestCounter(registry)
        self.turns = Counter(
            "firelift_turns_total", "Turns by kind and outcome.", ["kind", "outcome"], registry=registry
        )
        self.turn_seconds = Histogram("firelift_turn_seconds", "Duration of turns.", ["kind"], registry=registry)
        self.measurements = Histogram(
            "firelift_measurement_seconds", "Duration of questions to metric providers.", ["outcome"], registry=registry
        )
        self.intents = Counter(
            "firelift_intents_total",
            "What was done for rollouts, by kind and outcome.",
            ["kind", "outcome"],
            registry=registry,
        )
        self.terraform = Histogram(
            "firelift_terraform_run_seconds",
            "Duration of Terraform's runs by kind and outcome.",
            ["kind", "outcome"],
            buckets=_RUN_BUCKETS,
            registry=registry,
        )
        self.tasks = Gauge("firelift_tasks", "Tasks of each event loop of this process.", ["loop"], registry=registry)
        self.leader = Gauge("firelift_leader", "1 while this process leads.", registry=registry)
