"""`FirestoreEnvironment` objects."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TypeAlias

from firelift.api.base import ENVIRONMENT_LABEL, GROUP, VERSION
from firelift.api.environment import KIND, PLURAL
from firelift.api.environment.spec import EnvironmentSpec
from firelift.environment.neighbours import Neighbour
from firelift.environment.observation import Environment
from firelift.kube.client import Cluster, Json
from firelift.kube.job_manifest import label_of
from firelift.kube.objects import CustomObject, CustomResource, identity
from firelift.kube.owned import Owner

EnvironmentObject: TypeAlias = CustomObject[Environment]


def owner_of(environment: Environment) -> Owner:
    """Who owns what is shown of an environment."""
    label = (ENVIRONMENT_LABEL, label_of(environment.name))
    return Owner(KIND, environment.namespace, environment.name, environment.uid, label)


async def in_buckets(cluster: Cluster, namespaces: tuple[str, ...]) -> tuple[Neighbour, ...]:
    """All environments of these namespaces, or of all, whose states are in buckets; whether they are valid or not."""
    paths = [f"namespaces/{name}/{PLURAL}" for name in namespaces] or [PLURAL]
    lists = await asyncio.gather(*(cluster.get(f"/apis/{GROUP}/{VERSION}/{path}") for path in paths))
    return tuple(each for listed in lists for item in listed["items"] if (each := _neighbour(item)) is not None)


def _neighbour(document: Json) -> Neighbour | None:
    metadata = document["metadata"]
    bucket = document.get("spec", {}).get("terraform", {}).get("backend", {}).get("gcs")
    if bucket is None:
        return None
    return Neighbour(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        created=datetime.fromisoformat(metadata["creationTimestamp"]),
        bucket=bucket["bucket"],
        prefix=bucket.get("prefix", ""),
    )


def _environment(document: Json) -> Environment:
    return Environment(**identity(document), spec=EnvironmentSpec.model_validate(document.get("spec", {})))


ENVIRONMENTS = CustomResource(KIND, PLURAL, _environment)
