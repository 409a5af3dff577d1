"""What the provider says and does when the API refuses, falters, or was changed by somebody else."""

import signal

import pytest
from tests.terraform.cloud import Cloud
from tests.terraform.configuration import Configuration
from tests.waiting import eventually

DATABASE = "fs/v1/projects/PROJECT/databases/(default)"
HAVING = """
resource "google_firestore_database" "this" {
  name            = "(default)"
  location_id     = "nam5"
  type            = "FIRESTORE_NATIVE"
  deletion_policy = "DELETE"
}
"""
INDEX = """
resource "google_firestore_index" "composite" {
  database   = google_firestore_database.this.name
  collection = "telemetry"
  skip_wait  = true
  fields {
    field_path = "tenant"
    order      = "ASCENDING"
  }
  fields {
    field_path = "at"
    order      = "DESCENDING"
  }
}
"""
BODY = {
    "queryScope": "COLLECTION",
    "fields": [{"fieldPath": "tenant", "order": "ASCENDING"}, {"fieldPath": "at", "order": "DESCENDING"}],
}
ONE = 'resource "google_secret_manager_secret" "one" {\n  secret_id = "one"\n  replication {\n    auto {}\n  }\n}\n'


def test_an_index_that_exists_is_refused_in_the_real_words_and_adopted_by_its_full_id(
    terraform: Configuration, cloud: Cloud
) -> None:
    terraform.write(HAVING)
    terraform.apply()
    cloud.call("POST", f"{DATABASE}/collectionGroups/telemetry/indexes", BODY)
    terraform.write(HAVING + INDEX)

    assert "Error creating Index: googleapi: Error 409: " in terraform.refused()

    name = cloud.call("GET", f"{DATABASE}/collectionGroups/-/indexes")["indexes"][0]["name"]
    terraform.write(f'{HAVING}{INDEX}\nimport {{\n  to = google_firestore_index.composite\n  id = "{name}"\n}}\n')
    terraform.apply()

    assert terraform.changes() == {}
    assert terraform.state()["google_firestore_index.composite"]["id"] == name
    assert len(cloud.call("GET", f"{DATABASE}/collectionGroups/-/indexes")["indexes"]) == 1


@pytest.mark.parametrize("code", ["RESOURCE_EXHAUSTED", "INTERNAL", "UNAVAILABLE"])
def test_overload_and_outages_are_tried_again(terraform: Configuration, cloud: Cloud, code: str) -> None:
    cloud.fault(api="secretmanager", code=code, count=2)
    terraform.write(ONE)

    terraform.apply()

    assert cloud.exists("sm/v1/projects/PROJECT/secrets/one")


def test_an_answer_that_was_lost_is_a_409_in_the_real_words(terraform: Configuration, cloud: Cloud) -> None:
    cloud.fault(api="secretmanager", method="CreateSecret", code="UNAVAILABLE", applied=True, count=1)
    terraform.write(ONE)

    assert "Error creating Secret: googleapi: Error 409: " in terraform.refused()


def test_a_permission_that_is_missing_is_not_tried_again(terraform: Configuration, cloud: Cloud) -> None:
    cloud.fault(api="secretmanager", method="CreateSecret", code="PERMISSION_DENIED", message="no right to create")
    terraform.write(ONE)

    assert "Error creating Secret: googleapi: Error 403: no right to create" in terraform.refused()
    assert cloud.asked().count("CreateSecret PERMISSION_DENIED") == 1


def test_a_policy_that_another_writer_changes_meanwhile_is_read_again(terraform: Configuration, cloud: Cloud) -> None:
    cloud.fault(api="cloudresourcemanager", method="SetIamPolicy", code="ABORTED", count=2)
    member = 'project = "PROJECT"\n  role = "roles/viewer"\n  member = "user:{}@example.com"'
    people = ("ann", "bob", "cem")
    terraform.write(
        "\n".join(f'resource "google_project_iam_member" "{one}" {{\n  {member.format(one)}\n}}' for one in people)
    )

    terraform.apply()

    bindings = cloud.call("POST", "crm/v1/projects/PROJECT:getIamPolicy", {})["bindings"]
    assert [sorted(binding["members"]) for binding in bindings] == [[f"user:{one}@example.com" for one in people]]


def test_what_somebody_else_deleted_is_made_again(terraform: Configuration, cloud: Cloud) -> None:
    terraform.write(ONE)
    terraform.apply()
    cloud.call("DELETE", "sm/v1/projects/PROJECT/secrets/one")

    assert terraform.changes() == {"google_secret_manager_secret.one": ["create"]}


