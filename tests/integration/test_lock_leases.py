"""Leases that show who holds which collection group, on a real API server."""

import secrets
from dataclasses import replace
from datetime import UTC, datetime

import pytest_asyncio

from firelift.api.rollout import DatabaseRef
from firelift.kube import lock_leases
from firelift.kube.client import Cluster
from firelift.kube.lock_leases import HeldLock

SINCE = datetime(2026, 1, 1, tzinfo=UTC)


@pytest_asyncio.fixture
async def namespace(cluster: Cluster) -> str:
    name = f"locks-{secrets.token_hex(4)}"
    await cluster.create("/api/v1/namespaces", {"metadata": {"name": name}})
    return name


def lock(group: str, holder: str = "team/users", database: str = "(default)") -> HeldLock:
    return HeldLock(DatabaseRef(project="demo-project", name=database), group, holder, SINCE)


async def test_a_lock_is_shown_with_its_holder_and_what_it_locks(cluster: Cluster, namespace: str) -> None:
    held = lock("Fitness_Logs")
    for _ in range(2):
        await lock_leases.show(cluster, namespace, held)
    found = await cluster.get(f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/{held.name}")
    assert held.name.startswith("lock-fitness-logs-")
    assert found["spec"]["holderIdentity"] == "team/users"
    assert found["spec"]["acquireTime"] == "2026-01-01T00:00:00.000000Z"
    assert found["metadata"]["annotations"] == {
        "firelift.dev/database": "demo-project/(default)",
        "firelift.dev/collection-group": "Fitness_Logs",
    }


async def test_groups_and_databases_are_told_apart(cluster: Cluster, namespace: str) -> None:
    held = [lock("logs"), lock("logs", database="second"), lock("Logs"), lock("日誌")]
    for each in held:
        await lock_leases.show(cluster, namespace, each)
    assert await lock_leases.shown(cluster, namespace, "team/users") == {each.name for each in held}
    assert await lock_leases.shown(cluster, namespace, "other/users") == set()


async def test_what_is_held_by_somebody_else_by_now_stays(cluster: Cluster, namespace: str) -> None:
    mine = lock("logs")
    await lock_leases.show(cluster, namespace, mine)
    await lock_leases.show(cluster, namespace, replace(mine, holder="team/next"))
    await lock_leases.take_down(cluster, namespace, mine.name, "team/users")
    assert await lock_leases.shown(cluster, namespace, "team/next") == {mine.name}
    for _ in range(2):
        await lock_leases.take_down(cluster, namespace, mine.name, "team/next")
    assert await lock_leases.shown(cluster, namespace, "team/next") == set()
