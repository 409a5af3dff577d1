"""The table that the sandbox's provider is made of, from the real provider's schema.

`python -m tests.terraform.provider_schema SCHEMA.json` writes it anew, from what `terraform providers schema -json`
says of hashicorp/google.
"""

import json
import sys
from pathlib import Path
from typing import Any

from firelift.sandbox.provider import MODULE

PINNED = MODULE / "internal" / "google" / "schema.json"
TYPES = (
    "google_billing_budget",
    "google_firebaserules_release",
    "google_firebaserules_ruleset",
    "google_firestore_backup_schedule",
    "google_firestore_database",
    "google_firestore_field",
    "google_firestore_index",
    "google_logging_metric",
    "google_monitoring_alert_policy",
    "google_monitoring_dashboard",
    "google_monitoring_notification_channel",
    "google_project",
    "google_project_iam_custom_role",
    "google_project_iam_member",
    "google_project_service",
    "google_secret_manager_secret",
    "google_secret_manager_secret_iam_member",
    "google_secret_manager_secret_version",
    "google_service_account",
    "google_service_account_iam_member",
)
# A schema whose descriptions were stripped has lost the attributes that are called `description` with them.
DESCRIBED = (
    "google_logging_metric",
    "google_logging_metric.metric_descriptor.labels",
    "google_monitoring_notification_channel",
    "google_project_iam_custom_role",
    "google_project_iam_member.condition",
    "google_secret_manager_secret_iam_member.condition",
    "google_service_account",
    "google_service_account_iam_member.condition",
)


def pinned(source: dict[str, Any]) -> dict[str, Any]:
    """Return the schemas of TYPES, each with its `description` attributes."""
    schemas = {name: json.loads(json.dumps(source["resource_schemas"][name])) for name in TYPES}
    for path in DESCRIBED:
        name, *blocks = path.split(".")
        block = schemas[name]["block"]
        for nested in blocks:
            block = block["block_types"][nested]["block"]
        block["attributes"].setdefault("description", {"type": "string", "optional": True})
    return {"provider": "hashicorp/google 7.45.0", "resource_schemas": {name: _bare(schemas[name]) for name in TYPES}}


def _bare(node: Any) -> Any:
    """Leave out what is written for people: a description that is a text, and how it is formatted."""
    if not isinstance(node, dict):
        return node
    told = {"description_kind"} | {key for key in ("description",) if isinstance(node.get(key), str)}
    return {key: _bare(value) for key, value in node.items() if key not in told}


def attributes(block: dict[str, Any], path: str = "") -> dict[str, tuple[object, ...]]:
    """Return what the configuration language sees of a block: of each path its type and flags, or its nesting."""
    found: dict[str, tuple[object, ...]] = {}
    for name, attribute in block.get("attributes", {}).items():
        flags = ("required", "optional", "computed", "sensitive", "write_only")
        found[path + name] = (json.dumps(attribute["type"]), *(bool(attribute.get(flag)) for flag in flags))
    for name, nested in block.get("block_types", {}).items():
        bounds = nested.get("min_items", 0), nested.get("max_items", 0)
        found[path + name] = (nested["nesting_mode"], *bounds)
        found |= attributes(nested["block"], f"{path}{name}.")
    return found


if __name__ == "__main__":
    document = json.loads(Path(sys.argv[1]).read_text())
    source = document.get("provider_schemas", {}).get("registry.terraform.io/hashicorp/google", document)
    text = json.dumps(pinned(source), indent=1, sort_keys=True)
    PINNED.write_text(text + "\n")
