"""What the API server refuses of an environment, the models refuse too, in the same words."""

import pytest
from pydantic import ValidationError
from tests.manifests import approval, environment
from tests.wrong_environments import WRONG_ENVIRONMENT_APPROVALS, WRONG_ENVIRONMENTS
from tests.wrong_manifests import Wrong

from firelift.api.approval import ApprovalSpec
from firelift.api.environment.spec import EnvironmentSpec


@pytest.mark.parametrize("wrong", WRONG_ENVIRONMENTS)
def test_a_wrong_environment_is_refused_offline_with_its_sentence(wrong: Wrong) -> None:
    with pytest.raises(ValidationError) as refused:
        EnvironmentSpec.model_validate(environment(*wrong.edits)["spec"])
    assert (wrong.offline or wrong.sentence) in str(refused.value)


@pytest.mark.parametrize("wrong", WRONG_ENVIRONMENT_APPROVALS)
def test_a_wrong_approval_of_an_environment_is_refused_offline_with_its_sentence(wrong: Wrong) -> None:
    with pytest.raises(ValidationError) as refused:
        ApprovalSpec.model_validate(approval(*wrong.edits)["spec"])
    assert (wrong.offline or wrong.sentence) in str(refused.value)


def test_the_right_environment_is_accepted_offline() -> None:
    spec = EnvironmentSpec.model_validate(environment()["spec"])
    assert list(spec.observability.alerts.declared) == ["readsPerDay", "errorRatio", "latencyP95", "availability"]
