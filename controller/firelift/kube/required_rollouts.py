"""`MigrationRollout` objects as another one sees them that requires them: how far they are, and with which plan."""

from __future__ import annotations

from contextlib import suppress

from pydantic import ValidationError

from firelift.api.base import GROUP, VERSION
from firelift.api.rollout import PLURAL
from firelift.api.status import PromotionStatus
from firelift.kube import rollouts
from firelift.kube.client import Cluster, Json
from firelift.kube.errors import KubeError, NotFound
from firelift.rollout.ground import RolloutKey, RolloutSeen
from firelift.rollout.required_rollouts import required_by


async def read(cluster: Cluster, key: RolloutKey, *, namespace: str) -> RolloutSeen:
    """The rollout as one of `namespace` may see it. What keeps it from being read is part of the answer."""
    try:
        document = await cluster.get(f"/apis/{GROUP}/{VERSION}/namespaces/{key.namespace}/{PLURAL}/{key.name}")
    except NotFound:
        return RolloutSeen()
    except KubeError as error:
        return RolloutSeen(error=str(error))
    return parse(document, namespace=namespace)


def parse(document: Json, *, namespace: str) -> RolloutSeen:
    """What a document of the API server says to `namespace`; nothing, unless it is its own or is named in it."""
    here = document["metadata"]["namespace"]
    if namespace not in {here, *_promotes_to(document)}:
        return RolloutSeen()
    seen, status = rollouts.parse(document), document.get("status", {})
    return RolloutSeen(
        exists=True,
        generation=seen.generation,
        observed_generation=status.get("observedGeneration", 0),
        deleting=seen.deleting,
        reason=status.get("reason", ""),
        phase=status.get("phase", ""),
        migrations_digest=status.get("migrationsDigest", ""),
        worker_image=status.get("workerImage", ""),
        promotion=_promotion(status),
        requires=tuple(required_by(seen.value)) if seen.value is not None else (),
        invalid=seen.invalid,
    )


def _promotes_to(document: Json) -> list[str]:
    named = document.get("spec", {}).get("promotesTo")
    return [name for name in named if isinstance(name, str)] if isinstance(named, list) else []


def _promotion(status: Json) -> PromotionStatus | None:
    # One that no longer fits is as if it were not there, and nobody rests on what is not there.
    with suppress(ValidationError):
        return PromotionStatus.model_validate(status.get("promotion"))
    return None
