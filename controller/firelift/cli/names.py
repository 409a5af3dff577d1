"""The names of objects in the cluster, for a shell that completes them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from firelift.cli.kinds import Kind, Ref
from firelift.kube.errors import KubeError
from firelift.kube.kubeconfig import connect

_SECONDS = 2.0
"""Nobody waits longer for a word."""
_MOST = "500"


def complete(kinds: Sequence[Kind], where: Mapping[str, Any], incomplete: str) -> list[str]:
    """What an object may be called that begins so, in the namespace and cluster that the flags say; none on trouble."""
    try:
        found = asyncio.run(_names(kinds, where))
    except KubeError:
        return []
    return [name for name in found if name.startswith(incomplete)]


async def _names(kinds: Sequence[Kind], where: Mapping[str, Any]) -> list[str]:
    flags = {name: str(where.get(name) or "") for name in ("kubeconfig", "context", "namespace")}
    found = await connect(flags["kubeconfig"], flags["context"], timeout_seconds=_SECONDS)
    try:
        namespace = flags["namespace"] or found.namespace
        answers = [await found.cluster.list_metadata(kind.path(namespace), limit=_MOST) for kind in kinds]
    finally:
        await found.cluster.close()
    return [
        Ref(kind, item["metadata"]["name"]).argument if len(kinds) > 1 else item["metadata"]["name"]
        for kind, answer in zip(kinds, answers, strict=True)
        for item in answer["items"]
    ]
