"""What each change can lose: every type and attribute of the modules is judged, and what is not counts as a loss."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.environment_plans import change, database, document, ttl, ttl_address

from firelift.environment.document import resource_changes
from firelift.environment.loss_table import JUDGEMENTS
from firelift.environment.losses import loss

MODULES = Path(__file__).resolve().parents[2] / "terraform/modules"
SCHEMA = Path(__file__).resolve().parents[3] / "shared/reference/google-provider-7.45.0-schema.json"

PROTECTED = {"delete_protection_state": "DELETE_PROTECTION_DISABLED"}
NO_RECOVERY = {"point_in_time_recovery_enablement": "POINT_IN_TIME_RECOVERY_DISABLED"}
DATABASE = "google_firestore_database.this"
SCHEDULE = 'google_firestore_backup_schedule.this["daily"]'
SECRET_RESOURCE = 'google_secret_manager_secret.this["api-key"]'  # noqa: S105 - an address
VERSION = 'google_secret_manager_secret_version.this["api-key"]'
RELEASE = "google_firebaserules_release.this"
TTL = ttl_address("old")


def offset(seconds: str) -> dict[str, Any]:
    """A TTL that waits for so long behind the field's time."""
    return {**ttl("telemetry", "expireAt"), "ttl_config": [{"state": "ACTIVE", "expiration_offset": seconds}]}


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        (change(DATABASE, "create", after=database()), ""),
        (change(DATABASE, "update", before=database(), after=database(etag="x")), ""),
        (change(DATABASE, "update", before=database(), after=database(**PROTECTED)), "delete protection goes off"),
        (change(DATABASE, "update", before=database(), after=database(**NO_RECOVERY)), "recovery goes off"),
        (change(DATABASE, "update", before=database(**NO_RECOVERY), after=database()), ""),
        (change(DATABASE, "delete", before=database(deletion_policy="DELETE")), "with all its documents"),
        (change(DATABASE, "delete", before=database()), "abandoned"),
        (
            change(
                DATABASE,
                "delete",
                "create",
                before=database(),
                after=database(location_id="eur3"),
                replace_paths=[["location_id"]],
            ),
            "because location_id (nam5 to eur3) changes",
        ),
        (
            change(
                DATABASE,
                "delete",
                "create",
                before=database(),
                after=database(),
                replace_paths=[["cmek_config", 0, "kms_key_name"]],
            ),
            "because cmek_config.0.kms_key_name changes",
        ),
        (
            change(DATABASE, "update", before=database(), after=database(**PROTECTED), importing={"id": "x"}),
            "delete protection goes off",
        ),
        (change(DATABASE, "no-op", before=database(), after=database(), importing={"id": "x"}), ""),
        (change(SCHEDULE, "delete", before={"retention": "604800s"}), "backup schedule daily goes"),
        (
            change(SCHEDULE, "update", before={"retention": "8467200s"}, after={"retention": "604800s"}),
            "for 7 days where it kept them for 98 days",
        ),
        (change(SCHEDULE, "update", before={"retention": "604800s"}, after={"retention": "8467200s"}), ""),
        (change(SCHEDULE, "update", before={"retention": "604800s"}, after={}), "may keep backups for less long"),
        (change(SECRET_RESOURCE, "delete", before={"secret_id": "api-key"}), "cannot be had again"),
        (change(SECRET_RESOURCE, "create", after={"secret_id": "api-key"}), ""),
        (change(VERSION, "delete", "create", before={}, after={}), "cannot be had again"),
        (change(VERSION, "create", "delete", before={"deletion_policy": "DISABLE"}, after={}), ""),
        (change("google_project.this", "delete", before={"project_id": "p"}), "project p is deleted with everything"),
        (
            change("google_project.this", "update", before={"billing_account": "A"}, after={"billing_account": ""}),
            "is billed to none instead of A",
        ),
        (
            change('google_project_service.this["x"]', "delete", before={"service": "x", "disable_on_destroy": False}),
            "",
        ),
        (change('google_project_service.this["x"]', "delete", before={"service": "x"}), "disabled for everybody"),
        (change("google_monitoring_dashboard.this", "delete", before={}), ""),
        (change('google_project_iam_member.this["x"]', "delete", before={}), ""),
        (change("terraform_data.x", "delete", "create", before={}, after={}), ""),
        (change("google_storage_bucket.this", "delete", before={}), "nobody has said that this loses nothing"),
        (change("google_storage_bucket.this", "update", before={}, after={}), "nobody has said"),
        (change("google_storage_bucket.this", "create", after={}), "is made, and nobody has said"),
        (change("google_storage_bucket.this", "forget", before={}), ""),
        (change("google_storage_bucket.this", "delete", before={}, deposed="1a2b"), "nobody has said"),
        # What only looks like something harmless.
        (change("kubernetes_namespace.this", "delete", before={}), "kubernetes_namespace is deleted"),
        (change("helm_release.this", "delete", before={}), "helm_release is deleted"),
        (change("google_project_iam_policy.this", "create", after={}), "google_project_iam_policy is made"),
        (change("google_project_iam_binding.this", "update", before={}, after={}), "google_project_iam_binding"),
        (change("google_service_account_key.this", "delete", before={}), "google_service_account_key is deleted"),
        (change('google_service_account.this["app"]', "delete", before={}), "service account app goes with its keys"),
        (change("google_monitoring_metric_descriptor.this", "delete", before={}), "nobody has said"),
        (change('google_logging_metric.this["errors"]', "delete", before={}), "cannot be counted again"),
        # Attributes that nobody has judged, and those whose values do not matter.
        (change(DATABASE, "update", before=database(), after=database(type="DATASTORE_MODE")), "type of this google_f"),
        (change(DATABASE, "update", before=database(), after=database(concurrency_mode="OPTIMISTIC")), ""),
        (change(DATABASE, "update", before=database(), after=database(deletion_policy="DELETE")), "for good"),
        (change(DATABASE, "update", before=database(), after={}, after_unknown={"tags": True}), "tags of this"),
        (change(SECRET_RESOURCE, "update", before={}, after={"labels": {"a": "b"}, "rotation": []}), ""),
        (change(SECRET_RESOURCE, "update", before={}, after={"expire_time": "2027-01-01T00:00:00Z"}), "2027-01-01T00"),
        (change(SECRET_RESOURCE, "update", before={"ttl": "864000s"}, after={"ttl": "60s"}), "60s instead of 864000s"),
        (
            change(SECRET_RESOURCE, "update", before={"version_destroy_ttl": "604800s"}, after={}),
            "can be had back for 0 days where it was 7 days",
        ),
        (
            change(SECRET_RESOURCE, "update", before={}, after={"version_destroy_ttl": "604800s"}),
            "",
        ),
        (
            change(SECRET_RESOURCE, "update", before={"deletion_protection": True}, after={}),
            "api-key is protected no more",
        ),
        (
            change(VERSION, "update", before={"deletion_policy": "DISABLE"}, after={"deletion_policy": "DELETE"}),
            "would delete api-key for good",
        ),
        (change(VERSION, "update", before={"enabled": True}, after={"enabled": False}), ""),
        (change(RELEASE, "update", before={"ruleset_name": "a"}, after={"ruleset_name": "b"}), "other security rules"),
        (change(RELEASE, "delete", "create", before={}, after={}), "other security rules"),
        (change(RELEASE, "create", after={"ruleset_name": "a"}), ""),
        (change("google_firebaserules_ruleset.this", "create", "delete", before={}, after={}), ""),
        (
            change(
                'google_project_service.this["x"]',
                "update",
                before={"disable_on_destroy": False},
                after={"disable_on_destroy": True},
            ),
            "would disable service x",
        ),
        (change("google_project.this", "update", before={"folder_id": "1"}, after={"folder_id": "2"}), "folder_id of"),
        (change("google_project.this", "update", before={"labels": {}}, after={"labels": {"a": "b"}}), ""),
        (change(TTL, "update", before=ttl("telemetry", "expireAt"), after=ttl("telemetry", "expireAt")), ""),
        (change(TTL, "update", before=offset("604800s"), after=offset("86400s")), "6 days sooner"),
        (
            change(TTL, "update", before=offset("604800s"), after=offset("")),
            "telemetry.expireAt deletes documents 7",
        ),
        (change(TTL, "update", before=offset("86400s"), after=offset("604800s")), ""),
        (change(TTL, "update", before=offset("86400s"), after={**offset(""), "ttl_config": []}), ""),
        (change(TTL, "delete", before=offset("86400s")), ""),
    ],
)
def test_what_a_change_loses_is_said_in_a_sentence(entry: dict[str, Any], sentence: str) -> None:
    (found,) = resource_changes(document(entry))
    said = loss(found)
    assert (sentence in said) if sentence else said == ""


