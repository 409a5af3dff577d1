"""The downward API: what a pod may know about itself."""

import hashlib
import re
from collections.abc import Mapping

from firelift.kube.quantities import divided
from firelift.sandbox.kubelet.cluster import Json

ADDRESS = "127.0.0.1"
"""Of the node."""
_SUBSCRIPT = re.compile(r"metadata\.(labels|annotations)\['(.+)'\]")


def pod_address(pod: Json) -> str:
    """Return a loopback address of the pod's own, so that two pods can listen on the same port, as in a cluster."""
    low = hashlib.sha256(pod["metadata"]["uid"].encode()).digest()
    return f"127.{64 + low[0] % 64}.{low[1]}.{1 + low[2] % 254}"


def field_value(pod: Json, path: str) -> str:
    """Return the value of a `fieldRef`; labels and annotations as a whole are one `key="value"` per line.

    Raises:
        KeyError: it is no field that the downward API offers.
    """
    metadata, spec = pod["metadata"], pod["spec"]
    if match := _SUBSCRIPT.fullmatch(path):
        return str(metadata.get(match[1], {}).get(match[2], ""))
    if path in {"metadata.labels", "metadata.annotations"}:
        return _lines(metadata.get(path.removeprefix("metadata."), {}))
    return {
        "metadata.name": str(metadata["name"]),
        "metadata.namespace": str(metadata["namespace"]),
        "metadata.uid": str(metadata["uid"]),
        "spec.nodeName": str(spec.get("nodeName", "")),
        "spec.serviceAccountName": str(spec.get("serviceAccountName", "")),
        **dict.fromkeys(("status.hostIP", "status.hostIPs"), ADDRESS),
        **dict.fromkeys(("status.podIP", "status.podIPs"), pod_address(pod)),
    }[path]


def resource_value(pod: Json, reference: Json, own_container: str, allocatable: Mapping[str, str]) -> str:
    """Return the value of a `resourceFieldRef`; a limit that is not set is what the node can allocate.

    Raises:
        KeyError: the container or the resource is unknown.
    """
    name = reference.get("containerName", own_container)
    containers = [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]
    container = {each["name"]: each for each in containers}[name]
    kind, resource = str(reference["resource"]).split(".", 1)
    resources = container.get("resources", {})
    unset = allocatable[resource] if kind == "limits" else "0"
    return divided(resources.get(kind, {}).get(resource, unset), str(reference.get("divisor", "0")))


def _lines(values: Mapping[str, str]) -> str:
    return "\n".join(f'{key}="{_escaped(value)}"' for key, value in sorted(values.items()))


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
