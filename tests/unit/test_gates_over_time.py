"""Gates over a step: what counts to failAfter, what absence leads to, and what a soak needs to end."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import pytest
from tests.rollout_rules import names
from tests.rollout_specs import gate, migrate, phase, soak
from tests.rollout_world import START, World, world

from firelift.api.approval import ApprovalDecision
from firelift.api.measurement import Measurement


def soaking(*gates: dict[str, Any], seconds: int = 600, **changes: Any) -> World:
    """A rollout that has just begun to soak, at a full minute."""
    one = world(phase("ten-percent", migrate(10), soak(seconds)), gates=list(gates or [gate()]), **changes)
    one.pass_time(20)
    one.until("Soaking", seconds=20)
    return one


def minutes(one: World, values: str) -> World:
    """One turn per minute under these answers: p(ass), f(ail), n(o data), N(aN), e(rror)."""
    answers = {"p": 0.0, "f": 0.0041, "n": None, "N": math.nan}
    for letter in values:
        one.pass_time(60)
        value = answers.get(letter)
        error = "UNAVAILABLE: no route" if letter == "e" else None
        one.measure = lambda _gate, end, value=value, error=error: Measurement(  # type: ignore[misc]
            value, 100, "1", "q", end, newest=end, error=error
        )
        one.turn()
    return one


def said(one: World) -> str:
    assert one.status is not None
    return one.status.reason


@pytest.mark.parametrize(
    ("fail_after", "values", "reason"),
    [
        ((1, 1), "pf", "Reverting"),
        ((3, 5), "pffp", "Soaking"),
        ((3, 5), "pffpf", "Reverting"),
        ((3, 5), "ffpppf", "Soaking"),
        ((3, 3), "ffeef", "Reverting"),
        ((3, 3), "ffnNf", "Reverting"),
        ((2, 2), "neNneN", "Soaking"),
        ((2, 2), "pppp", "Soaking"),
    ],
)
def test_only_failures_count_among_the_last_judged_samples(
    fail_after: tuple[int, int], values: str, reason: str
) -> None:
    failures, of = fail_after
    one = minutes(soaking(gate(failAfter={"failures": failures, "of": of})), values)
    assert one.status is not None
    assert one.status.reason == reason


def test_a_failed_gate_says_both_numbers_and_what_follows() -> None:
    one = minutes(soaking(gate(failAfter={"failures": 3, "of": 3})), "fff")
    assert one.state is not None
    assert one.state.failure is not None
    assert one.state.failure.message == ("gate error-rate: 0.41% > 0.1% (3 of 3 samples), reverting phase ten-percent")
    assert any(event.reason == "GateFailed" and event.warning for event in one.events)
    assert one.status is not None
    assert one.status.message.startswith(one.state.failure.message)
    assert [seen.verdict for seen in one.status.gates[0].last] == ["Fail", "Fail", "Fail"]


@pytest.mark.parametrize(
    ("gate_action", "spec_action", "reason"),
    [
        (None, "Revert", "Reverting"),
        (None, "Pause", "GateFailed"),
        ("Revert", "Pause", "Reverting"),
        ("Pause", "Revert", "GateFailed"),
        ("Notify", "Revert", "Soaking"),
    ],
)
def test_a_gates_policy_beats_the_specs(gate_action: str | None, spec_action: str, reason: str) -> None:
    spec = gate(**({"onFailure": gate_action} if gate_action else {}))
    one = minutes(soaking(spec, onFailure={"action": spec_action}), "f")
    assert one.status is not None
    assert one.status.reason == reason


def test_a_gate_that_only_notifies_says_so_once_for_each_time_that_it_begins_to_fail() -> None:
    one = minutes(soaking(gate(onFailure="Notify")), "ffpf")
    assert [event.reason for event in one.events].count("GateFailing") == 2


def test_of_two_failing_gates_the_one_that_reverts_wins() -> None:
    one = minutes(soaking(gate("a", onFailure="Pause"), gate("b", onFailure="Revert")), "f")
    assert one.status is not None
    assert one.status.reason == "Reverting"


@pytest.mark.parametrize(
    ("policy", "values", "reason"),
    [
        ({"onNoData": {"action": "Pause", "afterSeconds": 120}}, "pnn", "Soaking"),
        ({"onNoData": {"action": "Pause", "afterSeconds": 120}}, "pnnn", "GateWithoutVerdict"),
        ({"onNoData": {"action": "Revert", "afterSeconds": 60}}, "pnN", "Reverting"),
        ({"onNoData": {"action": "Revert", "afterSeconds": 60}}, "pee", "Soaking"),
        ({"onError": {"action": "Revert", "afterSeconds": 60}}, "pee", "Reverting"),
        ({"onError": {"action": "Pause", "afterSeconds": 60}}, "pepe", "Soaking"),
        ({}, "n" * 30, "WaitingForEvidence"),
    ],
)
def test_absence_has_its_own_policies(policy: dict[str, Any], values: str, reason: str) -> None:
    one = minutes(soaking(gate(**policy)), values)
    assert one.status is not None
    assert one.status.reason == reason


ABSENT = gate(onNoData={"action": "Revert", "afterSeconds": 600})


def test_time_in_which_the_rollout_was_suspended_does_not_lengthen_an_absence() -> None:
    one = minutes(soaking(ABSENT, seconds=6000), "pnnnnn")
    one.edit(suspend=True)
    one.turn()
    one.pass_time(3600)
    one.edit(suspend=False)
    one.turn()
    assert said(minutes(one, "nnn")) == "Soaking"
    assert said(minutes(one, "nnnnn")) == "Reverting"
    assert one.state is not None
    assert one.state.failure is not None
    assert "NoData for 600s" in one.state.failure.message


def test_an_absence_under_an_override_does_not_count_after_it() -> None:
    one = minutes(soaking(ABSENT, seconds=6000), "pnnnnnn")
    one.approve(ApprovalDecision.OVERRIDE, gate="error-rate", expires=one.now + timedelta(seconds=600))
    assert said(minutes(one, "nnnnnnnnnnnnnnn")) == "Soaking"
    assert said(minutes(one, "nnnnnnnn")) == "Reverting"


@pytest.mark.parametrize("letter", ["n", "N", "e"])
def test_an_outage_of_the_metrics_neither_advances_nor_reverts(letter: str) -> None:
    one = minutes(soaking(seconds=120), letter * 60)
    assert one.status is not None
    assert one.status.reason == "WaitingForEvidence"
    assert "has 0 of the 2 verdicts that the soak needs" in one.status.message
    minutes(one, "pp")
    assert one.status.reason == "Completed"


def test_missed_intervals_are_asked_for_when_the_operator_is_back() -> None:
    one = soaking(seconds=600)
    one.pass_time(1200)
    one.turn()
    assert one.status is not None
    assert one.status.reason == "Completed"


def test_a_soak_does_not_end_on_a_failure() -> None:
    one = minutes(soaking(gate(failAfter={"failures": 3, "of": 3}), seconds=120), "ppp")
    assert one.status is not None
    assert one.status.reason == "Completed"
    two = minutes(soaking(gate(failAfter={"failures": 3, "of": 3}), seconds=180), "ppf")
    assert two.status is not None
    assert two.status.reason == "WaitingForEvidence"
    assert "fails at the moment: 0.41% > 0.1%" in two.status.message


def test_a_soak_needs_its_time_and_nineteen_of_twenty_verdicts() -> None:
    one = soaking(seconds=20 * 60)
    minutes(one, "p" * 18 + "nn")
    assert one.status is not None
    assert one.status.reason in {"Soaking", "WaitingForEvidence"}
    minutes(one, "p")
    assert one.status.reason == "Completed"


def test_a_soak_without_evidence_ends_with_its_time() -> None:
    one = world(phase("p", migrate(10), soak(60, evidence="None")))
    one.until("Soaking")
    one.pass_time(60)
    assert names(one.turn()) == ["ReleaseLock"]
    assert one.status is not None
    assert one.status.reason == "Completed"


def test_an_override_silences_a_gate_until_it_expires_and_the_paused_rollout_goes_on() -> None:
    one = minutes(soaking(gate(onFailure="Pause")), "f")
    assert one.status is not None
    assert "approve Override of gate error-rate" in one.status.message
    one.approve(ApprovalDecision.OVERRIDE, gate="error-rate", expires=one.now + timedelta(seconds=150))
    one.turn()
    assert one.status.reason == "Soaking"
    minutes(one, "ff")
    assert one.status.reason == "Soaking"
    assert "silenced by an approval" in one.status.gates[0].message
    minutes(one, "p")
    assert one.status.reason == "Soaking"
    minutes(one, "f")
    assert one.status.reason == "GateFailed"


def test_gates_watch_every_step_of_their_phase() -> None:
    one = world(phase("p", {"approve": {}}), gates=[gate(onFailure="Pause")])
    one.until("AwaitingApproval")
    minutes(one, "ff")
    assert one.status is not None
    assert one.status.reason == "GateFailed"


def test_a_phases_gate_replaces_the_rollouts_of_the_same_name() -> None:
    own = gate(limit={"max": "50%"})
    one = world(phase("p", soak(600), gates=[own]), gates=[gate()])
    one.turn()
    minutes(one, "ff")
    assert one.status is not None
    assert one.status.gates[0].limit == "≤ 50%"
    assert one.status.reason == "Soaking"


def test_the_status_keeps_the_last_five_verdicts() -> None:
    one = minutes(soaking(gate(failAfter={"failures": 20, "of": 20})), "pppffff")
    assert one.status is not None
    assert [seen.verdict for seen in one.status.gates[0].last] == ["Pass", "Fail", "Fail", "Fail", "Fail"]
    assert one.status.gates_summary == "0/1 error-rate Fail"
    assert one.state is not None
    assert START < one.state.gates[0].cursor <= one.now
