"""Custom resources of any kind: read one, write its status, hold on to it by a finalizer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypedDict, TypeVar

from pydantic import ValidationError

from firelift.api.base import FIELD_MANAGER, FINALIZER, GROUP, VERSION
from firelift.kube.client import Cluster, Json
from firelift.kube.errors import NotFound

Parsed = TypeVar("Parsed")

_SHOWN_ERRORS = 3
_PAGE = 250


@dataclass(frozen=True, slots=True)
class CustomObject(Generic[Parsed]):
    """An object as read. `value` is None when its spec is not valid, and `invalid` is the sentence that says why."""

    namespace: str
    name: str
    uid: str
    generation: int
    resource_version: str
    deleting: bool
    finalizers: tuple[str, ...]
    spec: Json = field(repr=False)
    status: Json = field(repr=False)
    value: Parsed | None
    invalid: str = ""

    @property
    def held(self) -> bool:
        """Whether Firelift's finalizer keeps the object."""
        return FINALIZER in self.finalizers


class Identity(TypedDict):
    """What every kind's value says of its object."""

    namespace: str
    name: str
    uid: str
    generation: int
    deleting: bool


def identity(document: Json) -> Identity:
    """Of a document of the API server."""
    metadata = document["metadata"]
    return Identity(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        generation=metadata["generation"],
        deleting="deletionTimestamp" in metadata,
    )


class CustomResource(Generic[Parsed]):
    """One kind. `build` makes its value of a document, and raises `ValidationError` when the spec is not valid."""

    def __init__(self, kind: str, plural: str, build: Callable[[Json], Parsed]) -> None:
        self.kind = kind
        self._plural = plural
        self._build = build

    async def read(self, cluster: Cluster, namespace: str, name: str) -> CustomObject[Parsed] | None:
        """The object as it is now; None when there is none."""
        try:
            return self.parse(await cluster.get(self._path(namespace, name)))
        except NotFound:
            return None

    async def listed(self, cluster: Cluster, namespace: str) -> list[CustomObject[Parsed]]:
        """All objects in a namespace, or in all of them when it is empty."""
        place = f"namespaces/{namespace}/" if namespace else ""
        path = f"/apis/{GROUP}/{VERSION}/{place}{self._plural}"
        found: list[CustomObject[Parsed]] = []
        query = {"limit": str(_PAGE)}
        while True:
            answer = await cluster.get(path, **query)
            found += [self.parse(document) for document in answer["items"]]
            if not (more := answer["metadata"].get("continue")):
                return found
            query["continue"] = more

    async def write_status(self, cluster: Cluster, seen: CustomObject[Parsed], status: Json) -> CustomObject[Parsed]:
        """Replace the status of the very version that was read; what the installed schema does not know is left out.

        So that an operator that is newer than the custom resources goes on: a server-side apply would be refused whole.

        Raises:
            Changed: the object is no longer as it was read.
        """
        operations: list[Json] = [
            {"op": "replace", "path": "/metadata/uid", "value": seen.uid},
            {"op": "replace", "path": "/metadata/resourceVersion", "value": seen.resource_version},
            {"op": "add", "path": "/status", "value": status},
        ]
        path = f"{self._path(seen.namespace, seen.name)}/status"
        return self.parse(await cluster.patch(path, operations, manager=FIELD_MANAGER))

    async def hold(self, cluster: Cluster, seen: CustomObject[Parsed]) -> CustomObject[Parsed]:
        """Add Firelift's finalizer to the very version that was read.

        Raises:
            Changed: the object is no longer as it was read.
        """
        return await self._set_finalizers(cluster, seen, [*seen.finalizers, FINALIZER])

    async def let_go(self, cluster: Cluster, seen: CustomObject[Parsed]) -> CustomObject[Parsed]:
        """Remove Firelift's finalizer from the very version that was read; a deleted object then ends.

        Raises:
            Changed: the object is no longer as it was read.
        """
        return await self._set_finalizers(cluster, seen, [name for name in seen.finalizers if name != FINALIZER])

    def parse(self, document: Json) -> CustomObject[Parsed]:
        """The object that a document of the API server holds."""
        metadata = document["metadata"]
        value, invalid = self._value(document)
        return CustomObject(
            **identity(document),
            resource_version=metadata["resourceVersion"],
            finalizers=tuple(metadata.get("finalizers", ())),
            spec=document.get("spec") or {},
            status=document.get("status", {}),
            value=value,
            invalid=invalid,
        )

    async def _set_finalizers(
        self, cluster: Cluster, seen: CustomObject[Parsed], finalizers: list[str]
    ) -> CustomObject[Parsed]:
        body = {"metadata": {"resourceVersion": seen.resource_version, "finalizers": finalizers}}
        return self.parse(await cluster.merge(self._path(seen.namespace, seen.name), body, manager=FIELD_MANAGER))

    def _value(self, document: Json) -> tuple[Parsed | None, str]:
        try:
            return self._build(document), ""
        except ValidationError as error:
            return None, _sentence(error)

    def _path(self, namespace: str, name: str) -> str:
        return f"/apis/{GROUP}/{VERSION}/namespaces/{namespace}/{self._plural}/{name}"


def _sentence(error: ValidationError) -> str:
    """`spec.phases[0].steps: Field required; …`: the first errors, each with its place."""
    errors = error.errors(include_url=False, include_input=False)
    shown = [f"{_place(entry['loc'])}: {entry['msg']}" for entry in errors[:_SHOWN_ERRORS]]
    if more := len(errors) - len(shown):
        shown.append(f"and {more} more")
    return "; ".join(shown)


def _place(location: tuple[int | str, ...]) -> str:
    return "spec" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
