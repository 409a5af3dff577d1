"""Gates on the ledger over whole phases: what each speaks of, and that a soak with one ends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.rollout_specs import VERIFY, flags, gate, migrate, phase, soak
from tests.rollout_world import World, world

from firelift.api.approval import ApprovalDecision
from firelift.api.gates import GateSpec, LedgerMetric
from firelift.api.rollout import PhaseSpec, RolloutSpec
from firelift.api.run import RunKind, RunPlan, Totals
from firelift.rollout.ledger_gates import speaks
from firelift.rollout.observation import Rollout
from firelift.rollout.state import GateVerdict, Mode

README = Path(__file__).parents[2] / "README.md"
PHASE = PhaseSpec.model_validate(phase("p", flags(), migrate(10), soak(60), VERIFY, {**soak(60), "name": "second"}))


def on_ledger(metric: str, **changes: Any) -> dict[str, Any]:
    """A gate on the ledger that allows nothing, judged each minute."""
    return {
        **gate(metric.lower()),
        "cloudMonitoring": None,
        "ledger": {"metric": metric},
        "limit": {"max": "0"},
        **changes,
    }


def test_the_rollout_of_the_readme_completes() -> None:
    manifest = yaml.safe_load(README.read_text().split("```yaml\n")[1].split("```")[0])
    spec = RolloutSpec.model_validate(manifest["spec"])
    one = World(Rollout("productivity", manifest["metadata"]["name"], "uid-1", 1, spec))

    one.until("Completed", turns=1600, seconds=60)

    assert (one.now - one.state.started).days == 1 if one.state and one.state.started else False


@pytest.mark.parametrize(
    ("metric", "steps"),
    [
        ("deadLetters", {"migrate", "soak", "verify", "second"}),
        ("failureRatio", {"migrate", "soak", "verify", "second"}),
        ("mismatchRatio", {"verify", "second"}),
        ("commitLatencyP95", {"migrate", "verify"}),
    ],
)
def test_a_gate_on_the_ledger_speaks_from_the_step_on_that_makes_its_counts(metric: str, steps: set[str]) -> None:
    spec = GateSpec.model_validate(on_ledger(LedgerMetric(metric).value))

    assert {step.key for index, step in enumerate(PHASE.steps) if speaks(spec, PHASE, index)} == steps


def test_a_long_migrate_is_not_reverted_by_a_gate_that_waits_for_its_verify() -> None:
    waiting = on_ledger("mismatchRatio", onNoData={"action": "Revert", "afterSeconds": 300})
    one = world(phase("p", migrate(100), VERIFY), gates=[waiting])
    for _ in range(220):
        one.turn()
        one.work(0.01)
        one.pass_time(60)

    assert one.status is not None
    assert one.status.reason == "Completed"


def test_a_soak_is_ended_by_what_the_phase_has_left_behind() -> None:
    def two_dead(plan: RunPlan) -> Totals:
        return Totals(read=100, dead_letters=2 if plan.kind is RunKind.MIGRATE else 0)

    one = world(phase("p", migrate(100), soak(600)), gates=[on_ledger("deadLetters", onFailure="Pause")])
    one.totals = two_dead
    one.until("GateFailed", seconds=20)

    assert one.status is not None
    assert one.status.message.startswith("gate deadletters: 2 > 0 (1 of 1 samples), stopped here")


def test_what_a_skipped_step_has_done_still_counts() -> None:
    one = world(phase("p", migrate(100), soak(120)), gates=[on_ledger("deadLetters")], onFailure={"action": "Pause"})
    one.totals = lambda _plan: Totals(read=100)
    one.until("Migrating")
    run = next(iter(one.runs.values()))
    run.done, run.job_failed, run.failure = 50, True, "PERMISSION_DENIED"
    one.until("StepFailed")
    one.approve(ApprovalDecision.SKIP)
    one.until("Completed", seconds=20)

    assert one.state is not None
    assert one.state.phases[0].steps["migrate"].totals.read == 50


def test_three_failures_of_one_reading_are_one_failure() -> None:
    thrice = on_ledger("deadLetters", failAfter={"failures": 3, "of": 3})
    one = world(phase("p", migrate(100), soak(3600)), gates=[thrice])
    one.totals = lambda plan: Totals(read=100, dead_letters=int(plan.kind is RunKind.MIGRATE))
    one.until("Soaking", seconds=1)
    one.pass_time(600)
    one.turn()

    assert one.state is not None
    assert one.state.mode is Mode.FORWARD
    assert [seen.verdict for seen in one.state.gates[0].last].count(GateVerdict.FAIL) == 1
    modes = []
    for _ in range(2):
        one.pass_time(60)
        modes.append(one.turn().state.mode)
    assert modes == [Mode.FORWARD, Mode.REVERTING]


@pytest.mark.parametrize("metric", ["mismatchRatio", "commitLatencyP95"])
def test_a_soak_that_no_gate_can_judge_is_refused_before_its_phase_starts(metric: str) -> None:
    one = world(phase("p", migrate(100), soak(60)), gates=[on_ledger(metric)])
    one.until("InvalidSpec")

    assert one.status is not None
    assert f"step soak of phase p: none of its gates ({metric.lower()}) has anything to say there" in one.status.message
    assert not one.status.started_phases
