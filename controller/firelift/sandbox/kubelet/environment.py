"""The environment of a container."""

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from firelift.sandbox.kubelet.cluster import Json
from firelift.sandbox.kubelet.downward import field_value, resource_value
from firelift.sandbox.kubelet.references import PodConfigError, References

_EXPANSION = re.compile(r"\$\$|\$\(([A-Za-z_][\w.\-]*)\)")


def expand(text: str, values: Mapping[str, str]) -> str:
    """Replace `$(NAME)` as Kubernetes does: an unknown name stays as it is, `$$` is a dollar sign."""

    def replaced(match: re.Match[str]) -> str:
        return "$" if match[0] == "$$" else values.get(match[1], match[0])

    return _EXPANSION.sub(replaced, text)


def base_environment(root: Path) -> dict[str, str]:
    """Return what an image would bring: a PATH with this Python environment first, a home and a locale."""
    return {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        "HOME": str(root),
        "LANG": "C.UTF-8",
        "FIRELIFT_POD_ROOT": str(root),
    }


async def container_environment(
    pod: Json, container: Json, references: References, allocatable: Mapping[str, str]
) -> dict[str, str]:
    """Resolve `envFrom` and `env` in the order in which Kubernetes lets them override each other.

    Raises:
        PodConfigError: a ConfigMap, Secret or key is missing, or a source is of a kind the sandbox does not have.
    """
    values: dict[str, str] = {}
    for source in container.get("envFrom", []):
        values |= await _whole_source(source, references)
    for variable in container.get("env", []):
        value = await _value(pod, container, variable, references, allocatable)
        if value is not None:
            values[variable["name"]] = value if "valueFrom" in variable else expand(value, values)
    return values


async def _whole_source(source: Json, references: References) -> dict[str, str]:
    prefix = source.get("prefix", "")
    data: dict[str, bytes] = {}
    if reference := source.get("configMapRef"):
        data = await references.data("ConfigMap", reference)
    elif reference := source.get("secretRef"):
        data = await references.data("Secret", reference)
    return {f"{prefix}{key}": value.decode() for key, value in data.items()}


async def _value(
    pod: Json, container: Json, variable: Json, references: References, allocatable: Mapping[str, str]
) -> str | None:
    match variable.get("valueFrom"):
        case None:
            return str(variable.get("value", ""))
        case {"configMapKeyRef": reference}:
            return await references.value("ConfigMap", reference)
        case {"secretKeyRef": reference}:
            return await references.value("Secret", reference)
        case {"fieldRef": reference}:
            return field_value(pod, reference["fieldPath"])
        case {"resourceFieldRef": reference}:
            return resource_value(pod, reference, container["name"], allocatable)
        case other:
            raise PodConfigError(f"env {variable['name']}: the sandbox has no source {', '.join(other)}")