COUNT_AS_LOSS = {
    "google_firestore_database": "app_engine_integration_mode cmek_config database_edition firestore_data_access_mode"
    " location_id mongodb_compatible_data_access_mode name project realtime_updates_mode tags type",
    "google_firestore_backup_schedule": "daily_recurrence database project weekly_recurrence",
    "google_firestore_index": "api_scope collection database density fields multikey project query_scope unique",
    "google_firestore_field": "collection database field project",
    "google_secret_manager_secret": "project replication secret_id tags",
    "google_secret_manager_secret_version": "is_secret_data_base64 project secret secret_data secret_data_wo"
    " secret_data_wo_version",
    "google_project": "auto_create_network folder_id org_id project_id tags",
    "google_project_service": "project service",
    "google_service_account": "account_id project",
    "google_project_iam_custom_role": "project role_id",
    "google_project_iam_member": "condition member project role",
    "google_secret_manager_secret_iam_member": "condition member project role secret_id",
    "google_service_account_iam_member": "condition member role service_account_id",
    "google_firebaserules_release": "name project",
    "google_firebaserules_ruleset": "project",
    "google_billing_budget": "",
    "google_logging_metric": "disabled project",
    "google_monitoring_alert_policy": "project",
    "google_monitoring_dashboard": "project",
    "google_monitoring_notification_channel": "project",
}
"""Attributes that were looked at and left to count as a loss; most of them only change by a replacement."""


