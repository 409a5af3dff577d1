"""A gate's condition of before its pattern: what is stored with it is read, judged with a sentence, and taken back."""

from __future__ import annotations

import pytest
from pydantic import ValidationError
from tests.manifests import rollout
from tests.rollout_specs import gate, migrate, phase, soak
from tests.rollout_world import World, world

from firelift.api.rollout import RolloutSpec
from firelift.api.tightened import AS_NEW
from firelift.kube import rollouts
from firelift.migration.ledger.root import Root
from firelift.operator import ledger
from firelift.rollout.state import RolloutState, StepState

OLD = [
    "value < 0.01 // agreed with the app's owners",
    "math.abs(value) < 0.01",
    "[value].all(each, each < 0.01)",
    "uint(samples) > 0x10u",
    "dyn(value) < 0.01",
    "value < 1.0 || ['a'].map(a, a + a)[0] == 'aa'",
]
UID = {"namespace": "shop", "uid": "uid-1", "generation": 3, "resourceVersion": "7"}


def remembered(text: str) -> RolloutState:
    """As the operator reads a ledger's memory."""
    state = ledger._state(Root(None, "", text, 1))  # noqa: SLF001 - what reads every ledger, without a database
    assert state is not None
    return state


def begun_before(condition: str) -> World:
    """A rollout that soaks, whose gate has had this condition since before."""
    text = "value < 0.01"
    one = world(phase("ten-percent", migrate(10), soak(600)), gates=[gate(limit={"condition": text})])
    one.until("Soaking")
    assert one.state is not None
    kept = one.state.model_dump_json(by_alias=True)
    one.state = remembered(kept.replace(f'"{text}"', f'"{condition}"'))
    one.edit(gates=[gate(limit={"condition": condition})])
    return one


@pytest.mark.parametrize("condition", OLD)
def test_a_stored_rollout_is_read_with_the_condition_that_it_was_let_in_with(condition: str) -> None:
    document = rollout(("spec.gates.0.limit", {"condition": condition}))
    seen = rollouts.parse({**document, "metadata": {**document["metadata"], **UID}})
    assert seen.invalid == ""
    assert seen.value is not None
    assert seen.value.spec.gates[0].limit.condition == condition
    with pytest.raises(ValidationError, match="should match pattern"):
        RolloutSpec.model_validate(document["spec"], context=AS_NEW)


@pytest.mark.parametrize("condition", OLD)
def test_a_phase_under_way_goes_on_with_it_in_its_ledger_and_its_gate_answers_an_error(condition: str) -> None:
    one = begun_before(condition)
    assert one.state is not None
    assert [each.limit.condition for each in one.state.phases[0].gates] == [condition]
    one.pass_time(120)
    one.turn()
    assert one.status is not None
    assert one.status.gates[0].verdict == "Error"
    assert "is more than numbers, comparisons and logic" in one.status.gates[0].message


def test_it_keeps_the_rollout_neither_from_its_revert_nor_from_its_deletion() -> None:
    one = begun_before(OLD[0])
    one.edit(intent="Revert")
    assert one.until("Reverted").reason == "Reverted"
    gone = begun_before(OLD[0])
    gone.edit(deletionPolicy="Revert")
    gone.delete()
    for _ in range(50):
        gone.turn()
        gone.work()
        gone.pass_time(5)
    assert not gone.finalizer
    assert gone.state is not None
    assert gone.state.phases[0].steps["migrate"].state is StepState.UNDONE
