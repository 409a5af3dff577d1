"""Bytes of any size, kept in Secrets of a real API server."""

from __future__ import annotations

import os
import secrets

import pytest_asyncio

from firelift.kube.blobs import PART_BYTES, Blob, Shelf
from firelift.kube.client import Cluster


@pytest_asyncio.fixture
async def shelf(cluster: Cluster) -> Shelf:
    name = f"blobs-{secrets.token_hex(4)}"
    await cluster.create("/api/v1/namespaces", {"metadata": {"name": name}})
    return Shelf(name, "shop-prod")


async def _names(cluster: Cluster, shelf: Shelf) -> list[str]:
    listed = await cluster.list_metadata(f"/api/v1/namespaces/{shelf.namespace}/secrets")
    return sorted(each["metadata"]["name"] for each in listed["items"])


async def test_what_is_larger_than_a_secret_comes_back_as_it_was(cluster: Cluster, shelf: Shelf) -> None:
    content = os.urandom(2 * PART_BYTES + 1)
    await shelf.put(cluster, "plan-a", Blob(content, {"run": "1"}))
    assert await shelf.get(cluster, "plan-a") == Blob(content, {"run": "1"})
    assert await _names(cluster, shelf) == ["plan-a.0", "plan-a.1", "plan-a.2"]


async def test_a_smaller_one_takes_the_place_of_a_larger_one(cluster: Cluster, shelf: Shelf) -> None:
    await shelf.put(cluster, "plan-a", Blob(os.urandom(PART_BYTES + 1), {"run": "1"}))
    await shelf.put(cluster, "plan-a", Blob(b"small", {"serial": "2"}))
    assert await shelf.get(cluster, "plan-a") == Blob(b"small", {"serial": "2"})


async def test_what_is_not_whole_is_as_if_it_were_not_there(cluster: Cluster, shelf: Shelf) -> None:
    await shelf.put(cluster, "plan-a", Blob(os.urandom(PART_BYTES + 1)))
    await cluster.delete(f"/api/v1/namespaces/{shelf.namespace}/secrets/plan-a.1", {})
    assert await shelf.get(cluster, "plan-a") is None
    assert await shelf.get(cluster, "plan-b") is None


async def test_only_what_is_unwanted_goes(cluster: Cluster, shelf: Shelf) -> None:
    for name in ("plan-a", "plan-b", "applied"):
        await shelf.put(cluster, name, Blob(b"content"))
    await Shelf(shelf.namespace, "another").put(cluster, "plan-c", Blob(b"content"))
    await shelf.drop(cluster, lambda name: name.startswith("plan-"))
    assert await _names(cluster, shelf) == ["applied.0", "plan-c.0"]
