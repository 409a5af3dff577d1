"""ConfigMaps that carry an app's flags: Firelift owns single keys, one field manager per rollout."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from firelift.api.base import FIELD_MANAGER
from firelift.kube.client import Cluster, Json
from firelift.kube.errors import Changed, NotFound
from firelift.rollout.observation import ConfigMapSeen

_LONGEST_MANAGER = 128  # of a field manager's name, by the API server
_DIGEST = 16


def manager_of(rollout: str) -> str:
    """The field manager that a rollout's keys belong to."""
    name = f"{FIELD_MANAGER}.{rollout}"
    if len(name) <= _LONGEST_MANAGER:
        return name
    digest = hashlib.sha256(rollout.encode()).hexdigest()[:_DIGEST]
    return f"{name[: _LONGEST_MANAGER - _DIGEST - 1]}.{digest}"


async def read(cluster: Cluster, namespace: str, name: str, rollout: str) -> ConfigMapSeen:
    """The ConfigMap, and which of its keys this rollout owns."""
    document = await _get(cluster, namespace, name)
    return ConfigMapSeen(exists=False) if document is None else _seen(document, rollout)


@dataclass(frozen=True, slots=True)
class Place:
    """A ConfigMap, and the rollout that writes its keys there."""

    namespace: str
    name: str
    rollout: str


async def set_keys(
    cluster: Cluster, place: Place, values: Mapping[str, str | None], expected: Mapping[str, str | None]
) -> bool:
    """Make these keys have these values (None: absent), and say whether that changed anything.

    The ConfigMap is made when there is none. A key is removed only when this rollout owns it. Every other key stays.

    Raises:
        Changed: a key is not as `expected`, or somebody changed the ConfigMap meanwhile; nothing was written.
    """
    document = await _get(cluster, place.namespace, place.name)
    seen = ConfigMapSeen(exists=False) if document is None else _seen(document, place.rollout)
    if _already(seen, values):
        return False
    _refuse_surprise(place, seen, expected)
    metadata: Json = {"name": place.name, "namespace": place.namespace}
    if document is not None:
        metadata |= {"uid": document["metadata"]["uid"], "resourceVersion": document["metadata"]["resourceVersion"]}
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": keys_to_apply(seen, values)}
    await cluster.apply(_path(place.namespace, place.name), body, manager=manager_of(place.rollout))
    return True


def keys_to_apply(seen: ConfigMapSeen, values: Mapping[str, str | None]) -> dict[str, str]:
    """All keys that the rollout is to own: what it owns already, with the changes.

    Server-side apply removes what a manager owned and no longer names, so the others must be named again.
    """
    kept = {key: seen.data[key] for key in seen.owned if key in seen.data and key not in values}
    return kept | {key: value for key, value in values.items() if value is not None}


def owned_keys(document: Json, manager: str) -> frozenset[str]:
    """The keys of `data` that a manager has applied, by the object's managedFields."""
    names: set[str] = set()
    for entry in document["metadata"].get("managedFields", ()):
        if entry.get("manager") == manager and entry.get("operation") == "Apply":
            names |= entry.get("fieldsV1", {}).get("f:data", {}).keys()
    return frozenset(name.removeprefix("f:") for name in names if name.startswith("f:"))


def _already(seen: ConfigMapSeen, values: Mapping[str, str | None]) -> bool:
    return all(
        key not in seen.owned if value is None else key in seen.owned and seen.data.get(key) == value
        for key, value in values.items()
    )


def _refuse_surprise(place: Place, seen: ConfigMapSeen, expected: Mapping[str, str | None]) -> None:
    for key, value in expected.items():
        if (found := seen.data.get(key)) != value:
            attempted = f"set keys of ConfigMap {place.namespace}/{place.name}"
            raise Changed(attempted, 0, f"{key} was {value!r} when that was decided and is {found!r} now")


def _seen(document: Json, rollout: str) -> ConfigMapSeen:
    return ConfigMapSeen(exists=True, data=document.get("data") or {}, owned=owned_keys(document, manager_of(rollout)))


async def _get(cluster: Cluster, namespace: str, name: str) -> Json | None:
    try:
        return await cluster.get(_path(namespace, name))
    except NotFound:
        return None


def _path(namespace: str, name: str) -> str:
    return f"/api/v1/namespaces/{namespace}/configmaps/{name}"
