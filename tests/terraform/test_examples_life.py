"""The example environments as they are, but for the bucket of their state: applied, planned again, taken down."""

import shutil
from pathlib import Path

import pytest
from tests.terraform.cloud import Cloud
from tests.terraform.configuration import Configuration

from firelift.sandbox.google_cloud import GoogleCloud

TREE = Path(__file__).parents[2] / "terraform"
PASSWORD = "hunter2"  # noqa: S105 - the value of a secret, which must not be found again
Example = tuple[Cloud, Configuration]
LOCAL = 'terraform {\n  backend "local" {}\n}\n'


@pytest.fixture(params=["dev", "staging", "production"])
def example(request: pytest.FixtureRequest, tmp_path: Path, provider_mirror: Path, google: GoogleCloud) -> Example:
    shutil.copytree(TREE, tmp_path / "terraform", ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"))
    folder = tmp_path / "terraform" / "environments" / request.param
    (folder / "backend_override.tf").write_text(LOCAL)
    cloud = Cloud(google, f"productivityai-{request.param}")
    return cloud, Configuration(folder, provider_mirror, {**cloud.environment, "TF_VAR_api_key": PASSWORD})


def test_an_example_environment_is_applied_planned_again_without_a_change_and_taken_down(example: Example) -> None:
    cloud, terraform = example
    database = f"fs/v1/projects/{cloud.project}/databases/(default)"

    terraform.run("init")
    terraform.apply()
    again = terraform.changes()
    indexes = cloud.call("GET", f"{database}/collectionGroups/-/indexes")["indexes"]
    protection = cloud.call("GET", database)["deleteProtectionState"]
    state = (terraform.directory / "terraform.tfstate").read_text()
    down = terraform.run("destroy", "-auto-approve", codes=(0, 1))

    assert again == {}
    assert {index["state"] for index in indexes} == {"READY"}
    assert PASSWORD not in state
    if protection == "DELETE_PROTECTION_ENABLED":
        assert "Delete Protection is enabled" in " ".join(down.stderr.replace("│", " ").split())
    assert cloud.exists(database) == (down.returncode == 1) == (protection == "DELETE_PROTECTION_ENABLED")
