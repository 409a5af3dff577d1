"""An environment's surroundings in a test: a namespace, and a project of its own in Google Cloud's stand-in."""

from __future__ import annotations

import base64
import json
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.objects import Json, ObjectWorld

SYSTEM = "firelift-system"
INDEX = "telemetry-by-device"
COMPOSITE: Json = {
    INDEX: {
        "collection": "telemetry",
        "fields": [{"path": "tenant_id", "order": "ASCENDING"}, {"path": "timestamp_ms", "order": "DESCENDING"}],
    }
}


@dataclass
class Ground(ObjectWorld):
    """One environment named `prod`."""

    name: str = "prod"
    kind = "FirestoreEnvironment"
    plural = "firestoreenvironments"
    told = ("reason", "message", "planSummary", "indexesSummary", "conditions")

    def manifest(self, **spec: Any) -> Json:
        """A database with one composite index and a TTL."""
        return self.with_spec(
            {
                "project": {"id": self.project},
                "database": {"location": "nam5"},
                "indexes": {"composite": COMPOSITE},
                "ttls": {"telemetry": {"collection": "telemetry", "path": "expireAt"}},
                **spec,
            }
        )

    def approve(self) -> str:
        """Approve the plan at hand with all that it loses; its digest."""
        plan = self.until_reason("AwaitingApproval")["plan"]
        loses = [change["address"] for change in plan["changes"] if change["canLoseData"]]
        self.decide(plan["digest"], loses=loses)
        return str(plan["digest"])

    def ready(self, **spec: Any) -> Json:
        """Apply it, approve it where that is asked, and wait until it is Ready."""
        self.apply(self.manifest(**spec))
        if self.until_reason("AwaitingApproval", "Ready")["reason"] != "Ready":
            self.approve()
        return self.until_reason("Ready")

    def build_seconds(self, seconds: float) -> None:
        """How long an index takes to be built from now on."""
        self.control("builds", {"index_seconds": seconds})

    def slow(self, milliseconds: int) -> None:
        """Let each call to this project's database take so long."""
        self.control("faults", {"api": "firestore", "match": self.project, "latency_ms": milliseconds})

    # What is really there

    def indexes(self) -> list[str]:
        """The full names of the composite indexes that Firestore has."""
        found = self._firestore("GET", f"{self._database}/collectionGroups/-/indexes").get("indexes", [])
        return [str(index["name"]) for index in found]

    def databases(self) -> list[str]:
        """The databases that were created in the project."""
        found = self._firestore("GET", f"projects/{self.project}/databases").get("databases", [])
        return [str(database["name"]) for database in found]

    def create_index(self, collection: str, fields: dict[str, str]) -> str:
        """Somebody creates an index in the console; its full name."""
        body = {
            "queryScope": "COLLECTION",
            "fields": [{"fieldPath": path, "order": order} for path, order in fields.items()],
        }
        operation = self._firestore("POST", f"{self._database}/collectionGroups/{collection}/indexes", body)
        return str(operation["metadata"]["index"])

    def secret_value(self, name: str) -> str:
        """What Secret Manager holds."""
        found = self._call("GET", f"sm/v1/projects/{self.project}/secrets/{name}/versions/latest:access")
        return base64.b64decode(found["payload"]["data"]).decode()

    def locked(self) -> bool:
        """Whether the lock of the environment's state is held."""
        leases = self.listed("coordination.k8s.io", "leases", SYSTEM)
        mine = [each for each in leases if self.namespace in each["metadata"]["name"]]
        return any(each["spec"].get("holderIdentity") for each in mine)

    def delete_index(self, name: str) -> None:
        """Somebody deletes an index in the console."""
        self._firestore("DELETE", name)

    def kept(self) -> list[str]:
        """Names of the Secrets in the operator's namespace that hold something of this environment."""
        found = self.sandbox.kubectl("get", "secrets", "-n", SYSTEM, "-o", "name").split()
        return sorted(name.removeprefix("secret/") for name in found if self.namespace in name)

    def config_map(self, name: str) -> dict[str, str]:
        """The data of a ConfigMap."""
        found = self.core.read_namespaced_config_map(name, self.namespace, _request_timeout=10.0)
        return dict(found.data or {})

    def secret(self, name: str) -> dict[str, str]:
        """The data of a Secret, in clear; empty when there is none."""
        found = self.sandbox.kubectl("get", "secret", name, "-n", self.namespace, "--ignore-not-found", "-o", "json")
        data = json.loads(found or "{}").get("data") or {}
        return {key: base64.b64decode(value).decode() for key, value in data.items()}

    def bind_secrets(self) -> None:
        """Let the operator read and write Secrets of the environment's namespace."""
        account = f"--serviceaccount={SYSTEM}:firelift-operator"
        role = "--clusterrole=firelift-environment-secrets"
        self.sandbox.kubectl("create", "rolebinding", "secrets", "-n", self.namespace, account, role)

    def terraforms(self) -> list[int]:
        """Processes that work in directories of the operators' runs."""
        mark = f"{self.sandbox.directory}/terraform/".encode()
        return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and _works_in(entry, mark)]

    @property
    def _database(self) -> str:
        return f"projects/{self.project}/databases/(default)"

    def _firestore(self, method: str, path: str, body: Json | None = None) -> Json:
        return self._call(method, f"fs/v1/{path}", body)

    def _call(self, method: str, path: str, body: Json | None = None) -> Json:
        headers = {"Authorization": "Bearer sandbox", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.sandbox.google.rest_url}/{path}", data, headers, method=method)  # noqa: S310 - http
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - http
            document: Json = json.loads(answer.read() or b"{}")
        return document


def _works_in(entry: Path, mark: bytes) -> bool:
    try:
        return mark in (entry / "environ").read_bytes() and b"TF_DATA_DIR" in (entry / "environ").read_bytes()
    except OSError:  # it has ended meanwhile, or belongs to another user
        return False
