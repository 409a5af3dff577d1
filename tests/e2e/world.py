"""A rollout's surroundings in a test: a namespace, a database, an app's data and its metric.

What is checked here is computed by the official Firestore client and by code of its own.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore
from tests.e2e.objects import Json, ObjectWorld

from firelift.sandbox.marks import find

PLURAL = "migrationrollouts"
METRIC = "custom.googleapis.com/e2e/error_percent"
USERS = 200
EPOCH = datetime(2025, 1, 1, tzinfo=UTC)


def bucket(seed: str, entity: str) -> int:
    """The published hash, written down once more."""
    return int.from_bytes(hashlib.sha256(f"{seed}\0{entity}".encode()).digest()[:8], "big") % 10_000


def original(number: int) -> Json:
    """A document of the app as it was."""
    return {
        "userId": f"user-{number % USERS}",
        "type": ["run", "swim", "ride"][number % 3],
        "calories": number,
        "ts": (EPOCH + timedelta(minutes=number)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "place": firestore.GeoPoint(number % 90, -number % 90),
    }


def moved(document: Mapping[str, Any]) -> Json:
    """The same document in the new shape."""
    new = {name: value for name, value in document.items() if name not in {"type", "ts"}}
    new["logType"] = document["type"]
    new["createdAt"] = datetime.strptime(document["ts"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    return new


@dataclass
class World(ObjectWorld):
    """One namespace, one database and one rollout named `logs`."""

    name: str = "logs"
    error_percent: float | None = 0.0
    kind = "MigrationRollout"
    plural = PLURAL
    told = ("reason", "message", "phase", "step", "progress")
    _stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.database = firestore.Client(self.project, credentials=AnonymousCredentials())  # type: ignore[no-untyped-call] # the official client is typed only in part
        self._meter = threading.Thread(target=self._report, daemon=True)
        self._meter.start()

    def close(self) -> None:
        """Report no more."""
        self._stop.set()
        self._meter.join(10)

    def leases(self) -> list[Json]:
        """The shares of the database's write budget."""
        budget = self.database.document("firelift_pace/budget").get().to_dict() or {}
        leases: list[Json] = budget["leases"]
        return leases

    # The app's data

    def seed(self, count: int) -> None:
        """Documents 0 to `count` in the old shape."""
        for start in range(0, count, 400):
            batch = self.database.batch()
            for number in range(start, min(start + 400, count)):
                batch.set(self.database.document(f"logs/{number:05d}"), original(number))
            batch.commit()

    def source(self) -> dict[str, Json]:
        """The old documents by their ids."""
        return {each.id: each.to_dict() or {} for each in self.database.collection("logs").stream()}

    def target(self) -> dict[str, Json]:
        """The new documents by their paths."""
        return {
            each.reference.path: each.to_dict() or {}
            for each in self.database.collection_group("logs").stream()
            if each.reference.path.startswith("users/")
        }

    def expected(self, percent: int, source: Mapping[str, Json] | None = None) -> dict[str, Json]:
        """What the new documents must be when this much has moved."""
        seed = f"{self.namespace}.{self.name}"
        documents = self.source() if source is None else source
        return {
            f"users/{each['userId']}/logs/{name}": moved(each)
            for name, each in documents.items()
            if bucket(seed, each["userId"]) < percent * 100
        }

    def entries(self) -> list[Json]:
        """All journal entries of the ledger."""
        return [each.to_dict() or {} for each in self.database.collection_group("firelift_journal").stream()]

    # The objects

    def manifest(self, phases: list[Json], **spec: Any) -> Json:
        """A rollout of this world."""
        return self.with_spec(
            {
                "database": {"project": self.project},
                "pace": {"maxWritesPerSecond": 5000, "batchSize": 20},
                "worker": {"parallelism": 1},
                "migrations": [MIGRATION],
                "phases": phases,
                **spec,
            }
        )

    def approve(self, decision: str = "Approve", **spec: Any) -> None:
        """Decide on what the status asks for, as the administrator."""
        self.decide(**{"digest": self.status()["approval"]["digest"], "decision": decision, **spec})

    def flags(self) -> dict[str, str]:
        """The app's flags."""
        data = self.core.read_namespaced_config_map("app-flags", self.namespace, _request_timeout=10.0).data
        return dict(data or {})

    def jobs(self) -> list[str]:
        """The names of the Jobs in the namespace."""
        return [each["metadata"]["name"] for each in self.listed("batch", "jobs", self.namespace)]

    def lock_leases(self) -> list[str]:
        """The collection groups that `kubectl get leases` shows as held by the rollout."""
        leases = self.listed("coordination.k8s.io", "leases", "firelift-system")
        found = [each for each in leases if each["metadata"]["name"].startswith("lock-")]
        mine = (each for each in found if each["spec"].get("holderIdentity") == f"{self.namespace}/{self.name}")
        return sorted(each["metadata"]["annotations"]["firelift.dev/collection-group"] for each in mine)

    def workers(self) -> list[int]:
        """The pids of the rollout's workers."""
        return find("FIRELIFT_LEDGER", f"{self.namespace}.{self.name}")

    def held_seconds(self) -> float:
        """For how long a run has been told to hold; 0 while none is."""
        documents = self.database.collection_group("firelift_runs").stream()
        held = [each for each in documents if (each.to_dict() or {}).get("state") == "Hold"]
        return max((seconds(each.read_time) - seconds(each.update_time) for each in held), default=0.0)

    def written_once(self) -> bool:
        """Whether no new document was written again after its creation."""
        created = [
            (each.create_time, each.update_time)
            for each in self.database.collection_group("logs").stream()
            if each.reference.path.startswith("users/")
        ]
        return all(first == last for first, last in created)

    # The provider of metrics

    def fault(self, **fault: Any) -> None:
        """Break the provider of metrics for this world's gates."""
        self.control("faults", {"method": "ListTimeSeries", "match": self.namespace, **fault})

    def _report(self) -> None:
        while not self._stop.wait(0.2):
            if self.error_percent is not None:
                point = {"project": self.project, "metric": METRIC, "value": self.error_percent}
                self.control("points", point | {"labels": {"world": self.namespace}})