def test_every_type_that_the_modules_make_is_judged() -> None:
    of_a_cluster = {"helm_release", "kubernetes_annotations", "kubernetes_service_account_v1"}
    texts = (path.read_text() for path in MODULES.rglob("*.tf") if "examples" not in path.parts)
    made = {found for text in texts for found in re.findall(r'^resource "(\w+)"', text, re.MULTILINE)}
    assert made - of_a_cluster == JUDGEMENTS.keys() - {"terraform_data"} == COUNT_AS_LOSS.keys()


@pytest.mark.skipif(not SCHEMA.exists(), reason="the provider's schema is not at hand")
@pytest.mark.parametrize("name", COUNT_AS_LOSS)
def test_every_attribute_of_the_provider_is_judged_or_counts_as_a_loss(name: str) -> None:
    block = json.loads(SCHEMA.read_text())["resource_schemas"][name]["block"]
    every = {*block["attributes"], *block.get("block_types", ())} - {"id", "skip_wait", "timeouts"}
    judged = JUDGEMENTS[name]
    known = (judged.harmless, frozenset(judged.changed), frozenset(COUNT_AS_LOSS[name].split()))
    # The schema at hand leaves out whatever is called a description.
    assert frozenset().union(*known) - {"description"} == every
    assert sum(map(len, known)) == len(frozenset().union(*known)), "none is judged twice"
