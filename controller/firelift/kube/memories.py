"""What is remembered of an environment: one Secret in the operator's namespace, changed only as it was read."""

from __future__ import annotations

import base64
import gzip
from dataclasses import dataclass, replace

from pydantic import ValidationError

from firelift.api.base import ENVIRONMENT_LABEL, GROUP
from firelift.environment.state import EnvironmentState
from firelift.kube.client import Cluster, Json
from firelift.kube.errors import NotFound
from firelift.kube.owned import encoded

_STATE = "state.json.gz"
_OBJECT = f"{GROUP}/object"
_UID = f"{GROUP}/uid"


@dataclass(frozen=True, slots=True)
class Memory:
    """A memory as read. `state` is None when there is none of this very object, or none that can be read.

    `version` is the Secret's resourceVersion, empty when there is no Secret.
    """

    namespace: str
    name: str
    object: str
    label: str
    uid: str
    state: EnvironmentState | None = None
    version: str = ""

    @property
    def path(self) -> str:
        """Of its Secret."""
        return f"{_secrets(self.namespace)}/{self.name}"


async def read(cluster: Cluster, place: Memory) -> Memory:
    """The memory as it is now."""
    try:
        document = await cluster.get(place.path)
    except NotFound:
        return replace(place, state=None, version="")
    metadata = document["metadata"]
    known = metadata.get("annotations", {}).get(_UID) == place.uid
    return replace(place, state=_state(document) if known else None, version=metadata["resourceVersion"])


async def write(cluster: Cluster, memory: Memory, state: EnvironmentState) -> Memory:
    """Remember this.

    Raises:
        Changed: somebody else has written since it was read; nothing was written.
    """
    body = _manifest(memory, state)
    if memory.version:
        body["metadata"]["resourceVersion"] = memory.version
        written = await cluster.replace(memory.path, body)
    else:
        written = await cluster.create(_secrets(memory.namespace), body)
    return replace(memory, state=state, version=written["metadata"]["resourceVersion"])


async def forget(cluster: Cluster, memory: Memory) -> None:
    """Remember nothing any more."""
    try:
        await cluster.delete(memory.path, {})
    except NotFound:
        return


def _state(document: Json) -> EnvironmentState | None:
    try:
        return EnvironmentState.model_validate_json(gzip.decompress(base64.b64decode(document["data"][_STATE])))
    except (KeyError, OSError, EOFError, ValueError, ValidationError):
        return None


def _manifest(memory: Memory, state: EnvironmentState) -> Json:
    content = gzip.compress(state.model_dump_json(by_alias=True, exclude_none=True).encode(), mtime=0)
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": f"{GROUP}/memory",
        "metadata": {
            "name": memory.name,
            "namespace": memory.namespace,
            "labels": {"app.kubernetes.io/managed-by": "firelift", ENVIRONMENT_LABEL: memory.label},
            "annotations": {_OBJECT: memory.object, _UID: memory.uid},
        },
        "data": {_STATE: encoded(content)},
    }


def _secrets(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/secrets"
