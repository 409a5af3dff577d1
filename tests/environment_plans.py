"""Plans as Terraform shows them, as short as tests want them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

MODULES = "module.environment.module.firestore."
DATABASE = "google_firestore_database.this"


def index_address(key: str) -> str:
    return f'google_firestore_index.composite["{key}"]'


def ttl_address(key: str) -> str:
    return f'google_firestore_field.ttl["{key}"]'


def change(
    address: str,
    *actions: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """One entry of `resource_changes`; keywords beside `before` and `after` are its other keys, or the change's."""
    name = address.rpartition(MODULES)[2]
    kind, _, rest = name.partition(".")
    entry: dict[str, Any] = {
        "address": address,
        "mode": "managed",
        "type": kind,
        "name": rest.partition("[")[0],
        "provider_name": "registry.terraform.io/hashicorp/google",
        "change": {
            "actions": list(actions),
            "before": before,
            "after": after,
            "after_unknown": more.pop("after_unknown", {}),
        },
    }
    if "[" in rest:
        entry["index"] = rest.partition('["')[2].removesuffix('"]')
    for key in ("importing", "replace_paths"):
        if key in more:
            entry["change"][key] = more.pop(key)
    return {**entry, **more}


def document(*changes: Mapping[str, Any], outputs: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A whole plan."""
    return {
        "format_version": "1.2",
        "terraform_version": "1.11.4",
        "resource_changes": list(changes),
        "output_changes": dict(outputs or {}),
        "complete": True,
        "errored": False,
    }


def index(collection: str, *paths: str, scope: str = "COLLECTION") -> dict[str, Any]:
    """A `google_firestore_index`; a path with a minus before it descends."""
    fields: list[dict[str, Any]] = [
        {
            "field_path": path.removeprefix("-"),
            "order": "DESCENDING" if path.startswith("-") else "ASCENDING",
            "array_config": "",
            "vector_config": [],
        }
        for path in paths
    ]
    return {"collection": collection, "query_scope": scope, "fields": fields, "database": "(default)"}


def spec_index(collection: str, *paths: str) -> dict[str, Any]:
    """The same index in a spec."""
    fields = (
        {"path": path.removeprefix("-"), "order": "DESCENDING" if path.startswith("-") else "ASCENDING"}
        for path in paths
    )
    return {"collection": collection, "fields": list(fields)}


def ttl(collection: str, path: str) -> dict[str, Any]:
    """A `google_firestore_field` with a TTL and no single-field indexes."""
    return {
        "collection": collection,
        "field": path,
        "ttl_config": [{"state": "ACTIVE"}],
        "index_config": [{"indexes": []}],
    }


def database(**attributes: Any) -> dict[str, Any]:
    """A protected `google_firestore_database`."""
    return {
        "name": "(default)",
        "location_id": "nam5",
        "type": "FIRESTORE_NATIVE",
        "point_in_time_recovery_enablement": "POINT_IN_TIME_RECOVERY_ENABLED",
        "delete_protection_state": "DELETE_PROTECTION_ENABLED",
        "deletion_policy": "ABANDON",
        "etag": "first",
        **attributes,
    }


def difference(
    have: Mapping[str, Mapping[str, Any]],
    want: Mapping[str, Mapping[str, Any]],
    *,
    moved: Mapping[str, str],
    importing: Mapping[str, str],
) -> Iterable[dict[str, Any]]:
    """What Terraform would do to get from one ground to another, resources by their full addresses."""
    for address in sorted({*have, *want}):
        before, after = have.get(address), want.get(address)
        extra: dict[str, Any] = {}
        if address in moved:
            extra["previous_address"] = moved[address]
        if address in importing:
            extra["importing"] = {"id": importing[address]}
        if before is None:
            yield change(address, "create", after=after, **extra)
        elif after is None:
            yield change(address, "delete", before=before, **extra)
        elif before == after:
            yield change(address, "no-op", before=before, after=after, **extra)
        elif "google_firestore_index" in address:
            yield change(address, "delete", "create", before=before, after=after, **extra)
        else:
            yield change(address, "update", before=before, after=after, **extra)
