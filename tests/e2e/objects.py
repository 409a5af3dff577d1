"""A custom resource in a test: applied, changed, decided on and waited for as people and pipelines do it."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from kubernetes import client

from firelift.sandbox.sandbox import Sandbox

Json = dict[str, Any]

GROUP, VERSION = "firelift.dev", "v1alpha1"
_POLL_SECONDS = 0.1


@dataclass
class ObjectWorld:
    """One object in a namespace of its own."""

    sandbox: Sandbox
    namespace: str
    project: str
    objects: client.CustomObjectsApi
    core: client.CoreV1Api
    name: str

    kind: ClassVar[str]
    plural: ClassVar[str]
    told: ClassVar[tuple[str, ...]]
    """What of the status a failure shows."""

    def wide(self) -> str:
        """What `kubectl get -o wide` shows of it."""
        return self.sandbox.kubectl("get", self.plural, self.name, "-n", self.namespace, "-o", "wide")

    def with_spec(self, spec: Json) -> Json:
        """The manifest with this spec."""
        return {
            "apiVersion": f"{GROUP}/{VERSION}",
            "kind": self.kind,
            "metadata": {"name": self.name, "namespace": self.namespace},
            "spec": spec,
        }

    def apply(self, manifest: Json) -> str:
        """Apply as a pipeline would."""
        return self.sandbox.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(manifest))

    def patch(self, **spec: Any) -> None:
        """Change the spec as on-call would."""
        self.sandbox.kubectl(
            "patch", self.plural, self.name, "-n", self.namespace, "--type=merge", "-p", json.dumps({"spec": spec})
        )

    def delete(self) -> None:
        """Ask for the object's deletion; its finalizer may hold it."""
        self.sandbox.kubectl("delete", self.plural, self.name, "-n", self.namespace, "--wait=false")

    def decide(self, digest: str, decision: str = "Approve", **spec: Any) -> None:
        """Decide on a digest, as the administrator."""
        body = {
            "target": {"kind": self.kind, "name": self.name},
            "digest": digest,
            "decision": decision,
            "approver": "sandbox-admin",
            **spec,
        }
        manifest = {
            "apiVersion": f"{GROUP}/{VERSION}",
            "kind": "MigrationApproval",
            "metadata": {"generateName": "decision-", "namespace": self.namespace},
            "spec": body,
        }
        self.sandbox.kubectl("create", "-f", "-", stdin=json.dumps(manifest))

    def get(self) -> Json | None:
        """The object, None when it is gone."""
        try:
            found = self.objects.get_namespaced_custom_object(
                GROUP, VERSION, self.namespace, self.plural, self.name, _request_timeout=10.0
            )
        except client.ApiException as error:
            if error.status == 404:
                return None
            raise
        return dict(cast("Json", found))

    def status(self) -> Json:
        """The object's status."""
        found = self.get()
        assert found is not None, f"{self.namespace}/{self.name} is gone"
        status: Json = found.get("status", {})
        return status

    def conditions(self) -> dict[str, str]:
        """The status of each condition."""
        return {each["type"]: each["status"] for each in self.status()["conditions"]}

    def listed(self, group: str, plural: str, namespace: str) -> list[Json]:
        """Objects of a namespace, of any kind whose version is v1."""
        found = self.objects.list_namespaced_custom_object(group, "v1", namespace, plural, _request_timeout=10.0)
        return list(cast("Json", found)["items"])

    # Waiting

    def until(self, fact: Callable[[Json], bool], what: str, seconds: float = 120) -> Json:
        """The status for which the fact holds first."""
        deadline = time.monotonic() + seconds
        while not fact(status := self.status()):
            told = {name: status.get(name) for name in self.told}
            assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}; status: {told}"
            time.sleep(_POLL_SECONDS)
        return status

    def until_reason(self, *reasons: str, seconds: float = 120) -> Json:
        """The status with one of these reasons."""
        return self.until(lambda status: status.get("reason") in reasons, f"reason {reasons}", seconds)

    def until_fact(self, fact: Callable[[], object], what: str, seconds: float = 120) -> None:
        """Wait for something outside the status."""
        deadline = time.monotonic() + seconds
        while not fact():
            assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
            time.sleep(_POLL_SECONDS)

    # Google Cloud's stand-in

    def heal(self) -> None:
        """End all faults."""
        self.control("faults", method="DELETE")

    def control(self, route: str, body: Json | None = None, method: str = "POST") -> None:
        """Ask the stand-in's control API."""
        request = urllib.request.Request(  # noqa: S310 - http
            f"{self.sandbox.control_url}/{route}",
            None if body is None else json.dumps(body).encode(),
            {"Content-Type": "application/json"},
            method=method,
        )
        urllib.request.urlopen(request, timeout=10).close()  # noqa: S310 - http

    def exports(self) -> list[Json]:
        """The exports of this project's databases."""
        with urllib.request.urlopen(f"{self.sandbox.control_url}/exports", timeout=10) as answer:  # noqa: S310 - http
            found: list[Json] = json.loads(answer.read())
        return [each for each in found if each["database"].startswith(f"projects/{self.project}/")]
