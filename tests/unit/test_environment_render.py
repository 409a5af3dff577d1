"""What Terraform is given for an environment: the same for the same, each key one address, and no secret in sight."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.manifests import REMOVE, TELEMETRY_INDEX, Edit, Manifest, environment

from firelift.api.environment.indexes import CompositeIndex
from firelift.api.environment.spec import EnvironmentSpec
from firelift.environment.declared import LEDGER
from firelift.environment.references import Read, Reference, references
from firelift.environment.render import (
    FIRESTORE,
    MAIN,
    NOTHING_STAGED,
    Rendered,
    Staging,
    composite_address,
    render,
    unprotected,
    without_values,
)
from firelift.environment.unusable import Missing, Unusable
from firelift.migration.ledger.expiry import EXPIRE_AT
from firelift.migration.ledger.paths import COLLECTIONS

_FILE: Manifest = {
    "indexes": [
        {
            "collectionGroup": "notes",
            "queryScope": "COLLECTION_GROUP",
            "fields": [{"fieldPath": "owner", "order": "ASCENDING"}, {"fieldPath": "made", "order": "DESCENDING"}],
        }
    ],
    "fieldOverrides": [{"collectionGroup": "notes", "fieldPath": "text", "indexes": []}],
}
_OF_FILE = "notes:COLLECTION_GROUP(owner ASCENDING,made DESCENDING)"
_FROM_FILE = ("spec.indexes.fromConfigMap", {"name": "firestore-indexes"})
_PAGER = {"type": "pagerduty", "secretLabels": {"service_key": {"name": "pager", "key": "k"}}}


def _value(reference: Reference, file: Manifest) -> str:
    match reference.key:
        case "firestore.indexes.json":
            return json.dumps(file)
        case "firestore.rules":
            return "service cloud.firestore {}"
        case _:
            return "hunter2"


def _spec(*edits: Edit) -> EnvironmentSpec:
    return EnvironmentSpec.model_validate(environment(*edits)["spec"])


def _read(spec: EnvironmentSpec, file: Manifest) -> Read:
    return {reference: _value(reference, file) for reference in references(spec)}


def _rendered(*edits: Edit, file: Manifest = _FILE, staging: Staging = NOTHING_STAGED) -> Rendered:
    spec = _spec(*edits)
    return render(spec, _read(spec, file), staging)


def _module(rendered: Rendered) -> dict[str, Any]:
    module: dict[str, Any] = json.loads(rendered.files[MAIN])
    return module


def _turned(value: Any) -> Any:
    """The same with every map in the other order."""
    if isinstance(value, dict):
        return {key: _turned(each) for key, each in reversed(value.items())}
    return value


def test_the_same_spec_in_another_order_renders_to_the_same_digest() -> None:
    turned = EnvironmentSpec.model_validate(_turned(environment(_FROM_FILE)["spec"]))
    assert render(turned, _read(turned, _turned(_FILE))).digest == _rendered(_FROM_FILE).digest


@pytest.mark.parametrize(
    ("same", "edits"),
    [
        (True, ()),
        (True, (("spec.terraform", {"apply": "Auto", "driftIntervalSeconds": 0}),)),
        (True, (("spec.suspend", True), ("spec.attempt", 7))),
        (False, (("spec.secrets.api-key.version", 2),)),
        (False, (("spec.ttls.telemetry.keepIndexed", True),)),
        (False, (("spec.database.deleteProtection", False),)),
        (False, (("spec.indexes.composite.telemetry-by-device.fields.2.order", "ASCENDING"),)),
        (False, (("spec.observability.alerts.errorRatio.above", "3%"),)),
    ],
)
def test_the_digest_is_of_what_terraform_is_given_and_of_nothing_else(same: object, edits: tuple[Edit, ...]) -> None:
    assert (_rendered(*edits).digest == _rendered().digest) is same


def test_the_value_of_a_secret_is_nowhere_but_apart() -> None:
    rendered = _rendered(("spec.observability.channels.pager", _PAGER))
    assert rendered.secrets == {
        "secret_values": {"api-key": "hunter2"},
        "channel_secrets": {"pager": {"service_key": "hunter2"}},
    }
    assert "hunter2" not in json.dumps([rendered.files, rendered.variables, rendered.digest]) + repr(rendered)
    assert rendered.variables["observability"]["channels"]["pager"]["secret_labels"] == ["service_key"]


def test_the_variables_that_hold_secrets_are_kept_in_no_plan_and_no_state() -> None:
    declared = _module(_rendered())["variable"]
    assert declared["secret_values"] == {"type": "map(string)", "sensitive": True, "ephemeral": True}
    assert declared["channel_secrets"] == {"type": "map(map(string))", "sensitive": True, "ephemeral": True}


def test_a_secret_without_a_value_is_a_container() -> None:
    assert _rendered().variables["secrets"] == {"api-key": {"version": 1}, "other": {}}


def test_every_section_of_a_spec_becomes_a_variable_with_its_names_in_snake_case_and_its_keys_as_they_are() -> None:
    rendered = _rendered()
    module = _module(rendered)
    assert set(rendered.variables) | set(rendered.secrets) == set(module["variable"])
    assert set(module["module"]["environment"]) - {"source"} == set(module["variable"])
    assert rendered.variables["database"] == {
        "name": "(default)",
        "location": "nam5",
        "edition": "STANDARD",
        "point_in_time_recovery": True,
        "delete_protection": True,
        "backups": {"daily": {"retention_days": 7}},
    }
    assert rendered.variables["observability"]["alerts"]["latency_p95"]["above"] == "800ms"
    assert rendered.variables["rules"] == {"source": "service cloud.firestore {}"}


def test_what_was_left_empty_is_not_said_but_in_labels() -> None:
    rendered = _rendered(("spec.project.labels", {"team": ""}), ("spec.access.operator", {}))
    assert rendered.variables["project"]["labels"] == {"team": ""}
    assert "organization" not in rendered.variables["project"]["create"]
    assert rendered.variables["access"]["operator"] == {}


def test_rules_that_nobody_asked_for_are_null() -> None:
    assert _rendered(("spec.rules", REMOVE)).variables["rules"] is None


def test_the_spec_and_its_file_are_one_set_of_indexes() -> None:
    rendered = _rendered(_FROM_FILE)
    assert list(rendered.variables["indexes"]["composite"]) == [_OF_FILE, "telemetry-by-device"]
    assert list(rendered.variables["indexes"]["fields"]) == ["notes.text", "telemetry-payload"]
    assert list(rendered.declared.composite) == [_OF_FILE, "telemetry-by-device"]


def test_one_more_index_in_front_of_the_others_leaves_their_addresses_alone() -> None:
    first = {**_FILE["indexes"][0], "collectionGroup": "aaa"}
    before, after = _rendered(_FROM_FILE), _rendered(_FROM_FILE, file={**_FILE, "indexes": [first, *_FILE["indexes"]]})
    kept, more = (each.variables["indexes"]["composite"] for each in (before, after))
    assert {key: more[key] for key in kept} == kept
    assert len(more) == len(kept) + 1


def test_what_the_spec_and_the_file_both_declare_has_the_address_of_the_spec() -> None:
    same = {
        "collectionGroup": "telemetry",
        "fields": [
            {"fieldPath": "tenant_id", "order": "ASCENDING"},
            {"fieldPath": "device_id", "order": "ASCENDING"},
            {"fieldPath": "timestamp_ms", "order": "DESCENDING"},
            {"fieldPath": "__name__", "order": "DESCENDING"},
        ],
    }
    payload = {"collectionGroup": "telemetry", "fieldPath": "payload", "indexes": [{"order": "ASCENDING"}]}
    ttl = {"collectionGroup": "telemetry", "fieldPath": "expireAt", "ttl": True, "indexes": []}
    rendered = _rendered(_FROM_FILE, file={"indexes": [same], "fieldOverrides": [payload, ttl]})
    assert list(rendered.variables["indexes"]["composite"]) == ["telemetry-by-device"]
    assert rendered.variables["indexes"]["fields"]["telemetry-payload"]["indexed"] is False
    assert list(rendered.variables["indexes"]["fields"]) == ["telemetry-payload"]
    assert list(rendered.variables["ttls"]) == ["telemetry"]


@pytest.mark.parametrize(
    ("edits", "file", "sentence"),
    [
        (
            (("spec.indexes.composite.again", TELEMETRY_INDEX),),
            _FILE,
            "indexes.composite: telemetry-by-device and again are one index to Firestore",
        ),
        (
            (_FROM_FILE,),
            {"fieldOverrides": [{"collectionGroup": "telemetry", "fieldPath": "goneAt", "ttl": True}]},
            "telemetry has TTLs on expireAt and goneAt, in the spec and in its file",
        ),
        (
            (_FROM_FILE,),
            {"fieldOverrides": [{"collectionGroup": "telemetry", "fieldPath": "expireAt", "indexes": []}]},
            "telemetry.expireAt has a TTL and an override, in the spec and in its file",
        ),
        (
            (_FROM_FILE,),
            {"indexes": [{**_FILE["indexes"][0], "collectionGroup": f"notes{i}"} for i in range(200)]},
            "201 composite indexes are declared, 200 is the most",
        ),
        (
            (_FROM_FILE, ("spec.database.edition", "ENTERPRISE"), ("spec.indexes.fields", {})),
            _FILE,
            "notes has an override in the file of indexes, and `edition: ENTERPRISE` indexes no field by itself",
        ),
        (
            (_FROM_FILE,),
            {"indexes": [{"collectionGroup": "notes", "fields": [{"fieldPath": "a", "order": "ASCENDING"}]}]},
            "index notes(a ASCENDING) must have two fields or more, or one vector",
        ),
        (
            (_FROM_FILE,),
            {"indexes": [{}]},
            "firestore.indexes.json of ConfigMap firestore-indexes: indexes[0] is wrong: collection: Field required",
        ),
    ],
)
def test_what_firestore_cannot_have_is_refused_in_a_sentence(
    edits: tuple[Edit, ...], file: Manifest, sentence: str
) -> None:
    with pytest.raises(Unusable) as refused:
        _rendered(*edits, file=file)
    assert sentence in str(refused.value)


def test_what_is_not_there_is_named_with_the_field_that_wants_it() -> None:
    with pytest.raises(Missing) as missing:
        render(_spec(_FROM_FILE), {})
    assert str(missing.value) == (
        "not found: key firestore.indexes.json of ConfigMap firestore-indexes (`indexes.fromConfigMap`), key"
        " firestore.rules of ConfigMap firestore-rules (`rules.fromConfigMap`), key api-key of Secret app-secrets"
        " (`secrets.api-key`); it is planned as soon as they are there"
    )


def test_a_database_that_exists_is_imported() -> None:
    assert "import" not in _module(_rendered())
    assert _module(_rendered(("spec.database.adopt", True)))["import"] == [
        {
            "to": f"{FIRESTORE}.google_firestore_database.this",
            "id": "projects/productivityai-mvp/databases/(default)",
        }
    ]


def test_an_index_that_exists_is_imported_as_long_as_it_is_declared() -> None:
    name = "projects/p/databases/d/collectionGroups/telemetry/indexes/CICA"
    address, gone = composite_address("telemetry-by-device"), composite_address("gone")
    module = _module(_rendered(staging=Staging(imports={address: name, gone: name})))
    assert module["import"] == [{"to": address, "id": name}]


def test_an_old_index_is_moved_aside_before_another_one_takes_its_key() -> None:
    old = CompositeIndex.model_validate({**TELEMETRY_INDEX, "scope": "COLLECTION_GROUP"})
    moves = {composite_address("telemetry-by-device"): composite_address("telemetry-by-device.old-1")}
    moved = _rendered(staging=Staging(kept={"telemetry-by-device.old-1": old}, moves=moves))
    assert list(moved.variables["indexes"]["composite"]) == ["telemetry-by-device.old-1"]
    assert _module(moved)["moved"] == [{"from": old, "to": new} for old, new in moves.items()]
    beside = _rendered(staging=Staging(kept={"telemetry-by-device.old-1": old}))
    assert list(beside.variables["indexes"]["composite"]) == ["telemetry-by-device", "telemetry-by-device.old-1"]
    assert list(beside.declared.composite) == ["telemetry-by-device"]


def test_an_address_is_written_as_terraform_reads_it() -> None:
    assert composite_address('a"b(${c})') == FIRESTORE + '.google_firestore_index.composite["a\\"b($${c})"]'


def test_nothing_refuses_to_be_destroyed_once_it_is_unprotected() -> None:
    variables = _rendered().variables
    open_ = unprotected(variables)
    assert open_["database"] == variables["database"] | {"delete_protection": False, "deletion_policy": "DELETE"}
    assert open_["project"]["create"]["deletion_policy"] == "DELETE"
    assert "deletion_policy" not in variables["project"]["create"]
    here = _rendered(("spec.project", {"id": "productivityai-mvp"})).variables
    assert unprotected(here)["project"] == here["project"]


def test_a_ground_can_be_planned_without_the_secrets_that_went_first() -> None:
    rendered = _rendered(("spec.observability.channels.pager", _PAGER))
    assert without_values(rendered.variables) == {
        "secret_values": {"api-key": ""},
        "channel_secrets": {"pager": {"service_key": ""}},
    }


def test_outputs_that_are_sensitive_are_marked_and_change_the_digest() -> None:
    edit = ("spec.terraform", {"sensitiveOutputs": ["accounts", "firelift"]})
    outputs = _module(_rendered(edit))["output"]
    assert {name for name, each in outputs.items() if each.get("sensitive")} == {"accounts", "firelift"}
    assert _rendered(edit).digest != _rendered().digest


def test_ttls_of_firelifts_own_documents_are_waited_for_and_declared_by_the_modules_alone() -> None:
    rendered = _rendered(("spec.indexes.ledger", True))
    found = rendered.declared.every_ttl
    assert {ttl.collection for ttl in found.values()} >= {"_firelift", *COLLECTIONS, "telemetry"}
    assert found["firelift_runs"].path == EXPIRE_AT
    assert sorted(rendered.variables["ttls"]) == ["telemetry"]
    assert "firelift_runs" not in _rendered().declared.every_ttl


def test_the_modules_make_the_ttls_of_the_ledger_that_are_waited_for() -> None:
    text = (Path(__file__).resolve().parents[2] / "terraform/modules/firestore/fields.tf").read_text()
    made = re.search(r"var\.ledger \? toset\((\[.*?\])\)", text)
    assert made is not None
    assert tuple(json.loads(made.group(1))) == LEDGER
    assert f'path = "{EXPIRE_AT}", indexes = null' in text
