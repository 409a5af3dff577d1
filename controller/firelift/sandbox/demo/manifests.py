"""What a platform engineer would apply: an environment, two rollouts on it, the flags they publish, and approvals."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from firelift.sandbox.demo.metrics import REQUESTS

Manifest = dict[str, Any]

NAMESPACE = "productivity"
PROJECT = "productivityai-mvp"
GROUND = "productivityai"
LOGS = "logs-to-users"
TASKS = "tasks-reshaped"
PERCENTS = {"one-percent": 1, "ten-percent": 10, "fifty-percent": 50, "everyone": 100}
PROPAGATION_SECONDS = 2
SOAK_SECONDS = 5


@dataclass(frozen=True)
class Team:
    """Whose rollouts these are: a namespace with the objects, a project with the database."""

    namespace: str = NAMESPACE
    project: str = PROJECT

    @property
    def ledgers(self) -> list[str]:
        """The ids of both rollouts' ledgers, which are the seeds of their cohorts too."""
        return [f"{self.namespace}.{name}" for name in (LOGS, TASKS)]


DEMO = Team()


def namespace() -> Manifest:
    """The team's namespace."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}


def app_flags() -> Manifest:
    """The ConfigMap that the app follows. One key is the team's own and must stay as it is."""
    return _object(DEMO, "v1", "ConfigMap", "app-flags", data={"THEME": "dark"})


def logs_to_users(team: Team = DEMO) -> Manifest:
    """Fitness logs from a flat collection into each user's sub-collection."""
    migration = {
        "name": "fitness-logs",
        "source": {"collection": "fitness_logs"},
        "target": {"document": "users/{doc.userId}/fitness_logs/{id}"},
        "entityKey": "userId",
        "transform": {"rename": {"type": "logType"}, "set": {"createdAt": "timestamp(doc.ts)"}, "remove": ["ts"]},
        "validate": [
            {"rule": "out.calories >= 0 && out.calories <= 10000", "message": "calories must be within 0..10000"}
        ],
    }
    return _rollout(team, LOGS, migration, "logs", approved_before="everyone")


def tasks_reshaped(team: Team = DEMO) -> Manifest:
    """Tasks in place, in phases of 10, 50 and 100 %: a rename, two new fields, one removed."""
    migration = {
        "name": "tasks",
        "source": {"collection": "tasks"},
        "target": {"inPlace": {}},
        "entityKey": "userId",
        "appliesWhen": "!has(doc.schemaVersion)",
        "transform": {
            "rename": {"assignee": "assignedTo"},
            "set": {"schemaVersion": "2", "summary": "doc.title + ' due ' + string(doc.due)"},
            "remove": ["steps"],
        },
    }
    rollout = _rollout(team, TASKS, migration, "tasks")
    rollout["spec"]["phases"] = rollout["spec"]["phases"][1:]
    rollout["spec"]["onFailure"] = {"action": "Revert", "to": "RolloutStart"}
    return rollout


def environment() -> Manifest:
    """The ground of both: the database, the index that the new reads need, and what rings when it suffers."""
    fields = [{"path": "logType", "order": "ASCENDING"}, {"path": "createdAt", "order": "DESCENDING"}]
    index = {"collection": "fitness_logs", "scope": "COLLECTION_GROUP", "fields": fields}
    spec = {
        "project": {"id": PROJECT, "services": ["firestore.googleapis.com", "monitoring.googleapis.com"]},
        "database": {"location": "nam5", "pointInTimeRecovery": True, "backups": {"daily": {"retentionDays": 7}}},
        "indexes": {"composite": {"logs-by-type": index}},
        "observability": {
            "channels": {"on-call": {"type": "email", "labels": {"email_address": "oncall@example.com"}}},
            "alerts": {"errorRatio": {"above": "2%", "windowSeconds": 300, "channels": ["on-call"]}},
        },
        "terraform": {"apply": "Manual", "driftIntervalSeconds": 60},
    }
    return _object(DEMO, "firelift.dev/v1alpha1", "FirestoreEnvironment", GROUND, spec=spec)


def on_ground(rollout: Manifest) -> Manifest:
    """The rollout takes no step forward before its environment is Ready."""
    return {**rollout, "spec": {**rollout["spec"], "requires": {"environment": {"name": GROUND}}}}


def approval(kind: str, name: str, digest: str, approver: str, comment: str) -> Manifest:
    """A person's word that this very plan may go on."""
    spec = {
        "target": {"kind": kind, "name": name},
        "digest": digest,
        "decision": "Approve",
        "approver": approver,
        "comment": comment,
    }
    metadata = {"generateName": f"{name}-", "namespace": NAMESPACE}
    return {"apiVersion": "firelift.dev/v1alpha1", "kind": "MigrationApproval", "metadata": metadata, "spec": spec}


def _rollout(team: Team, name: str, migration: Manifest, service: str, approved_before: str = "") -> Manifest:
    spec = {
        "database": {"project": team.project},
        "pace": {"maxWritesPerSecond": 1_000, "batchSize": 100},
        "progressDeadlineSeconds": 120,
        "migrations": [migration],
        "gates": [_error_rate(service)],
        "phases": [
            _phase(phase, percent, migration["name"], service, approved=phase == approved_before)
            for phase, percent in PERCENTS.items()
        ],
    }
    return _object(team, "firelift.dev/v1alpha1", "MigrationRollout", name, spec=spec)


def _phase(name: str, percent: int, migration: str, service: str, *, approved: bool) -> Manifest:
    steps = [
        _publish("write-both", f"{service.upper()}_WRITE_BOTH", percent),
        {"migrate": {"migrations": [migration], "cohort": {"percent": percent}}},
        {"verify": {"sample": "100%", "maxMismatch": "0%", "recheckSeconds": 1}},
        _publish("read-new", f"{service.upper()}_READ_NEW", percent),
        {"soak": {"seconds": SOAK_SECONDS}},
    ]
    return {"name": name, "steps": [{"approve": {"count": 1}}, *steps] if approved else steps}


def _publish(name: str, key: str, percent: int) -> Manifest:
    flags = {
        "configMap": {"name": "app-flags"},
        "publishCohort": {key: percent},
        "propagationSeconds": PROPAGATION_SECONDS,
    }
    return {"name": name, "flags": flags}


def _error_rate(service: str) -> Manifest:
    requests = f'metric.type = "{REQUESTS}" AND metric.labels.service = "{service}"'
    return {
        "name": "error-rate",
        "cloudMonitoring": {
            "numerator": {"filter": f'{requests} AND metric.labels.result = "error"'},
            "denominator": {"filter": requests},
        },
        "limit": {"max": "1%"},
        "intervalSeconds": 1,
        "windowSeconds": 3,
        "delaySeconds": 1,
        "minSamples": 10,
        "failAfter": {"failures": 3, "of": 5},
    }


def _object(team: Team, api_version: str, kind: str, name: str, **body: Any) -> Manifest:
    metadata = {"name": name, "namespace": team.namespace}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **body}


def text(manifest: Manifest) -> str:
    """What kubectl reads."""
    return json.dumps(manifest)
