"""ConfigMaps and Secrets that show something of an object of ours. They belong to it and go with it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from firelift.api.base import API_VERSION, FIELD_MANAGER
from firelift.kube.client import Cluster, Json
from firelift.kube.errors import NotFound

Kind = Literal["ConfigMap", "Secret"]
_PLURALS: Mapping[Kind, str] = {"ConfigMap": "configmaps", "Secret": "secrets"}


@dataclass(frozen=True, slots=True)
class Owner:
    """The object that it belongs to, and the label by which `kubectl get -l` finds all that does."""

    kind: str
    namespace: str
    name: str
    uid: str
    label: tuple[str, str]


async def read(cluster: Cluster, owner: Owner, kind: Kind, name: str) -> Json | None:
    """It, whoever's it is; None when there is none."""
    try:
        return await cluster.get(_path(owner, kind, name))
    except NotFound:
        return None


def is_of(document: Json, owner: Owner) -> bool:
    """Whether it belongs to this object."""
    return any(each.get("uid") == owner.uid for each in document["metadata"].get("ownerReferences", ()))


async def show(cluster: Cluster, owner: Owner, kind: Kind, name: str, data: Mapping[str, str]) -> bool:
    """Let it hold this and nothing else; False when it is somebody else's, which is left as it is."""
    seen = await read(cluster, owner, kind, name)
    if seen is not None and not is_of(seen, owner):
        return False
    await cluster.apply(_path(owner, kind, name), _manifest(owner, kind, name, data), manager=FIELD_MANAGER)
    return True


def _manifest(owner: Owner, kind: Kind, name: str, data: Mapping[str, str]) -> Json:
    reference = {"apiVersion": API_VERSION, "kind": owner.kind, "name": owner.name, "uid": owner.uid}
    key, value = owner.label
    return {
        "apiVersion": "v1",
        "kind": kind,
        "metadata": {
            "name": name,
            "namespace": owner.namespace,
            "labels": {"app.kubernetes.io/managed-by": "firelift", key: value},
            "ownerReferences": [{**reference, "controller": True, "blockOwnerDeletion": False}],
        },
        "data": dict(data) if kind == "ConfigMap" else {key: encoded(text) for key, text in data.items()},
    }


def encoded(content: str | bytes) -> str:
    """As a value of a Secret's data. `stringData` is no way: an apply never takes its keys away again."""
    return base64.b64encode(content.encode() if isinstance(content, str) else content).decode()


def _path(owner: Owner, kind: Kind, name: str) -> str:
    return f"/api/v1/namespaces/{owner.namespace}/{_PLURALS[kind]}/{name}"
