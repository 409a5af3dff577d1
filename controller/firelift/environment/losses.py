"""Which changes can lose data, and what they lose, as a sentence. Anything that is not known to be harmless can."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

from firelift.api.environment.status import Action
from firelift.environment.document import ResourceChange

LossRule: TypeAlias = Callable[[ResourceChange], str]
"""What a change loses; empty when nothing."""

DATABASE = "google_firestore_database"
INDEX = "google_firestore_index"
FIELD = "google_firestore_field"

_HARMLESS = (
    "google_billing_budget",
    "google_firebaserules_",
    "google_logging_metric",
    "google_monitoring_",
    "google_project_iam_",
    "google_secret_manager_secret_iam_",
    "google_service_account",
    "helm_release",
    "kubernetes_namespace",
    "kubernetes_service_account",
    "terraform_data",
)
"""Types that hold no data: they can be made again from the spec. Indexes and TTLs are judged by what uses them."""

_DAY = 86_400


def loss(change: ResourceChange) -> str:
    """What the change itself loses, whatever the database holds; empty when nothing."""
    if change.action in {Action.FORGET, Action.CREATE}:
        return ""
    if change.action is Action.IMPORT:
        return ""
    if change.deposed and change.type != INDEX and not change.type.startswith(_HARMLESS):
        return f"a replaced {change.type} is deleted for good"
    rule = _RULES.get(change.type)
    if rule is not None:
        return rule(change)
    if change.type.startswith(_HARMLESS) or not change.removes:
        return ""
    return f"a {change.type} is deleted, and nobody has said that this loses nothing"


def _database(change: ResourceChange) -> str:
    name = change.before.get("name") or change.key or "(default)"
    if change.action is Action.DELETE:
        if change.before.get("deletion_policy") == "DELETE":
            return f"database {name} is deleted with all its documents, indexes and point-in-time recovery"
        return f"database {name} is abandoned: it stays, is billed, and nothing here knows of it any more"
    if change.action is Action.REPLACE:
        return f"database {name} is deleted with all its documents and made anew, because {_why(change)} changes"
    lost = [
        sentence
        for attribute, value, sentence in (
            (
                "point_in_time_recovery_enablement",
                "POINT_IN_TIME_RECOVERY_ENABLED",
                "point-in-time recovery goes off: versions of the last seven days go with it",
            ),
            (
                "delete_protection_state",
                "DELETE_PROTECTION_ENABLED",
                "delete protection goes off: whoever may delete the database can",
            ),
        )
        if _leaves(change, attribute, value)
    ]
    return "; ".join(lost)


def _leaves(change: ResourceChange, attribute: str, value: str) -> bool:
    return change.before.get(attribute) == value and change.after.get(attribute) != value


def _backup_schedule(change: ResourceChange) -> str:
    name = change.key or change.name
    if change.removes:
        return f"backup schedule {name} goes: no more backups are made by it"
    before, after = _seconds(change.before.get("retention")), _seconds(change.after.get("retention"))
    if before is None or after is None:
        return "" if change.before.get("retention") == change.after.get("retention") else _unclear_retention(change)
    if after < before:
        return f"backup schedule {name} keeps backups for {_days(after)} where it kept them for {_days(before)}"
    return ""


def _unclear_retention(change: ResourceChange) -> str:
    return f"backup schedule {change.key or change.name} may keep backups for less long"


def _seconds(retention: Any) -> float | None:
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)s", str(retention))
    return float(match.group(1)) if match else None


def _days(seconds: float) -> str:
    return f"{seconds / _DAY:g} days"


def _secret(change: ResourceChange) -> str:
    if not change.removes:
        return ""
    return f"secret {change.before.get('secret_id') or change.key} goes with its values, which cannot be had again"


def _secret_version(change: ResourceChange) -> str:
    if not change.removes or change.before.get("deletion_policy") in {"ABANDON", "DISABLE"}:
        return ""
    return f"a value of secret {change.key or change.name} is destroyed and cannot be had again"


def _project(change: ResourceChange) -> str:
    project = change.before.get("project_id") or change.key
    if change.removes:
        return f"project {project} is deleted with everything in it"
    before, after = change.before.get("billing_account"), change.after.get("billing_account")
    if before and before != after:
        other = f"billing account {after}" if after else "none"
        return f"project {project} is billed to {other} instead of {before}: without billing its data goes"
    return ""


def _service(change: ResourceChange) -> str:
    if not change.removes or change.before.get("disable_on_destroy") is False:
        return ""
    return f"service {change.before.get('service') or change.key} is disabled for everybody in the project"


def _by_its_use(_: ResourceChange) -> str:
    return ""


def _why(change: ResourceChange) -> str:
    told = [_told(change, path) for path in change.replaced_for]
    return ", ".join(told) or "something that cannot be changed"


def _told(change: ResourceChange, path: str) -> str:
    before, after = change.before.get(path), change.after.get(path)
    plain = all(isinstance(value, str | int | bool) for value in (before, after))
    return f"{path} ({before} to {after})" if plain else path


_RULES: Mapping[str, LossRule] = MappingProxyType(
    {
        DATABASE: _database,
        "google_firestore_backup_schedule": _backup_schedule,
        INDEX: _by_its_use,
        FIELD: _by_its_use,
        "google_secret_manager_secret": _secret,
        "google_secret_manager_secret_version": _secret_version,
        "google_project": _project,
        "google_project_service": _service,
    }
)
