"""`FirestoreEnvironment` objects as a rollout that stands on them sees them: what they declare, and how that is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime

from firelift.api.base import GROUP, VERSION
from firelift.api.conditions import ConditionStatus
from firelift.api.environment import PLURAL
from firelift.kube.client import Cluster, Json
from firelift.kube.errors import KubeError, NotFound
from firelift.rollout.ground import ConditionSeen, EnvironmentSeen, IndexSeen


async def read(cluster: Cluster, namespace: str, name: str) -> EnvironmentSeen:
    """The environment as it is now. What keeps it from being read is part of the answer, and costs no turn."""
    try:
        document = await cluster.get(f"/apis/{GROUP}/{VERSION}/namespaces/{namespace}/{PLURAL}/{name}")
    except NotFound:
        return EnvironmentSeen()
    except KubeError as error:
        return EnvironmentSeen(error=str(error))
    return parse(document)


def parse(document: Json) -> EnvironmentSeen:
    """What a document of the API server says."""
    metadata, spec, status = document["metadata"], document.get("spec", {}), document.get("status", {})
    return EnvironmentSeen(
        exists=True,
        project=spec.get("project", {}).get("id", ""),
        database=spec.get("database", {}).get("name", "(default)"),
        generation=metadata["generation"],
        observed_generation=status.get("observedGeneration", 0),
        deleting="deletionTimestamp" in metadata,
        conditions=dict(_conditions(status)),
        indexes=tuple(_indexes(status)),
    )


def _conditions(status: Json) -> Iterator[tuple[str, ConditionSeen]]:
    for each in status.get("conditions", ()):
        # One that no longer fits is as if it were not there, and nobody stands on what is not there.
        with suppress(KeyError, ValueError):
            yield (
                each["type"],
                ConditionSeen(
                    status=ConditionStatus(each["status"]),
                    reason=each.get("reason", ""),
                    message=each.get("message", ""),
                    generation=each.get("observedGeneration", 0),
                    since=datetime.fromisoformat(each["lastTransitionTime"]),
                ),
            )


def _indexes(status: Json) -> Iterator[IndexSeen]:
    for each in status.get("indexes", ()):
        with suppress(KeyError, ValueError):
            since = each.get("since")
            yield IndexSeen(
                name=each["name"],
                collection=each.get("collection", ""),
                state=each["state"],
                since=datetime.fromisoformat(since) if since else None,
                progress=each.get("progress", ""),
            )
