"""Objects for the sandbox's tests, and questions about them."""

import json
from functools import partial
from typing import Any

from tests.waiting import eventually

from firelift.sandbox.sandbox import Sandbox

Json = dict[str, Any]


def shell(script: str, **fields: Any) -> Json:
    """A container that runs a shell script; `fields` are further keys of it."""
    return {"name": "main", "image": "none", "command": ["/bin/sh", "-c", script], **fields}


def pod(name: str, *containers: Json, **spec: Any) -> Json:
    """A pod that is not restarted unless `spec` says so."""
    body = {"restartPolicy": "Never", "containers": list(containers), **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": body}


class Namespace:
    """One namespace of the sandbox, through kubectl."""

    def __init__(self, sandbox: Sandbox, name: str) -> None:
        self.sandbox = sandbox
        self.name = name

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        return self.sandbox.kubectl(f"--namespace={self.name}", *arguments, stdin=stdin)

    def apply(self, *objects: Json) -> None:
        items = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        self.kubectl("apply", "-f", "-", stdin=json.dumps(items))

    def get(self, kind: str, name: str) -> Json:
        document: Json = json.loads(self.kubectl("get", kind, name, "-o", "json"))
        return document

    def phase(self, name: str) -> str:
        return str(self.get("pod", name)["status"].get("phase"))

    def container(self, name: str) -> Json:
        statuses = self.get("pod", name)["status"].get("containerStatuses", [{}])
        first: Json = statuses[0]
        return first

    def finish(self, *names: str) -> list[str]:
        """Wait until the pods have ended and return their phases."""
        ends = {"Succeeded", "Failed"}

        def end(name: str) -> str | None:
            phase = self.phase(name)
            return phase if phase in ends else None

        return [eventually(partial(end, name)) for name in names]
