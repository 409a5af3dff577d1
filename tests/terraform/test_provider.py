"""The provider's resources on the real Terraform before the stand-in; the real provider passes the same tests."""

from pathlib import Path

import pytest
from tests.terraform.cloud import Cloud
from tests.terraform.configuration import Configuration

EVERYTHING = (Path(__file__).parent / "everything.tf").read_text()


def test_every_resource_is_applied_planned_again_without_a_change_and_destroyed(
    terraform: Configuration, cloud: Cloud
) -> None:
    terraform.write(EVERYTHING)

    terraform.apply()

    assert terraform.changes() == {}
    terraform.destroy()
    assert terraform.state() == {}
    assert not cloud.exists("fs/v1/projects/PROJECT/databases/(default)")


def test_every_resource_is_imported_by_its_id(
    terraform: Configuration, tmp_path_factory: pytest.TempPathFactory, provider_mirror: Path, cloud: Cloud
) -> None:
    terraform.write(EVERYTHING)
    terraform.apply()
    ids = {address: values["id"] for address, values in terraform.state().items() if not address.startswith("data.")}
    blocks = [f'import {{\n  to = {address}\n  id = "{identifier}"\n}}\n' for address, identifier in ids.items()]
    other = Configuration(tmp_path_factory.mktemp("other"), provider_mirror, cloud.environment, cloud.project)

    other.write(EVERYTHING + "\n".join(blocks))
    more_than_updates = {address: actions for address, actions in other.changes().items() if actions != ["update"]}
    other.apply()

    # The version of a write-only value is in no answer of the API.
    assert more_than_updates == {"google_secret_manager_secret_version.key": ["delete", "create"]}
    assert other.changes() == {}
    imported = other.state()
    assert {address for address in ids if imported[address]["id"] != ids[address]} == set(more_than_updates)
