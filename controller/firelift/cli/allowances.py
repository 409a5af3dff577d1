"""What the Namespaces among the manifests allow the objects beside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from firelift.api.environment.spec import EnvironmentSpec
from firelift.api.rollout import RolloutSpec
from firelift.api.tenancy import Tenancy, of_namespace
from firelift.cli.manifests import Manifest
from firelift.environment import tenancy as of_environment
from firelift.rollout import allowed as of_rollout


def tenancy_of(document: Any) -> Tenancy | None:
    """What a Namespace says; None of anything else."""
    if not isinstance(document, dict) or (document.get("apiVersion"), document.get("kind")) != ("v1", "Namespace"):
        return None
    metadata = document.get("metadata")
    return of_namespace(metadata if isinstance(metadata, dict) else {}, required=False)


def tenancies(manifests: Iterable[Manifest]) -> dict[str, Tenancy]:
    """By the names of the Namespaces."""
    found = (tenancy_of(manifest.document) for manifest in manifests)
    return {tenancy.namespace: tenancy for tenancy in found if tenancy is not None}


def objections(metadata: Mapping[str, Any], spec: BaseModel, known: Mapping[str, Tenancy]) -> Iterator[str]:
    """What the object's Namespace does not allow it; nothing when that is not among the manifests."""
    namespace = str(metadata.get("namespace", ""))
    tenancy = known.get(namespace)
    if tenancy is None:
        return
    if isinstance(spec, RolloutSpec):
        yield from (each.message for each in of_rollout.objections(spec, tenancy))
    if isinstance(spec, EnvironmentSpec):
        name = str(metadata.get("name", ""))
        yield from (each.message for each in of_environment.objections(spec, tenancy, namespace, name))
