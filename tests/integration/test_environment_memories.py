"""What is remembered of an environment, on a real API server."""

from __future__ import annotations

import secrets
from dataclasses import replace

import pytest
import pytest_asyncio

from firelift.environment.state import EnvironmentState
from firelift.kube import memories
from firelift.kube.client import Cluster
from firelift.kube.errors import Changed
from firelift.kube.memories import Memory


@pytest_asyncio.fixture
async def place(cluster: Cluster) -> Memory:
    namespace = f"memories-{secrets.token_hex(4)}"
    await cluster.create("/api/v1/namespaces", {"metadata": {"name": namespace}})
    return Memory(namespace, "environment-shop-prod", object="shop/prod", label="shop-prod", uid="one")


async def test_what_was_written_is_read_and_what_was_forgotten_is_not(cluster: Cluster, place: Memory) -> None:
    assert (await memories.read(cluster, place)).state is None
    state = EnvironmentState(version=1, runs=7)
    await memories.write(cluster, place, state)
    assert (await memories.read(cluster, place)).state == state
    await memories.forget(cluster, place)
    await memories.forget(cluster, place)
    assert await memories.read(cluster, place) == place


async def test_who_was_slower_writes_nothing(cluster: Cluster, place: Memory) -> None:
    first = await memories.write(cluster, place, EnvironmentState(version=1))
    with pytest.raises(Changed):
        await memories.write(cluster, place, EnvironmentState(version=1))
    second = await memories.write(cluster, first, EnvironmentState(version=2))
    with pytest.raises(Changed):
        await memories.write(cluster, first, EnvironmentState(version=2, runs=9))
    assert await memories.read(cluster, place) == second


async def test_the_memory_of_an_earlier_object_of_the_name_is_written_over(cluster: Cluster, place: Memory) -> None:
    await memories.write(cluster, place, EnvironmentState(version=5))
    another = await memories.read(cluster, replace(place, uid="two"))
    assert another.state is None
    written = await memories.write(cluster, another, EnvironmentState(version=1))
    assert await memories.read(cluster, replace(place, uid="two")) == written


async def test_a_memory_that_nobody_can_read_is_as_if_it_were_lost(cluster: Cluster, place: Memory) -> None:
    await memories.write(cluster, place, EnvironmentState(version=5))
    await cluster.merge(place.path, {"data": {"state.json.gz": "bm90aGluZw=="}}, manager="test")
    found = await memories.read(cluster, place)
    assert found.state is None
    assert found.version
