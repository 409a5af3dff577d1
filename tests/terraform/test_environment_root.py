"""An environment's root module on the real Terraform: the modules take it, a key is an address, no secret shows."""

import json
import re
import shutil
from collections.abc import Mapping
from typing import Any

import pytest
from tests.manifests import Edit, environment
from tests.terraform.configuration import Configuration
from tests.terraform.readmes import ROOT

from firelift.api.environment.spec import EnvironmentSpec
from firelift.environment.references import references
from firelift.environment.render import (
    FIRESTORE,
    OUTPUTS,
    SECRETS,
    SECTIONS,
    Rendered,
    composite_address,
    render,
    unprotected,
    without_values,
)

_MODULES = ROOT / "terraform" / "modules"
_FILE = """{
  "indexes": [
    {"collectionGroup": "notes", "queryScope": "COLLECTION_GROUP", "fields": [
      {"fieldPath": "tags", "arrayConfig": "CONTAINS"}, {"fieldPath": "made", "order": "DESCENDING"},
      {"fieldPath": "__name__", "order": "DESCENDING"}]},
    {"collectionGroup": "notes", "queryScope": "COLLECTION", "fields": [
      {"fieldPath": "made", "order": "DESCENDING"}, {"fieldPath": "__name__", "order": "ASCENDING"}]},
    {"collectionGroup": "notes", "queryScope": "COLLECTION", "fields": [
      {"fieldPath": "embedding", "vectorConfig": {"dimension": 8, "flat": {}}}]}
  ],
  "fieldOverrides": [
    {"collectionGroup": "notes", "fieldPath": "text", "ttl": false, "indexes": []},
    {"collectionGroup": "notes", "fieldPath": "tags", "ttl": false, "indexes": [
      {"arrayConfig": "CONTAINS", "queryScope": "COLLECTION_GROUP"}]},
    {"collectionGroup": "sessions", "fieldPath": "expireAt", "ttl": true, "indexes": []}
  ]
}"""
_TEXTS = {"firestore.rules": "service cloud.firestore {}", "firestore.indexes.json": _FILE}
_NEAREST = {
    "collection": "notes",
    "scope": "COLLECTION_GROUP",
    "fields": [{"path": "owner", "order": "ASCENDING"}, {"path": "embedding", "vector": {"dimension": 768}}],
}
_PAGER = {"type": "pagerduty", "secretLabels": {"service_key": {"name": "pager", "key": "key"}}}
_FROM_FILE: Edit = ("spec.indexes.fromConfigMap", {"name": "firestore-indexes"})
_WHOLE: tuple[Edit, ...] = (
    _FROM_FILE,
    ("spec.indexes.composite.nearest", _NEAREST),
    ("spec.access.operator", {"member": "user:ada@example.com"}),
    ("spec.observability.channels.pager", _PAGER),
    ("spec.observability.dashboard", True),
    ("spec.indexes.ledger", True),
)


def _names(block: str, file: str) -> set[str]:
    return set(re.findall(rf'^{block} "(\w+)"', (_MODULES / "environment" / file).read_text(), re.MULTILINE))


def _rendered(*edits: Edit) -> Rendered:
    spec = EnvironmentSpec.model_validate(environment(*edits)["spec"])
    return render(spec, {each: _TEXTS.get(each.key, "hunter2") for each in references(spec)})


def put(place: Configuration, rendered: Rendered, **variables: Any) -> None:
    """Write what was rendered, with other values for some of its variables, and initialise it."""
    shutil.copytree(_MODULES, place.directory / "modules", dirs_exist_ok=True)
    for name, text in rendered.files.items():
        (place.directory / name).write_text(text)
    (place.directory / "terraform.tfvars.json").write_text(json.dumps({**rendered.variables, **variables}))
    (place.directory / "secrets.auto.tfvars.json").write_text(json.dumps(rendered.secrets))
    place.run("init")


def _of_firestore(planned: Mapping[str, Any]) -> dict[str, Any]:
    return {address: values for address, values in planned.items() if address.startswith(FIRESTORE)}


def test_a_root_has_all_variables_and_outputs_of_the_module_that_it_calls() -> None:
    assert _names("variable", "variables.tf") == {*SECTIONS, *SECRETS}
    assert _names("output", "outputs.tf") == set(OUTPUTS)


def test_an_environment_with_something_in_every_section_is_planned(unconnected: Configuration) -> None:
    rendered = _rendered(*_WHOLE)
    put(unconnected, rendered)
    planned = unconnected.planned()
    kinds = {address.split(".")[-2] for address in planned if "[" not in address.rpartition(".")[0]}
    assert {"google_project", "google_firestore_database", "google_monitoring_dashboard"} <= kinds
    composite = {composite_address(key) for key in rendered.declared.composite}
    assert {address for address in planned if ".google_firestore_index." in address} == composite
    fields = {f'{FIRESTORE}.google_firestore_field.override["{key}"]' for key in rendered.declared.fields}
    ttls = {f'{FIRESTORE}.google_firestore_field.ttl["{key}"]' for key in rendered.declared.ttls}
    found = {address for address in planned if ".google_firestore_field." in address}
    assert {address for address in found if "firelift" not in address} == fields | ttls
    assert f'{FIRESTORE}.google_firestore_field.ttl["firelift_journal"]' in found


def test_no_plan_shows_the_value_of_a_secret(unconnected: Configuration) -> None:
    rendered = _rendered(*_WHOLE)
    put(unconnected, rendered)
    unconnected.planned()
    assert json.dumps(rendered.secrets).count("hunter2") == 2
    shown = [unconnected.run("show", *kind, "test.plan").stdout for kind in ([], ["-json"])]
    assert [text for text in shown if "hunter2" in text] == []


def test_a_file_of_indexes_has_the_same_addresses_as_in_the_module_without_the_operator(
    unconnected: Configuration,
) -> None:
    own: Edit = ("spec.indexes", {})
    rendered, alone = _rendered(own, _FROM_FILE), _rendered(own)
    put(unconnected, rendered)
    ours = _of_firestore(unconnected.planned())
    indexes = {**alone.variables["indexes"], "firebase": json.loads(_FILE)}
    put(unconnected, alone, indexes=indexes)
    assert _of_firestore(unconnected.planned()) == ours
    assert sum(".composite[" in address for address in ours) == 3


@pytest.mark.parametrize("values", ["read", "gone"])
def test_what_is_to_be_destroyed_is_planned_without_its_protection(unconnected: Configuration, values: str) -> None:
    rendered = _rendered(*_WHOLE)
    put(unconnected, rendered, **unprotected(rendered.variables))
    if values == "gone":
        gone = json.dumps(without_values(rendered.variables))
        (unconnected.directory / "secrets.auto.tfvars.json").write_text(gone)
    database = unconnected.planned()[f"{FIRESTORE}.google_firestore_database.this"]
    assert database["delete_protection_state"] == "DELETE_PROTECTION_DISABLED"
    assert database["deletion_policy"] == "DELETE"
