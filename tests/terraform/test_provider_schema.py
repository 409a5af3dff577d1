"""The sandbox's provider takes what the real hashicorp/google 7.45.0 takes."""

import json
import os
from pathlib import Path

import pytest
from tests.terraform.configuration import Configuration
from tests.terraform.provider_schema import DESCRIBED, PINNED, TYPES, attributes, pinned

SHARED = Path(__file__).resolve().parents[3] / "shared/reference/google-provider-7.45.0-schema.json"


@pytest.mark.skipif(not SHARED.is_file(), reason="the real provider's schema is not beside this checkout")
def test_the_pinned_table_is_the_real_providers_schema() -> None:
    assert json.loads(PINNED.read_text()) == pinned(json.loads(SHARED.read_text()))


def test_terraform_sees_every_attribute_with_its_type_and_flags(unconnected: Configuration) -> None:
    unconnected.write("")
    if 'version     = "7.45.0"' not in (unconnected.directory / ".terraform.lock.hcl").read_text():
        pytest.skip("the mirror has another version, with a schema of its own")

    answered = json.loads(unconnected.run("providers", "schema", "-json").stdout)["provider_schemas"]

    seen = answered["registry.terraform.io/hashicorp/google"]["resource_schemas"]
    wanted = json.loads(PINNED.read_text())["resource_schemas"]
    assert {name: attributes(seen[name]["block"]) for name in TYPES} == {
        name: attributes(wanted[name]["block"]) for name in TYPES
    }


def test_the_attributes_called_description_are_all_that_is_added() -> None:
    if not SHARED.is_file():
        pytest.skip("the real provider's schema is not beside this checkout")
    real = json.loads(SHARED.read_text())["resource_schemas"]
    own = json.loads(PINNED.read_text())["resource_schemas"]

    added = {
        f"{name}.{path}"
        for name in TYPES
        for path in attributes(own[name]["block"]).keys() - attributes(real[name]["block"]).keys()
    }

    assert added == {f"{place}.description" for place in DESCRIBED}


@pytest.mark.skipif("FIRELIFT_PROVIDER_MIRROR" in os.environ, reason="the real provider has defaults of its own")
def test_an_api_without_an_endpoint_is_never_called_at_google(unconnected: Configuration) -> None:
    unconnected.write(
        'resource "google_secret_manager_secret" "one" {\n secret_id = "one"\n replication { \n auto {}\n }\n}'
    )

    sentence = unconnected.refused()

    assert "GOOGLE_SECRET_MANAGER_CUSTOM_ENDPOINT" in sentence
    assert "never calls Google itself" in sentence
