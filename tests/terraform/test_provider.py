"""The provider's resources on the real Terraform before the stand-in; the real provider passes the same tests."""

from pathlib import Path

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
    assert not cloud.exists("fs/v1/projects/test-project/databases/(default)")
