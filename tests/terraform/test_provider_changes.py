"""What is changed in place, and what makes a new object: as in the real provider."""

import json
import re

from tests.terraform.cloud import Cloud
from tests.terraform.configuration import Configuration
from tests.terraform.test_provider import EVERYTHING

IN_PLACE = {
    "google_project.created": ('team = "storage"', 'team = "search"'),
    "google_firestore_database.this": ("POINT_IN_TIME_RECOVERY_ENABLED", "POINT_IN_TIME_RECOVERY_DISABLED"),
    "google_firestore_field.override": ('order = "ASCENDING"', 'order = "DESCENDING"'),
    "google_firestore_backup_schedule.daily": ("604800s", "1209600s"),
    "google_service_account.app": ("The app", "An app"),
    "google_project_iam_custom_role.worker": ("datastore.entities.create", "datastore.entities.update"),
    "google_secret_manager_secret.key": ('team = "storage"', 'team = "search"'),
    "google_monitoring_notification_channel.mail": ("oncall@example.test", "night@example.test"),
    "google_monitoring_notification_channel.chat": (
        'auth_token_wo         = "a-token"\n    auth_token_wo_version = "1"',
        'auth_token_wo         = "b-token"\n    auth_token_wo_version = "2"',
    ),
    "google_monitoring_alert_policy.errors": ("> 0.02", "> 0.03"),
    "google_monitoring_alert_policy.reads": ("enabled      = false", "enabled      = true"),
    "google_monitoring_dashboard.this": ('displayName = "firestore"', 'displayName = "database"'),
    "google_logging_metric.errors": ("severity>=ERROR", "severity>=WARNING"),
    "google_billing_budget.monthly": ('units         = "100"', 'units         = "200"'),
}
ANEW = {
    "google_firestore_database.this": ("nam5", "eur3"),
    "google_firestore_index.composite": ('order      = "DESCENDING"', 'order      = "ASCENDING"'),
    "google_firestore_field.ttl": ('"expireAt"', '"expiresAt"'),
    "google_firestore_backup_schedule.weekly": ("SUNDAY", "MONDAY"),
    "google_service_account.app": ("bas-app-prod", "bas-app-live"),
    "google_project_iam_custom_role.worker": ('"firelift_worker"', '"firelift_other"'),
    "google_project_iam_member.database": ("only-default", "only-this"),
    "google_secret_manager_secret.key": ('secret_id = "api-key"', 'secret_id = "app-key"'),
    "google_secret_manager_secret.spread": ("europe-west4", "europe-west3"),
    "google_secret_manager_secret_version.key": ("secret_data_wo_version = 1", "secret_data_wo_version = 2"),
    "google_secret_manager_secret_version.spread": ("in-the-state-too", "another"),
    "google_logging_metric.errors": ("app/errors", "app/failures"),
    "google_firebaserules_ruleset.this": ("allow read: if false", "allow read, write: if false"),
    "google_firebaserules_release.this": ('"cloud.firestore"', '"cloud.firestore/other"'),
}


def changed(table: dict[str, tuple[str, str]]) -> str:
    """Return the configuration with the change of each resource made in its own block."""
    result = EVERYTHING
    for address, (before, after) in table.items():
        kind, name = address.split(".")
        block = re.search(rf'resource "{kind}" "{name}" {{\n.*?\n}}\n', result, re.DOTALL)
        assert block is not None, address
        assert before in block[0], address
        result = result.replace(block[0], block[0].replace(before, after))
    return result


def test_what_the_api_can_change_is_changed_in_place(terraform: Configuration, cloud: Cloud) -> None:
    terraform.write(EVERYTHING)
    terraform.apply()
    terraform.write(changed(IN_PLACE))

    assert terraform.changes() == {address: ["update"] for address in IN_PLACE}
    terraform.run("apply", "test.plan")

    assert terraform.changes() == {}
    channel = terraform.state()["google_monitoring_notification_channel.chat"]["name"]
    assert cloud.call("GET", f"mon/v3/{channel}")["labels"]["channel_name"] == "#shop"


def test_what_the_api_cannot_change_is_made_anew(terraform: Configuration) -> None:
    terraform.write(EVERYTHING)
    terraform.apply()
    terraform.write(changed(ANEW))

    planned = terraform.changes()

    assert {address: planned.get(address) for address in ANEW} == {address: ["delete", "create"] for address in ANEW}


def test_a_secret_that_is_write_only_is_in_no_plan_and_no_state(terraform: Configuration, cloud: Cloud) -> None:
    terraform.write(EVERYTHING)
    terraform.run("plan", "-out=secret.plan")
    shown = terraform.run("show", "-json", "secret.plan").stdout
    terraform.run("apply", "secret.plan")

    assert "only-in-the-configuration" not in json.dumps(json.loads(shown)["resource_changes"])
    assert "only-in-the-configuration" not in (terraform.directory / "terraform.tfstate").read_text()
    payload = cloud.call("GET", "sm/v1/projects/PROJECT/secrets/api-key/versions/1:access")["payload"]["data"]
    assert payload == "b25seS1pbi10aGUtY29uZmlndXJhdGlvbg=="
