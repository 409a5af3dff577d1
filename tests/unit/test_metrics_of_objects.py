"""What Prometheus reads of rollouts and environments, from statuses that the machines themselves have told."""

from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from tests.environment_plans import spec_index
from tests.environment_world import world as ground
from tests.rollout_specs import gate, migrate, phase, soak
from tests.rollout_world import World, world

from firelift.api.run import Totals
from firelift.operator.ground.status import dump as dump_environment
from firelift.operator.status import dump
from firelift.operator.telemetry.board import Board
from firelift.operator.telemetry.metrics import Metrics
from firelift.operator.telemetry.requests import RequestCounter, resource_of
from firelift.operator.telemetry.rollouts import bounds, number, rollout_series
from firelift.operator.wakeups import Key

PAGE = (Path(__file__).resolve().parents[2] / "docs/metrics.md").read_text()
KEY = Key("team", "logs")
OWN = {"namespace": "team", "name": "logs"}
INDEX = spec_index("telemetry", "device", "-time")


def half_way() -> World:
    """A rollout whose second phase has moved half of its documents."""
    made = world(phase("one", migrate(1)), phase("all", migrate(100), soak(600)), gates=[gate()])
    made.measure = lambda _gate, _end: 0.0005
    made.totals = lambda _plan: Totals(read=100, created=97, dead_letters=3)
    status = made.until("Soaking")
    for _ in range(30):
        if status.gates[0].verdict != "Pending":
            break
        made.pass_time(15)
        status = made.until("Soaking")
    return made


def board_of(made: World) -> CollectorRegistry:
    """What the operator tells of it."""
    assert made.status is not None
    registry, board = CollectorRegistry(), Board(rollout_series)
    board.tell(KEY, dump(made.status))
    board.measure(KEY, 0.41, 1125.0)
    registry.register(board)
    return registry


def test_every_metric_is_documented_and_there_is_no_other() -> None:
    registry = Metrics().registry
    names = {f"{metric.name}_total" if metric.type == "counter" else metric.name for metric in registry.collect()}
    told = {line.split("`")[1] for line in PAGE.splitlines() if line.startswith("| `firelift_")}
    assert told == names


def test_a_rollout_tells_how_far_it_is_and_what_its_gates_measure() -> None:
    registry = board_of(half_way())

    def value(metric: str, **labels: str) -> float | None:
        return registry.get_sample_value(f"firelift_{metric}", labels)

    assert value("rollouts", reason="Soaking") == 1
    assert value("rollout_info", **OWN, reason="Soaking", phase="all", step="soak") == 1
    assert value("rollout_condition", **OWN, type="Reconciling", status="True") == 1
    assert value("rollout_progress_ratio", **OWN) == 0.41
    assert value("rollout_documents_per_second", **OWN) == 1125
    assert value("rollout_phase_documents", **OWN, phase="one", outcome="moved") == 97
    assert value("rollout_phase_documents", **OWN, phase="one", outcome="dead_letter") == 3
    began = value("rollout_phase_start_timestamp_seconds", **OWN, phase="all")
    ended = value("rollout_phase_finish_timestamp_seconds", **OWN, phase="one")
    assert began is not None
    assert ended is not None
    assert ended <= began
    assert value("rollout_phase_finish_timestamp_seconds", **OWN, phase="all") is None
    assert value("rollout_gate_verdict", **OWN, gate="error-rate", verdict="Pass") == 1
    assert value("rollout_gate_limit", **OWN, gate="error-rate", bound="max") == 0.001
    assert value("rollout_gate_value", **OWN, gate="error-rate") == 0.0005
    assert value("rollout_revertible_until_timestamp_seconds", **OWN) is None


def test_a_success_tells_until_when_it_can_be_taken_back() -> None:
    made = half_way()
    made.until("Completed")
    until = board_of(made).get_sample_value("firelift_rollout_revertible_until_timestamp_seconds", OWN)
    assert made.status is not None
    assert made.status.revertible_until is not None
    assert until == made.status.revertible_until.replace(microsecond=0).timestamp()


def test_what_is_gone_leaves_no_series() -> None:
    metrics = Metrics()
    metrics.rollouts.tell(KEY, {"reason": "Migrating"})
    metrics.rollouts.forget(KEY)
    metrics.rollouts.measure(KEY, 0.5, 1.0)
    assert b'name="logs"' not in generate_latest(metrics.registry)


def test_an_environment_tells_its_resources_and_its_drift() -> None:
    made = ground(terraform={"apply": "Auto"}, indexes={"composite": {"a": INDEX}})
    made.settle()
    made.pass_time(made.build_seconds)
    made.settle()
    assert made.status is not None
    metrics = Metrics()
    metrics.environments.tell(Key("team", "prod"), dump_environment(made.status))
    own = {"namespace": "team", "name": "prod"}

    def value(name: str, **labels: str) -> float | None:
        return metrics.registry.get_sample_value(f"firelift_environment{name}", own | labels)

    assert value("_info", reason=made.status.reason) == 1
    assert value("_condition", type="Ready", status="True") == 1
    assert value("_resources", kind="index", state="READY") == 1
    assert value("_drifted_resources") == 0
    assert value("_drift_timestamp_seconds") is None
    assert value("_failures") == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [("3.692%", 0.03692), ("250ms", 0.25), ("1,125", 1125), ("5MiB", 5 * 2**20), ("", None), ("NaN", None)],
)
def test_a_value_is_told_in_the_base_unit(text: str, expected: float | None) -> None:
    assert number(text) == expected


@pytest.mark.parametrize(
    ("limit", "expected"),
    [("≤ 0.1%", {"max": 0.001}), ("≥ 5 and ≤ 10", {"min": 5, "max": 10}), ("value < 10.0 and samples > 3", {})],
)
def test_a_limit_is_told_as_its_bounds(limit: str, expected: dict[str, float]) -> None:
    assert bounds(limit) == expected


@pytest.mark.parametrize(
    ("path", "resource"),
    [
        ("/api/v1/namespaces/team/configmaps/app-flags", "configmaps"),
        ("/apis/firelift.dev/v1alpha1/namespaces/team/migrationrollouts/logs/status", "migrationrollouts/status"),
        ("/apis/firelift.dev/v1alpha1/migrationrollouts", "migrationrollouts"),
        ("/api/v1/namespaces/kube-system", "namespaces"),
        ("/apis/coordination.k8s.io/v1/namespaces/team/leases", "leases"),
        ("/version", "other"),
    ],
)
def test_calls_are_counted_by_what_they_ask_for_and_never_by_a_name(path: str, resource: str) -> None:
    registry = CollectorRegistry()
    RequestCounter(registry)("GET", path, 200, 0.1)
    labels = {"method": "GET", "resource": resource, "status": "200"}
    assert registry.get_sample_value("firelift_kubernetes_request_seconds_count", labels) == 1
    assert resource_of(path) == resource


def test_the_text_is_what_prometheus_parses() -> None:
    text = generate_latest(board_of(half_way())).decode()
    assert {family.name for family in text_string_to_metric_families(text)} >= {"firelift_rollout_gate_value"}
