"""Approvals are read once for all rollouts of a namespace, and are never older than a second or than their event."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.waiting import until

from firelift.kube.errors import KubeError, Unreachable
from firelift.operator.approval_lists import OLDEST_SECONDS, ApprovalLists


class Server:
    """A namespace's approvals, and how often they were asked for. `slow` holds an answer back until it is set."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.asked = 0
        self.seconds = 100.0
        self.slow: asyncio.Event | None = None
        self.broken = False
        self.lists = ApprovalLists(self.read, lambda: self.seconds)

    async def read(self, namespace: str) -> list[dict[str, Any]]:
        """What the API server says at the moment of the question."""
        self.asked += 1
        answer = [approval(name, namespace) for name in self.names]
        if self.slow is not None:
            await self.slow.wait()
        if self.broken:
            raise Unreachable("GET approvals", 0, "no answer")
        return answer

    async def seen(self, rollout: str = "tasks", namespace: str = "team") -> list[str]:
        """The names that a turn of a rollout sees."""
        return [each.name for each in await self.lists.of_rollout(namespace, rollout)]


def approval(name: str, namespace: str) -> dict[str, Any]:
    spec = {"target": {"name": "tasks"}, "digest": f"sha256:{'0' * 64}", "decision": "Approve", "approver": "ada"}
    metadata = {"name": name, "namespace": namespace, "creationTimestamp": "2026-01-01T00:00:00Z"}
    return {"metadata": metadata, "spec": spec}


async def test_a_hundred_rollouts_that_turn_together_read_one_list() -> None:
    server = Server()
    server.names = ["a"]
    found = await asyncio.gather(*(server.seen(rollout) for rollout in ["tasks", "users"] * 50))
    assert (found[0], found[1], server.asked) == (["a"], [], 1)
    await server.seen(namespace="other")
    assert server.asked == 2


async def test_an_approval_is_seen_at_its_event_and_a_removed_one_is_not() -> None:
    server = Server()
    assert await server.seen() == []
    for names in (["a"], ["a", "b"], ["b"]):
        server.names = names
        server.lists.changed("team")
        assert await server.seen() == names


async def test_an_approval_whose_event_is_lost_is_seen_within_a_second() -> None:
    server = Server()
    assert await server.seen() == []
    server.names = ["a"]
    assert await server.seen() == []
    server.seconds += OLDEST_SECONDS + 0.01
    assert await server.seen() == ["a"]
    assert OLDEST_SECONDS < 1


async def test_an_event_during_the_question_is_not_lost() -> None:
    server = Server()
    server.slow = asyncio.Event()
    before = asyncio.create_task(server.seen())
    await until(lambda: server.asked == 1)
    server.names = ["a"]
    server.lists.changed("team")
    after = asyncio.create_task(server.seen())
    await asyncio.sleep(0)
    server.slow.set()
    assert (await before, await after) == ([], ["a"])


async def test_a_list_is_as_old_as_its_question() -> None:
    server = Server()
    server.slow = asyncio.Event()
    before = asyncio.create_task(server.seen())
    await until(lambda: server.asked == 1)
    server.names = ["a"]
    server.seconds += 5
    server.slow.set()
    assert await before == []
    assert await server.seen() == ["a"]


async def test_a_list_that_cannot_be_read_is_asked_for_again() -> None:
    server = Server()
    server.broken = True
    with pytest.raises(KubeError):
        await server.seen()
    server.broken, server.names = False, ["a"]
    assert await server.seen() == ["a"]


async def test_turns_that_wait_for_a_list_that_cannot_be_read_fail_together() -> None:
    server = Server()
    server.broken, server.slow = True, asyncio.Event()
    turns = [asyncio.create_task(server.seen()) for _ in range(5)]
    await until(lambda: server.asked == 1)
    server.slow.set()
    ended = await asyncio.gather(*turns, return_exceptions=True)
    assert ({type(error) for error in ended}, server.asked) == ({Unreachable}, 1)


async def test_lists_of_namespaces_that_nobody_asks_about_any_more_are_not_kept() -> None:
    server = Server()
    server.names = ["a"]
    for number in range(50):
        server.seconds += OLDEST_SECONDS + 0.01
        assert await server.seen(namespace=f"team-{number}") == ["a"]
        server.lists.changed(f"team-{number}")
        server.lists.changed(f"elsewhere-{number}")
    assert len(server.lists) == 1