def test_what_somebody_else_changed_is_a_difference(terraform: Configuration, cloud: Cloud) -> None:
    channel = 'resource "google_monitoring_notification_channel" "one" {\n  type = "email"\n  display_name = "one"\n}\n'
    terraform.write(HAVING + channel)
    terraform.apply()
    name = terraform.state()["google_monitoring_notification_channel.one"]["name"]
    recovery = {"pointInTimeRecoveryEnablement": "POINT_IN_TIME_RECOVERY_ENABLED"}
    cloud.call("PATCH", f"{DATABASE}?updateMask=pointInTimeRecoveryEnablement", recovery)
    cloud.call("PATCH", f"mon/v3/{name}?updateMask=enabled", {"enabled": False})

    assert terraform.changes() == {
        "google_firestore_database.this": ["update"],
        "google_monitoring_notification_channel.one": ["update"],
    }
    terraform.apply()
    assert terraform.changes() == {}


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ('deletion_policy = "DELETE"\n  delete_protection_state = "DELETE_PROTECTION_ENABLED"', "Delete Protection is"),
        ('deletion_policy = "PREVENT"', "PREVENT"),
    ],
)
def test_a_protected_database_is_not_deleted(terraform: Configuration, settings: str, sentence: str) -> None:
    terraform.write(HAVING.replace('deletion_policy = "DELETE"', settings))
    terraform.apply()

    assert sentence in terraform.refused("destroy", "-auto-approve")


def test_an_abandoned_database_stays(terraform: Configuration, cloud: Cloud) -> None:
    terraform.write(HAVING.replace('deletion_policy = "DELETE"', ""))
    terraform.apply()

    terraform.destroy()

    assert cloud.exists(DATABASE)


def test_a_value_that_is_not_allowed_is_refused_before_any_call(terraform: Configuration, cloud: Cloud) -> None:
    terraform.write(HAVING + INDEX.replace('"ASCENDING"', '"UPWARDS"'))

    sentence = terraform.refused("validate")

    assert 'expected fields.0.order to be one of ["ASCENDING" "DESCENDING"], got UPWARDS' in sentence
    assert cloud.asked() == []


def test_the_other_half_of_a_field_is_left_alone_by_a_change(terraform: Configuration, cloud: Cloud) -> None:
    field = 'resource "google_firestore_field" "one" {\n  database = google_firestore_database.this.name\n'
    field += '  collection = "telemetry"\n  field = "expireAt"\n  ttl_config {}\n'
    terraform.write(HAVING + field + "}\n")
    terraform.apply()
    terraform.write(HAVING + field + "  index_config {}\n}\n")
    terraform.apply()

    kept = cloud.call("GET", f"{DATABASE}/collectionGroups/telemetry/fields/expireAt")

    assert kept["ttlConfig"]["state"] == "ACTIVE"
    assert not kept["indexConfig"].get("indexes")
    terraform.write(HAVING)
    terraform.apply()
    freed = cloud.call("GET", f"{DATABASE}/collectionGroups/telemetry/fields/expireAt")
    assert "ttlConfig" not in freed
    assert freed["indexConfig"]["usesAncestorConfig"] is True


def test_what_takes_a_while_is_waited_for(terraform: Configuration, cloud: Cloud) -> None:
    cloud.building(database_seconds=1, index_seconds=2)
    terraform.write(HAVING + INDEX.replace("skip_wait  = true", ""))

    terraform.apply()

    name = terraform.state()["google_firestore_index.composite"]["name"]
    assert cloud.call("GET", f"fs/v1/{name}")["state"] == "READY"
    assert terraform.changes() == {}


def test_nobody_waits_who_has_said_so(terraform: Configuration, cloud: Cloud) -> None:
    cloud.building(index_seconds=600)
    terraform.write(HAVING + INDEX)

    terraform.apply()

    name = terraform.state()["google_firestore_index.composite"]["name"]
    assert cloud.call("GET", f"fs/v1/{name}")["state"] == "CREATING"
    assert terraform.changes() == {}


def test_an_index_that_was_waited_for_too_long_is_forgotten_as_the_real_provider_does(
    terraform: Configuration, cloud: Cloud
) -> None:
    cloud.building(index_seconds=600)
    impatient = INDEX.replace("skip_wait  = true", 'timeouts {\n    create = "1s"\n  }')
    terraform.write(HAVING + impatient)

    sentence = terraform.refused()

    assert "Error waiting to create Index: Error waiting for Creating Index: timeout while waiting" in sentence
    assert list(terraform.state()) == ["google_firestore_database.this"]
    assert "Error creating Index: googleapi: Error 409: " in terraform.refused()


def test_who_waits_stops_at_an_interrupt(terraform: Configuration, cloud: Cloud) -> None:
    cloud.building(index_seconds=600)
    terraform.write(HAVING + INDEX.replace("skip_wait  = true", ""))

    applying = terraform.started("apply", "-auto-approve")
    eventually(lambda: "CreateIndex OK" in cloud.asked())
    applying.send_signal(signal.SIGINT)
    said = applying.communicate(timeout=60)[0]

    assert "Error waiting for Creating Index: context canceled" in said
    assert list(terraform.state()) == ["google_firestore_database.this"]


def test_a_project_that_nobody_names_is_asked_for(terraform: Configuration, cloud: Cloud) -> None:
    terraform.replace(
        'terraform {\n  required_providers {\n    google = { source = "hashicorp/google" }\n  }\n}\n' + ONE
    )

    assert "project: required field is not set" in terraform.refused()
    assert cloud.asked() == []
