"""Bytes of any size in Secrets of the operator's namespace, in parts that each fit into one.

The first part is written last and read first; it holds how many there are and their digest. What is not whole is as if
it were not there.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from firelift.api.base import ENVIRONMENT_LABEL, FIELD_MANAGER, GROUP
from firelift.kube.client import Cluster, Json
from firelift.kube.errors import NotFound
from firelift.kube.owned import encoded

PART_BYTES = 700_000
"""A Secret holds 1 MiB, in base64 on the wire and in etcd: this many bytes become 933,336."""

_CONTENT = "content"
_PARTS = f"{GROUP}/parts"
_DIGEST = f"{GROUP}/digest"
_NOTE = f"{GROUP}/note-"
_IMMEDIATELY = {"propagationPolicy": "Background"}


@dataclass(frozen=True, slots=True)
class Blob:
    """What was kept. `notes` are short texts that are read without the content."""

    content: bytes = field(repr=False)
    notes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where the blobs of one object are: a namespace, and the label that names the object."""

    namespace: str
    label: str

    async def put(self, cluster: Cluster, name: str, blob: Blob) -> None:
        """Keep it, in the place of what had this name."""
        parts = [blob.content[start : start + PART_BYTES] for start in range(0, len(blob.content), PART_BYTES)] or [b""]
        digest = hashlib.sha256(blob.content).hexdigest()
        notes = {f"{_NOTE}{key}": value for key, value in blob.notes.items()}
        for number in reversed(range(len(parts))):
            annotations = {_DIGEST: digest} | ({_PARTS: str(len(parts)), **notes} if number == 0 else {})
            body = self._manifest(_part(name, number), annotations, {_CONTENT: encoded(parts[number])})
            await cluster.apply(self._path(_part(name, number)), body, manager=FIELD_MANAGER)

    async def get(self, cluster: Cluster, name: str) -> Blob | None:
        """What was kept under this name; None when there is nothing, or not all of it."""
        first = await self._read(cluster, _part(name, 0))
        if first is None:
            return None
        annotations = first["metadata"].get("annotations", {})
        rest = range(1, int(annotations.get(_PARTS, "1")))
        others = await asyncio.gather(*(self._read(cluster, _part(name, number)) for number in rest))
        content = b"".join(_content(part) for part in (first, *others))
        if hashlib.sha256(content).hexdigest() != annotations.get(_DIGEST):
            return None
        return Blob(content, _notes(annotations))

    async def drop(self, cluster: Cluster, unwanted: Callable[[str], bool]) -> None:
        """Remove the object's blobs with such names, parts that nobody reads any more included."""
        selector = f"{ENVIRONMENT_LABEL}={self.label}"
        # Without their contents: a list of plans would be a long answer.
        listed = await cluster.list_metadata(self._path(""), labelSelector=selector, limit="500")
        for name in sorted(each["metadata"]["name"] for each in listed["items"]):
            blob, _, number = name.rpartition(".")
            if number.isdecimal() and unwanted(blob):
                await self._delete(cluster, name)

    async def _read(self, cluster: Cluster, name: str) -> Json | None:
        try:
            return await cluster.get(self._path(name))
        except NotFound:
            return None

    async def _delete(self, cluster: Cluster, name: str) -> None:
        try:
            await cluster.delete(self._path(name), _IMMEDIATELY)
        except NotFound:
            return

    def _manifest(self, name: str, annotations: Mapping[str, str], data: Mapping[str, str]) -> Json:
        labels = {"app.kubernetes.io/managed-by": "firelift", ENVIRONMENT_LABEL: self.label}
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": f"{GROUP}/blob",
            "metadata": {
                "name": name,
                "namespace": self.namespace,
                "labels": labels,
                "annotations": dict(annotations),
            },
            "data": dict(data),
        }

    def _path(self, name: str) -> str:
        return f"/api/v1/namespaces/{self.namespace}/secrets" + (f"/{name}" if name else "")


def _part(name: str, number: int) -> str:
    return f"{name}.{number}"


def _content(part: Json | None) -> bytes:
    return base64.b64decode(part["data"][_CONTENT]) if part else b""


def _notes(annotations: Mapping[str, str]) -> dict[str, str]:
    return {key.removeprefix(_NOTE): value for key, value in annotations.items() if key.startswith(_NOTE)}
