"""ConfigMaps and Secrets that a pod refers to, read when they are needed."""

import base64
from collections.abc import Mapping
from http import HTTPStatus
from typing import Literal

from kubernetes.aio.client.exceptions import ApiException

from firelift.sandbox.kubelet.cluster import Cluster, Json

Kind = Literal["ConfigMap", "Secret"]
_COLLECTIONS = {"ConfigMap": "configmaps", "Secret": "secrets"}


class PodConfigError(Exception):
    """The pod cannot be started as it is written, or not yet; the message is shown in its status."""


class References:
    """The referable objects of one namespace."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        """Read from `namespace`."""
        self._cluster = cluster
        self._namespace = namespace

    async def data(self, kind: Kind, reference: Mapping[str, object]) -> dict[str, bytes]:
        """Return the keys of the object that `reference` names (`name` or `secretName`, `optional`).

        Raises:
            PodConfigError: it does not exist and is not optional.
        """
        name = reference.get("name") or reference.get("secretName")
        path = f"/api/v1/namespaces/{self._namespace}/{_COLLECTIONS[kind]}/{name}"
        try:
            return _decoded(kind, await self._cluster.get(path))
        except ApiException as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            if reference.get("optional"):
                return {}
            raise PodConfigError(f'{kind} "{name}" not found in namespace {self._namespace}') from error

    async def value(self, kind: Kind, reference: Mapping[str, object]) -> str | None:
        """Return one key's value as text; None when it is absent and optional.

        Raises:
            PodConfigError: the object or its key does not exist and is not optional.
        """
        data = await self.data(kind, reference)
        key = str(reference["key"])
        if key in data:
            return data[key].decode()
        if reference.get("optional"):
            return None
        raise PodConfigError(f'{kind} "{reference["name"]}" in namespace {self._namespace} has no key "{key}"')


def _decoded(kind: Kind, document: Json) -> dict[str, bytes]:
    plain = {key: value.encode() for key, value in (document.get("data") or {}).items()} if kind == "ConfigMap" else {}
    binary = document.get("binaryData" if kind == "ConfigMap" else "data") or {}
    return plain | {key: base64.b64decode(value) for key, value in binary.items()}
