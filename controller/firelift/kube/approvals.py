"""`MigrationApproval` objects: what people have decided about a rollout or an environment."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from pydantic import ValidationError

from firelift.api.approval import PLURAL, ApprovalSpec, TargetKind
from firelift.api.base import GROUP, VERSION
from firelift.environment.observation import ApprovalSeen as OfEnvironment
from firelift.kube.client import Cluster, Json
from firelift.rollout.observation import ApprovalSeen

PAGE = 500


async def of_namespace(cluster: Cluster, namespace: str, *, page: int = PAGE) -> list[Json]:
    """All approvals of a namespace as the API server has them; they are read `page` at a time."""
    items: list[Json] = []
    query = {"limit": str(page)}
    while True:
        answer = await cluster.get(f"/apis/{GROUP}/{VERSION}/namespaces/{namespace}/{PLURAL}", **query)
        items += answer["items"]
        if not (more := answer["metadata"].get("continue")):
            return items
        query["continue"] = more


def select(items: list[Json], name: str) -> tuple[ApprovalSeen, ...]:
    """The approvals among `items` that name this rollout, in order of creation, then of name."""
    return tuple(
        ApprovalSeen(
            name=approval,
            digest=spec.digest,
            decision=spec.decision,
            approver=spec.approver,
            created=created,
            gate=spec.gate or "",
            expires=spec.expires_time,
            restores=spec.restores or "",
        )
        for created, approval, spec in _naming(items, TargetKind.MIGRATION_ROLLOUT, name)
    )


def select_of_environment(items: list[Json], name: str) -> tuple[OfEnvironment, ...]:
    """The approvals among `items` that name this environment, in order of creation, then of name."""
    return tuple(
        OfEnvironment(
            name=approval,
            digest=spec.digest,
            decision=spec.decision,
            approver=spec.approver,
            created=created,
            loses=frozenset(spec.loses),
            during_rollouts=spec.during_rollouts,
            expires=spec.expires_time,
        )
        for created, approval, spec in _naming(items, TargetKind.FIRESTORE_ENVIRONMENT, name)
    )


def _naming(items: list[Json], kind: TargetKind, name: str) -> list[tuple[datetime, str, ApprovalSpec]]:
    found = [
        (datetime.fromisoformat(item["metadata"]["creationTimestamp"]), str(item["metadata"]["name"]), spec)
        for item, spec in _specs(items)
        if spec.target.kind is kind and spec.target.name == name
    ]
    return sorted(found, key=lambda each: each[:2])


def _specs(items: list[Json]) -> Iterator[tuple[Json, ApprovalSpec]]:
    for item in items:
        try:
            yield item, ApprovalSpec.model_validate(item["spec"])
        except ValidationError:  # made under an older schema: what it approves cannot be known, so it approves nothing
            continue
