"""`MigrationApproval` objects: what people have decided about a rollout."""

from __future__ import annotations

from datetime import datetime

from pydantic import ValidationError

from firelift.api.approval import PLURAL, ApprovalSpec
from firelift.api.base import GROUP, VERSION
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
    seen = [approval for item in items if (approval := _parse(item, name)) is not None]
    return tuple(sorted(seen, key=lambda approval: (approval.created, approval.name)))


def _parse(item: Json, name: str) -> ApprovalSeen | None:
    try:
        spec = ApprovalSpec.model_validate(item["spec"])
    except ValidationError:  # made under an older schema: what it approves cannot be known, so it approves nothing
        return None
    if spec.target.name != name:
        return None
    metadata = item["metadata"]
    return ApprovalSeen(
        name=metadata["name"],
        digest=spec.digest,
        decision=spec.decision,
        approver=spec.approver,
        created=datetime.fromisoformat(metadata["creationTimestamp"]),
        gate=spec.gate or "",
        expires=spec.expires_time,
    )
