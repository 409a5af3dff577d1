"""A rehearsal that fails, wherever it is: what is said, and that each way out of it leads to where it says."""

from __future__ import annotations

import pytest
from tests.rollout_specs import gate
from tests.rollout_world import World
from tests.unit.test_rollout_rehearsal import AGAIN, MIGRATED, failing, rehearsing, totals

from firelift.api.approval import ApprovalDecision
from firelift.api.run import RunKind, RunPlan, Totals
from firelift.rollout.state import Mode, StepState

VERIFIED, VERIFIED_AGAIN = "a1.a.verify.logs.verify.0", "a1.a.verify.logs.verify.500"
REVERTED, CHECKED = "a1.a.migrate.logs.revert.0", "a1.a.migrate.logs.revert-verify.0"
STAGES = [MIGRATED, VERIFIED, REVERTED, CHECKED, AGAIN, VERIFIED_AGAIN]
BACK = {REVERTED, CHECKED}


def until_run(one: World, run: str) -> None:
    """Turns and work until this run is there."""
    for _ in range(100):
        one.turn()
        if run in one.runs:
            return
        one.work()
        one.pass_time(5)
    raise AssertionError(f"{run} never came, but {one.order}")


def standing(one: World) -> set[str]:
    """The forward runs whose documents no revert has walked since."""
    forward = {run for run, each in one.runs.items() if each.plan.kind in {RunKind.MIGRATE, RunKind.SWEEP}}
    walked = {
        run
        for each in one.runs.values()
        if each.plan.kind is RunKind.REVERT and each.complete
        for run in each.plan.subjects
    }
    return forward - walked


def mend(one: World) -> None:
    for each in one.runs.values():
        each.job_failed, each.failure = False, ""


@pytest.mark.parametrize("run", STAGES)
def test_it_pauses_with_a_sentence_and_another_attempt_goes_on(run: str) -> None:
    one = rehearsing(onFailure={"action": "Pause"})
    failing(one, run)
    message = one.until("StepFailed").message
    assert "PERMISSION_DENIED" in message
    assert ("rehearsal: " in message) is (run in BACK or run in {MIGRATED, VERIFIED})
    assert (
        "stopped here; raise spec.attempt to try the step again, approve Skip of the step, or set spec.intent: Revert"
        in (message)
    )
    one.edit(attempt=2)
    one.until("Soaking")
    followed = {one.runs[each].plan.follows for each in standing(one)}
    assert len(standing(one) - followed) == 1, "one run has moved what stands, from where another had stopped"
    assert one.state is not None
    assert one.state.phases[0].steps["verify"].state is StepState.DONE
    one.edit(intent="Revert")
    one.until("Reverted")
    assert standing(one) == set()


@pytest.mark.parametrize("run", STAGES)
def test_a_person_reverts_what_stands_of_it(run: str) -> None:
    one = rehearsing(onFailure={"action": "Pause"})
    failing(one, run)
    one.until("StepFailed")
    mend(one)
    one.edit(intent="Revert")
    one.until("Reverted")
    assert standing(one) == set()


@pytest.mark.parametrize("run", STAGES)
def test_a_failure_reverts_it_by_itself_and_only_a_failing_revert_asks_for_a_person(run: str) -> None:
    one = rehearsing()
    failing(one, run)
    if run in BACK:
        message = one.until("RevertFailed").message
        assert "PERMISSION_DENIED" in message
        assert "then raise spec.attempt to go on reverting, or approve Skip to keep this step as it is" in message
        mend(one)
        one.edit(attempt=2)
    one.until("Reverted")
    assert standing(one) == set()


@pytest.mark.parametrize("run", STAGES)
def test_a_gate_that_fails_meanwhile_takes_back_what_stands(run: str) -> None:
    one = rehearsing(gates=[gate(failAfter={"failures": 1, "of": 1})])
    until_run(one, run)
    one.measure = lambda _gate, _end: 1.0
    for _ in range(40):
        one.turn()
        if one.state is not None and one.state.mode is not Mode.FORWARD:
            break
        one.pass_time(30)
    assert one.state is not None
    assert any("gate error-rate" in entry.message for entry in one.state.history)
    one.until("Reverted")
    assert standing(one) == set()


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        (
            RunKind.VERIFY,
            "verify: 1% > 0% mismatch (1 of 100 documents: 0 missing, 0 extra, 1 different), stopped here",
        ),
        (RunKind.REVERT_VERIFY, "rehearsal: after the revert of step migrate of phase a 1 of 100 documents"),
    ],
)
def test_documents_that_are_not_as_they_should_be_are_told_with_both_numbers(kind: RunKind, sentence: str) -> None:
    def found(plan: RunPlan) -> Totals:
        return totals(plan).plus(Totals(different=int(plan.kind is kind)))

    one = rehearsing(onFailure={"action": "Pause"})
    one.totals = found
    assert sentence in one.until("StepFailed").message
    one.approve(ApprovalDecision.SKIP)
    one.totals = totals
    one.until("Soaking")
    one.edit(intent="Revert")
    one.until("Reverted")
    assert standing(one) == set()
