"""The life of an environment that the modules make, before the stand-in: applied, planned again, changed, destroyed."""

import base64
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.terraform.cloud import Cloud, stand_in
from tests.terraform.configuration import Configuration
from tests.terraform.readmes import ROOT

from firelift.sandbox.google_cloud import GoogleCloud

DATABASE = "fs/v1/projects/PROJECT/databases/(default)"
FIRESTORE = "module.environment.module.firestore"
API_KEY = "open-sesame-8c1e"


class Environment(Configuration):
    """terraform/environments/production, with its state in a file."""

    def __init__(self, tree: Path, mirror: Path, cloud: Cloud) -> None:
        self.tree = tree
        root = tree / "environments" / "production"
        (root / "backend_override.tf").write_text('terraform {\n  backend "local" {}\n}\n')
        super().__init__(root, mirror, {**cloud.environment, "TF_VAR_api_key": API_KEY})
        self.run("init")

    def replaced(self, file: str, old: str, new: str) -> None:
        path = self.tree / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))


@pytest.fixture(scope="module")
def google() -> Iterator[GoogleCloud]:
    """A cloud of its own: others apply the same environment, whose database then stays."""
    with stand_in() as google:
        yield google


@pytest.fixture(scope="module")
def cloud(google: GoogleCloud) -> Cloud:
    """The project that the HCL names."""
    return Cloud(google, "productivityai-production")


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory, provider_mirror: Path, cloud: Cloud) -> Environment:
    """Applied, from a saved plan."""
    tree = Path(shutil.copytree(ROOT / "terraform", tmp_path_factory.mktemp("life") / "terraform"))
    environment = Environment(tree, provider_mirror, cloud)
    environment.run("plan", "-out=saved.plan")
    environment.run("apply", "saved.plan")
    return environment


@pytest.mark.usefixtures("production")
def test_what_was_applied_is_there(cloud: Cloud) -> None:
    indexes = cloud.call("GET", f"{DATABASE}/collectionGroups/-/indexes")["indexes"]

    assert sorted(index["queryScope"] for index in indexes) == ["COLLECTION", "COLLECTION_GROUP"]
    assert cloud.call("GET", DATABASE)["deleteProtectionState"] == "DELETE_PROTECTION_ENABLED"
    assert len(cloud.call("GET", f"{DATABASE}/backupSchedules")["backupSchedules"]) == 2
    assert "ttlConfig" in cloud.call("GET", f"{DATABASE}/collectionGroups/telemetry/fields/expireAt")
    assert len(cloud.call("GET", "mon/v3/projects/PROJECT/alertPolicies")["alertPolicies"]) == 7
    written = cloud.call("GET", "sm/v1/projects/PROJECT/secrets/api-key/versions/1:access")["payload"]["data"]
    assert base64.b64decode(written).decode() == API_KEY


def test_a_second_plan_has_nothing_to_do(production: Environment) -> None:
    assert production.changes() == {}


def test_a_secret_is_in_no_state_and_no_plan(production: Environment) -> None:
    shown = production.run("show", "-json", "saved.plan").stdout + production.run("show", "-json").stdout

    assert API_KEY not in shown
    assert API_KEY not in (production.directory / "terraform.tfstate").read_text()
    assert API_KEY.encode() not in (production.directory / "saved.plan").read_bytes()


def test_a_changed_index_is_made_before_the_old_one_goes_and_no_other_is_touched(production: Environment) -> None:
    production.replaced(
        "environments/firestore.indexes.json", '"device_id", "order": "ASC', '"device_id", "order": "DESC'
    )

    changes = production.changes()

    of = "telemetry(tenant_id ASCENDING,device_id {}ENDING,timestamp_ms DESCENDING)"
    assert changes == {
        f'{FIRESTORE}.google_firestore_index.composite["{of.format("ASC")}"]': ["delete"],
        f'{FIRESTORE}.google_firestore_index.composite["{of.format("DESC")}"]': ["create"],
    }
    production.replaced(
        "environments/firestore.indexes.json", '"device_id", "order": "DESC', '"device_id", "order": "ASC'
    )


def test_a_protected_database_is_not_destroyed(production: Environment, cloud: Cloud) -> None:
    sentence = production.refused("destroy", "-auto-approve", f"-target={FIRESTORE}.google_firestore_database.this")

    assert "delete" in sentence.lower()
    assert cloud.exists(DATABASE)


def test_it_is_destroyed_once_protection_was_taken_off(production: Environment, cloud: Cloud) -> None:
    production.replaced(
        "environments/production/main.tf", 'location = "nam5"', 'location = "nam5"\n    delete_protection = false'
    )
    production.apply()

    production.destroy()

    assert json.loads(production.run("show", "-json").stdout).get("values") is None
    assert not cloud.exists(DATABASE)
