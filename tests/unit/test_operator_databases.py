"""The operator's databases are opened when a rollout needs them, and closed when none has for long."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress

import pytest

from firelift.api.rollout import DatabaseRef
from firelift.kube.client import always
from firelift.migration.errors import StoreError
from firelift.operator.databases import STREAMS, Databases

HOURS = 3600.0


class Clock:
    """Stands still but for what a test adds."""

    seconds = 100.0

    def __call__(self) -> float:
        """Now."""
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", "127.0.0.1:1")
    return Clock()


def team(number: int) -> DatabaseRef:
    return DatabaseRef(project=f"team-{number:03d}")


async def test_databases_that_come_and_go_do_not_add_up(clock: Clock) -> None:
    databases = Databases(always, timeout_seconds=1, clock=clock)
    for number in range(30):
        databases.store(team(number))
        clock.seconds += HOURS
    assert len(databases) == 3
    await databases.close()


async def test_a_database_that_is_used_stays_open(clock: Clock) -> None:
    databases = Databases(always, timeout_seconds=1, clock=clock)
    first = databases.store(team(0))
    for number in range(1, 10):
        clock.seconds += HOURS
        assert databases.store(team(0)) is first
        databases.store(team(number))
    clock.seconds += 3 * HOURS
    databases.store(team(1))
    assert databases.store(team(0)) is not first
    await databases.close()


async def test_hundreds_of_reads_at_once_start_few_threads(clock: Clock) -> None:
    databases = Databases(always, timeout_seconds=0.2, clock=clock)
    store = databases.store(team(0))
    before = threading.active_count()

    async def read(number: int) -> None:
        with suppress(StoreError, TimeoutError):
            async with asyncio.timeout(0.2):
                await store.get([f"users/{number}"])

    await asyncio.gather(*(read(number) for number in range(200)))
    assert threading.active_count() - before <= STREAMS
    await databases.close()
