"""`MigrationRollout` objects: read one, write its status, hold on to it by a finalizer."""

from __future__ import annotations

from dataclasses import dataclass, field

from pydantic import ValidationError

from firelift.api.base import API_VERSION, FIELD_MANAGER, FINALIZER, GROUP, VERSION
from firelift.api.rollout import KIND, PLURAL, RolloutSpec
from firelift.kube.client import Cluster, Json
from firelift.kube.errors import NotFound
from firelift.rollout.observation import Rollout

_SHOWN_ERRORS = 3


@dataclass(frozen=True, slots=True)
class RolloutObject:
    """An object as read. `rollout` is None when its spec is not valid, and `invalid` is the sentence that says why."""

    namespace: str
    name: str
    uid: str
    generation: int
    resource_version: str
    deleting: bool
    finalizers: tuple[str, ...]
    status: Json = field(repr=False)
    rollout: Rollout | None
    invalid: str = ""

    @property
    def held(self) -> bool:
        """Whether Firelift's finalizer keeps the object."""
        return FINALIZER in self.finalizers


async def read(cluster: Cluster, namespace: str, name: str) -> RolloutObject | None:
    """The object as it is now; None when there is none."""
    try:
        return parse(await cluster.get(_path(namespace, name)))
    except NotFound:
        return None


async def write_status(cluster: Cluster, seen: RolloutObject, status: Json) -> RolloutObject:
    """Replace the status of the very version that was read.

    Raises:
        Changed: the object is no longer as it was read.
    """
    body = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {
            "name": seen.name,
            "namespace": seen.namespace,
            "uid": seen.uid,
            "resourceVersion": seen.resource_version,
        },
        "status": status,
    }
    return parse(await cluster.apply(f"{_path(seen.namespace, seen.name)}/status", body, manager=FIELD_MANAGER))


async def hold(cluster: Cluster, seen: RolloutObject) -> RolloutObject:
    """Add Firelift's finalizer to the very version that was read.

    Raises:
        Changed: the object is no longer as it was read.
    """
    return await _set_finalizers(cluster, seen, [*seen.finalizers, FINALIZER])


async def let_go(cluster: Cluster, seen: RolloutObject) -> RolloutObject:
    """Remove Firelift's finalizer from the very version that was read; a deleted object then ends.

    Raises:
        Changed: the object is no longer as it was read.
    """
    return await _set_finalizers(cluster, seen, [name for name in seen.finalizers if name != FINALIZER])


def parse(document: Json) -> RolloutObject:
    """The object that a document of the API server holds."""
    metadata = document["metadata"]
    rollout, invalid = _rollout(document)
    return RolloutObject(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        generation=metadata["generation"],
        resource_version=metadata["resourceVersion"],
        deleting="deletionTimestamp" in metadata,
        finalizers=tuple(metadata.get("finalizers", ())),
        status=document.get("status", {}),
        rollout=rollout,
        invalid=invalid,
    )


async def _set_finalizers(cluster: Cluster, seen: RolloutObject, finalizers: list[str]) -> RolloutObject:
    body = {"metadata": {"resourceVersion": seen.resource_version, "finalizers": finalizers}}
    return parse(await cluster.merge(_path(seen.namespace, seen.name), body, manager=FIELD_MANAGER))


def _rollout(document: Json) -> tuple[Rollout | None, str]:
    metadata = document["metadata"]
    try:
        spec = RolloutSpec.model_validate(document.get("spec", {}))
    except ValidationError as error:
        return None, _sentence(error)
    rollout = Rollout(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        generation=metadata["generation"],
        spec=spec,
        deleting="deletionTimestamp" in metadata,
    )
    return rollout, ""


def _sentence(error: ValidationError) -> str:
    """`spec.phases[0].steps: Field required; …`: the first errors, each with its place."""
    errors = error.errors(include_url=False, include_input=False)
    shown = [f"{_place(entry['loc'])}: {entry['msg']}" for entry in errors[:_SHOWN_ERRORS]]
    if more := len(errors) - len(shown):
        shown.append(f"and {more} more")
    return "; ".join(shown)


def _place(location: tuple[int | str, ...]) -> str:
    return "spec" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)


def _path(namespace: str, name: str) -> str:
    return f"/apis/{GROUP}/{VERSION}/namespaces/{namespace}/{PLURAL}/{name}"