def seconds(time: Any) -> float:
    """Of a stamp as a stream of documents has it."""
    return float(time.seconds + time.nanos / 1e9)


MIGRATION: Json = {
    "name": "logs",
    "source": {"collection": "logs"},
    "target": {"document": "users/{doc.userId}/logs/{id}"},
    "entityKey": "userId",
    "transform": {"rename": {"type": "logType"}, "set": {"createdAt": "timestamp(doc.ts)"}, "remove": ["ts"]},
}


def gate(world: World, **changes: Any) -> Json:
    """A gate on the world's metric that is judged every second."""
    query = {"filter": f'metric.type = "{METRIC}" AND metric.labels.world = "{world.namespace}"'}
    return {
        "name": "error-rate",
        "cloudMonitoring": {"query": {**query, "aligner": "ALIGN_MEAN", "reducer": "REDUCE_MEAN"}},
        "limit": {"max": "1"},
        "intervalSeconds": 1,
        "windowSeconds": 1,
        "delaySeconds": 0,
        **changes,
    }


def flags(name: str, key: str, percent: int) -> Json:
    """A step that publishes a cohort."""
    publish = {"configMap": {"name": "app-flags"}, "publishCohort": {key: percent}, "propagationSeconds": 0}
    return {"name": name, "flags": publish}


def migrate(percent: int) -> Json:
    """A step that moves a cohort."""
    return {"migrate": {"migrations": ["logs"], "cohort": {"percent": percent}}}


def verify() -> Json:
    """A step that compares everything."""
    return {"verify": {"sample": "100%", "maxMismatch": "0%", "recheckSeconds": 0}}


def soak(seconds: int, evidence: str = "None") -> Json:
    """A step that waits."""
    return {"soak": {"seconds": seconds, "evidence": evidence}}


def phase(name: str, percent: int, *more: Json) -> Json:
    """A phase that moves a cohort and compares it."""
    write, read = flags("write-both", "WRITE_BOTH", percent), flags("read-new", "READ_NEW", percent)
    return {"name": name, "steps": [write, migrate(percent), verify(), read, *more]}
