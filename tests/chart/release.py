"""A release of the chart on a cluster, from its installation to its end."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.chart.charts import NAMESPACE, Json

from firelift.sandbox.helm import CHART, run_helm
from firelift.sandbox.kubectl import KubectlError
from firelift.sandbox.ports import free_port
from firelift.sandbox.sandbox import Sandbox

_OPERATOR = "app.kubernetes.io/component=operator"


@dataclass
class Release:
    """`firelift` in the namespace `firelift-system`."""

    sandbox: Sandbox
    home: Path
    values: Json = field(default_factory=dict)

    def __post_init__(self) -> None:
        """A namespace that takes restricted pods only; an operator that is quick, on a port that is free."""
        self.values = {
            "operator": {
                "healthPort": free_port(),
                "leaseDurationSeconds": 2,
                "env": [{"name": "FIRELIFT_PROGRESS_SECONDS", "value": "1"}],
            },
        }
        self.sandbox.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(_RESTRICTED_NAMESPACE))

    def install(self, chart: Path = CHART, *arguments: str, **values: Any) -> str:
        """`helm install --wait`; what it prints are the chart's notes."""
        given = ("--values=-", "--wait", *arguments)
        return self._helm("install", "firelift", str(chart), *given, stdin=self._given(values))

    def upgrade(self, chart: Path = CHART, **values: Any) -> str:
        """`helm upgrade --wait`."""
        return self._helm("upgrade", "firelift", str(chart), "--values=-", "--wait", stdin=self._given(values))

    def uninstall(self, *arguments: str) -> str:
        """`helm uninstall`."""
        return self._helm("uninstall", "firelift", *arguments)

    def installed(self) -> bool:
        """Whether Helm knows of it."""
        return bool(json.loads(self._helm("list", "--output=json")))

    def pods(self) -> list[Json]:
        """The operator's pods."""
        listed = self.sandbox.kubectl("get", "pods", "-n", NAMESPACE, "-l", _OPERATOR, "-o", "json")
        items: list[Json] = json.loads(listed)["items"]
        return items

    def leader(self) -> str:
        """Who holds the Lease."""
        lease = self.sandbox.kubectl("get", "lease", "firelift-operator", "-n", NAMESPACE, "-o", "json")
        return str(json.loads(lease)["spec"].get("holderIdentity") or "")

    def remove(self) -> None:
        """Leave nothing behind."""
        if self.installed():
            self.uninstall("--no-hooks", "--wait")
        kept = ("crd", "validatingadmissionpolicy", "validatingadmissionpolicybinding")
        for kind in kept:
            self.sandbox.kubectl("delete", kind, "--wait=false", "-l", "app.kubernetes.io/name=firelift")
        for plural in ("migrationrollouts", "firestoreenvironments"):
            self._without_finalizers(plural)
        self.sandbox.kubectl("wait", "--for=delete", "crd", "--timeout=60s", "-l", "app.kubernetes.io/name=firelift")

    def _without_finalizers(self, plural: str) -> None:
        try:
            listed = self.sandbox.kubectl("get", f"{plural}.firelift.dev", "-A", "-o", "json")
        except KubectlError:  # its custom resource is gone already
            return
        for each in json.loads(listed)["items"]:
            metadata = each["metadata"]
            where = (plural, metadata["name"], f"--namespace={metadata['namespace']}")
            # It goes together with its custom resource, maybe just now; whether it went is asked by who calls this.
            with suppress(KubectlError):
                self.sandbox.kubectl("patch", *where, "--type=merge", "-p", '{"metadata":{"finalizers":null}}')

    def _given(self, values: Json) -> str:
        operator = {**self.values["operator"], **values.get("operator", {})}
        return json.dumps({**self.values, **values, "operator": operator})

    def _helm(self, *arguments: str, stdin: str = "") -> str:
        environment = {"KUBECONFIG": str(self.sandbox.kubeconfig)}
        command = (*arguments, f"--namespace={NAMESPACE}")
        return run_helm(*command, home=self.home, environment=environment, stdin=stdin)


_RESTRICTED_NAMESPACE = {
    "apiVersion": "v1",
    "kind": "Namespace",
    "metadata": {"name": NAMESPACE, "labels": {"pod-security.kubernetes.io/enforce": "restricted"}},
}
