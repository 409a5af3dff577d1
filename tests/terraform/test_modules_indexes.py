"""Indexes that the module `firestore` makes, before the stand-in: replaced, found there already, removed."""

import shutil
from pathlib import Path

import pytest
from tests.terraform.cloud import Cloud
from tests.terraform.configuration import Configuration
from tests.terraform.readmes import ROOT

from firelift.sandbox.google_cloud import GoogleCloud

INDEXES = "fs/v1/projects/PROJECT/databases/(default)/collectionGroups/{}/indexes"
DECLARED = 'module.firestore.google_firestore_index.composite["orders-by-state"]'


class Example(Configuration):
    """The example of the module, applied."""

    def __init__(self, directory: Path, mirror: Path, cloud: Cloud) -> None:
        tree = Path(shutil.copytree(ROOT / "terraform" / "modules" / "firestore", directory / "firestore"))
        super().__init__(tree / "examples" / "basic", mirror, cloud.environment)
        self.main = self.directory / "main.tf"
        self.run("init")
        self.apply()

    def replaced(self, old: str, new: str) -> None:
        text = self.main.read_text()
        assert old in text
        self.main.write_text(text.replace(old, new))


@pytest.fixture(scope="module")
def cloud(google: GoogleCloud) -> Cloud:
    """The project that the HCL names."""
    return Cloud(google, "shop-prod")


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory, provider_mirror: Path, cloud: Cloud) -> Example:
    return Example(tmp_path_factory.mktemp("indexes"), provider_mirror, cloud)


def _of(cloud: Cloud, collection: str) -> list[list[str]]:
    answer = cloud.call("GET", INDEXES.format(collection))
    return [[field["fieldPath"] for field in index["fields"]] for index in answer.get("indexes", [])]


def test_a_changed_index_is_made_before_the_old_one_goes(example: Example, cloud: Cloud) -> None:
    example.replaced('path = "placed_at"', 'path = "paid_at"')

    assert example.changes() == {DECLARED: ["create", "delete"]}

    example.apply()
    assert _of(cloud, "orders") == [["state", "paid_at", "__name__"]]


def test_an_index_that_exists_is_adopted_by_an_import(example: Example, cloud: Cloud) -> None:
    fields = [{"fieldPath": "buyer", "order": "ASCENDING"}, {"fieldPath": "paid_at", "order": "DESCENDING"}]
    made = cloud.call("POST", INDEXES.format("orders"), {"queryScope": "COLLECTION", "fields": fields})
    name = made.get("response", {}).get("name") or made["metadata"]["index"]
    declaration = """    by-buyer = {
      collection = "orders"
      fields     = [{ path = "buyer", order = "ASCENDING" }, { path = "paid_at", order = "DESCENDING" }]
    }
"""
    example.replaced("    orders-by-state = {\n", f"{declaration}    orders-by-state = {{\n")
    assert "409" in example.refused()
    to = 'module.firestore.google_firestore_index.composite["by-buyer"]'
    (example.directory / "import.tf").write_text(f'import {{\n  to = {to}\n  id = "{name}"\n}}\n')

    assert set(example.changes().get(to, [])) <= {"update"}, "it is neither made nor replaced"

    example.apply()
    assert example.changes() == {}
    assert len(_of(cloud, "orders")) == 2


def test_an_index_that_is_removed_is_the_only_one_that_goes(example: Example) -> None:
    (example.directory / "firestore.indexes.json").write_text('{"indexes": [], "fieldOverrides": []}')

    removed = "reviews:COLLECTION_GROUP(product ASCENDING,stars DESCENDING)"
    assert example.changes() == {
        f'module.firestore.google_firestore_index.composite["{removed}"]': ["delete"],
        'module.firestore.google_firestore_field.override["reviews.text"]': ["delete"],
    }


def test_a_database_is_not_replaced_even_without_protection(example: Example, cloud: Cloud) -> None:
    database = "fs/v1/projects/PROJECT/databases/(default)"
    before = cloud.call("GET", database)["uid"]
    example.replaced('location = "nam5"', 'location = "nam5"\n    delete_protection = false')
    example.apply()
    example.replaced('location = "nam5"', 'location = "eur3"')

    assert "409" in example.refused()

    assert cloud.call("GET", database)["uid"] == before
