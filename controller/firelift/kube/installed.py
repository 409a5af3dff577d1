"""Which custom resources the API server serves."""

from __future__ import annotations

from collections.abc import Iterable

from firelift.api.base import GROUP, VERSION
from firelift.kube.client import Cluster
from firelift.kube.errors import NotFound


async def missing_kinds(cluster: Cluster, plurals: Iterable[str]) -> list[str]:
    """Those of Firelift's custom resources that the API server does not serve yet.

    Raises:
        KubeError: the API server did not say.
    """
    try:
        served = {each["name"] for each in (await cluster.get(f"/apis/{GROUP}/{VERSION}"))["resources"]}
    except NotFound:
        served = set()
    return [plural for plural in plurals if plural not in served]
