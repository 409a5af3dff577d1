"""`MigrationRollout` objects."""

from __future__ import annotations

from typing import TypeAlias

from firelift.api.rollout import KIND, PLURAL, RolloutSpec
from firelift.kube.client import Json
from firelift.kube.objects import CustomObject, CustomResource, identity
from firelift.rollout.observation import Rollout

RolloutObject: TypeAlias = CustomObject[Rollout]


def _rollout(document: Json) -> Rollout:
    return Rollout(**identity(document), spec=RolloutSpec.model_validate(document.get("spec", {})))


ROLLOUTS = CustomResource(KIND, PLURAL, _rollout)
read = ROLLOUTS.read
write_status = ROLLOUTS.write_status
hold = ROLLOUTS.hold
let_go = ROLLOUTS.let_go
parse = ROLLOUTS.parse
