"""What the API server refuses, the models refuse too, in the same words."""

import pytest
from pydantic import ValidationError
from tests.manifests import approval, rollout
from tests.wrong_manifests import WRONG_APPROVALS, WRONG_ROLLOUTS, Wrong

from firelift.api.approval import ApprovalSpec
from firelift.api.rollout import RolloutSpec
from firelift.api.tightened import AS_NEW


@pytest.mark.parametrize("wrong", WRONG_ROLLOUTS)
def test_a_wrong_rollout_is_refused_offline_with_its_sentence(wrong: Wrong) -> None:
    with pytest.raises(ValidationError) as refused:
        RolloutSpec.model_validate(rollout(*wrong.edits)["spec"], context=AS_NEW)
    assert (wrong.offline or wrong.sentence) in str(refused.value)


@pytest.mark.parametrize("wrong", WRONG_APPROVALS)
def test_a_wrong_approval_is_refused_offline_with_its_sentence(wrong: Wrong) -> None:
    with pytest.raises(ValidationError) as refused:
        ApprovalSpec.model_validate(approval(*wrong.edits)["spec"], context=AS_NEW)
    assert (wrong.offline or wrong.sentence) in str(refused.value)


def test_the_right_manifests_are_accepted_offline() -> None:
    assert [phase.name for phase in RolloutSpec.model_validate(rollout()["spec"]).phases] == ["one-percent", "everyone"]
    assert ApprovalSpec.model_validate(approval()["spec"]).target.name == "right"
