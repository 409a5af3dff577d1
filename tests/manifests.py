"""Manifests that are right, and small edits to them."""

import copy
from typing import Any

from firelift.api.base import API_VERSION

Manifest = dict[str, Any]
Edit = tuple[str, Any]
"""A path such as ``spec.phases.0.name`` and the value to put there; a number one past the end appends."""

REMOVE = object()
"""The value that takes a field or an item away."""

COPY = {
    "name": "logs",
    "source": {"collection": "fitness_logs"},
    "target": {"document": "users/{doc.userId}/fitness_logs/{id}"},
    "entityKey": "userId",
    "entityCollection": "users",
    "transform": {"rename": {"type": "logType"}, "set": {"createdAt": "timestamp(doc.ts)"}, "remove": ["ts"]},
    "reverse": {"transform": {"set": {"ts": "int(doc.createdAt)"}, "remove": ["createdAt"]}},
    "validate": [{"rule": "out.calories >= 0", "message": "calories must not be negative"}],
}
IN_PLACE = {
    "name": "tasks",
    "source": {"collectionGroup": "tasks"},
    "target": {"inPlace": {}},
    "appliesWhen": "!has(doc.version)",
    "transform": {"set": {"version": "2"}},
}
RATIO_GATE = {
    "name": "error-rate",
    "cloudMonitoring": {
        "numerator": {"filter": 'metric.type = "errors"'},
        "denominator": {"filter": 'metric.type = "requests"', "aligner": "ALIGN_DELTA", "reducer": "REDUCE_SUM"},
    },
    "limit": {"max": "0.1%"},
    "failAfter": {"failures": 3, "of": 5},
}
TELEMETRY_INDEX = {
    "collection": "telemetry",
    "fields": [
        {"path": "tenant_id", "order": "ASCENDING"},
        {"path": "device_id", "order": "ASCENDING"},
        {"path": "timestamp_ms", "order": "DESCENDING"},
    ],
}
INDEX_GATE = {
    "name": "indexes",
    "environment": {"name": "productivityai-prod", "condition": "IndexesReady"},
    "limit": {"min": "1"},
}
LEDGER_GATE = {"name": "dead-letters", "ledger": {"metric": "deadLetters"}, "limit": {"condition": "value < 10.0"}}


def flags(key: str, percent: int) -> Manifest:
    """A step that publishes a percent."""
    return {"flags": {"configMap": {"name": "app-flags"}, "publishCohort": {key: percent}}}


def migrate(percent: int, *migrations: str) -> Manifest:
    """A step that moves a cohort."""
    return {"migrate": {"migrations": list(migrations), "cohort": {"percent": percent}}}


def phase(name: str, percent: int) -> Manifest:
    """A phase with each verb."""
    steps = [
        {"name": "write-both", **flags("WRITE_BOTH", percent)},
        migrate(percent, "logs", "tasks"),
        {"verify": {}},
        {"name": "read-new", **flags("READ_NEW", percent)},
        {"soak": {"seconds": 600}},
        {"approve": {}},
        {"sweep": {"maxPasses": 3, "pauseSeconds": 60}},
        {"delete": {"migrations": ["logs"]}},
    ]
    return {"name": name, "steps": steps}


def rollout(*edits: Edit, name: str = "right") -> Manifest:
    """A rollout of two migrations in two phases, with these edits."""
    spec = {
        "database": {"project": "productivityai-mvp"},
        "requires": {
            "environment": {"name": "productivityai-prod"},
            "rollouts": [
                {"name": "right", "namespace": "staging", "soakedSeconds": 86400},
                {"digest": "sha256:" + "0" * 64, "same": "Migrations"},
            ],
        },
        "promotesTo": ["production"],
        "worker": {"env": [{"name": "MODE", "value": "careful"}]},
        "migrations": [COPY, IN_PLACE],
        "gates": [RATIO_GATE, LEDGER_GATE, INDEX_GATE],
        "phases": [phase("one-percent", 1), phase("everyone", 100)],
    }
    return edited(
        {"apiVersion": API_VERSION, "kind": "MigrationRollout", "metadata": {"name": name}, "spec": spec}, *edits
    )


def approval(*edits: Edit, name: str = "right") -> Manifest:
    """An approval of nothing in particular, with these edits."""
    spec = {
        "target": {"name": "right"},
        "digest": "sha256:" + "0" * 64,
        "decision": "Approve",
        "approver": "sandbox-admin",
    }
    kind = {"apiVersion": API_VERSION, "kind": "MigrationApproval"}
    return edited({**kind, "metadata": {"name": name}, "spec": spec}, *edits)


def environment(*edits: Edit, name: str = "right") -> Manifest:
    """An environment with something in every section, with these edits."""
    spec = {
        "project": {
            "id": "productivityai-mvp",
            "create": {"name": "ProductivityAI", "folder": "123456789012", "billingAccount": "000000-000000-000000"},
            "services": ["firestore.googleapis.com"],
            "labels": {"team": "productivity"},
            "budgets": {"monthly": {"amount": 100, "channels": ["on-call"]}},
        },
        "database": {"location": "nam5", "backups": {"daily": {"retentionDays": 7}}},
        "indexes": {
            "composite": {"telemetry-by-device": TELEMETRY_INDEX},
            "fields": {"telemetry-payload": {"collection": "telemetry", "path": "payload", "indexed": False}},
        },
        "ttls": {"telemetry": {"collection": "telemetry", "path": "expireAt"}},
        "access": {
            "accounts": {"bas-app-prod": {"roles": ["roles/datastore.user"], "secrets": ["api-key"]}},
            "workers": {"workloadIdentity": {"namespace": "productivity", "serviceAccount": "firelift-worker"}},
        },
        "observability": {
            "channels": {"on-call": {"type": "email", "labels": {"email_address": "oncall@example.com"}}},
            "alerts": {
                "readsPerDay": {"above": 1_000_000, "channels": ["on-call"]},
                "errorRatio": {"above": "2%", "channels": ["on-call"], "severity": "CRITICAL"},
                "latencyP95": {"above": "800ms", "channels": ["on-call"]},
                "availability": {"below": "99.5%", "channels": ["on-call"]},
            },
            "logMetrics": {"app-errors": {"filter": "severity>=ERROR"}},
        },
        "secrets": {"api-key": {"valueFrom": {"name": "app-secrets", "key": "api-key"}}, "other": {}},
        "rules": {"fromConfigMap": {"name": "firestore-rules"}},
    }
    kind = {"apiVersion": API_VERSION, "kind": "FirestoreEnvironment"}
    return edited({**kind, "metadata": {"name": name}, "spec": spec}, *edits)


def edited(manifest: Manifest, *edits: Edit) -> Manifest:
    """A copy of the manifest with these edits."""
    manifest = copy.deepcopy(manifest)
    for path, value in edits:
        *parents, last = path.split(".")
        place: Any = manifest
        for part in parents:
            place = place[_key(place, part)]
        key = _key(place, last)
        if value is REMOVE:
            del place[key]
        elif isinstance(place, list) and key == len(place):
            place.append(copy.deepcopy(value))
        else:
            place[key] = copy.deepcopy(value)
    return manifest


def _key(place: Any, part: str) -> Any:
    return int(part) if isinstance(place, list) else part
