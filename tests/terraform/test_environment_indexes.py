"""Index changes as they are rendered, on the real Terraform before the stand-in: moved, made, and only then deleted."""

from typing import Any

import pytest
from tests.manifests import TELEMETRY_INDEX, environment
from tests.terraform.cloud import Cloud
from tests.terraform.configuration import Configuration
from tests.terraform.test_environment_root import put

from firelift.api.environment.indexes import CompositeIndex
from firelift.api.environment.spec import EnvironmentSpec
from firelift.environment.render import NOTHING_STAGED, Staging, composite_address, render

_INDEXES = "fs/v1/projects/PROJECT/databases/(default)/collectionGroups/telemetry/indexes"
_KEY, _ASIDE = "telemetry-by-device", "telemetry-by-device.old-1"
_OLD = CompositeIndex.model_validate(TELEMETRY_INDEX)
_NEW: dict[str, Any] = {**TELEMETRY_INDEX, "fields": TELEMETRY_INDEX["fields"][1:]}


class Ground:
    """The indexes of one database, planned and applied as an environment's are."""

    def __init__(self, terraform: Configuration, cloud: Cloud) -> None:
        self.terraform, self.cloud = terraform, cloud

    def declare(self, index: Any, staging: Staging = NOTHING_STAGED) -> dict[str, list[str]]:
        spec = {
            "project": {"id": self.cloud.project},
            "database": {"location": "nam5"},
            "indexes": {"composite": {_KEY: index}},
        }
        put(self.terraform, render(EnvironmentSpec.model_validate(environment(("spec", spec))["spec"]), {}, staging))
        return self.terraform.changes()

    def fields(self) -> list[list[str]]:
        found = self.cloud.call("GET", _INDEXES)["indexes"]
        return sorted([field["fieldPath"] for field in index["fields"]] for index in found)


@pytest.fixture
def ground(terraform: Configuration, cloud: Cloud) -> Ground:
    ground = Ground(terraform, cloud)
    ground.declare(TELEMETRY_INDEX)
    terraform.apply()
    return ground


def test_an_index_that_is_replaced_serves_until_its_successor_does(ground: Ground) -> None:
    old, aside = composite_address(_KEY), composite_address(_ASIDE)
    kept = {_ASIDE: _OLD}
    assert ground.declare(_NEW, Staging(kept=kept, moves={old: aside})) == {}
    ground.terraform.apply()

    assert ground.declare(_NEW, Staging(kept=kept)) == {old: ["create"]}
    ground.terraform.apply()
    both = ground.fields()
    assert len(both) == 2

    assert ground.declare(_NEW) == {aside: ["delete"]}
    ground.terraform.apply()
    assert ground.fields() == [["device_id", "timestamp_ms", "__name__"]]
    assert ground.declare(_NEW) == {}


def test_an_index_that_is_there_already_is_taken_over(ground: Ground) -> None:
    (name,) = [index["name"] for index in ground.cloud.call("GET", _INDEXES)["indexes"]]
    ground.terraform.run("state", "rm", composite_address(_KEY))
    address = composite_address(_KEY)
    assert ground.declare(TELEMETRY_INDEX) == {address: ["create"]}
    found = ground.declare(TELEMETRY_INDEX, Staging(imports={address: name}))
    assert found in ({}, {address: ["update"]})
    ground.terraform.apply()
    assert ground.declare(TELEMETRY_INDEX) == {}
