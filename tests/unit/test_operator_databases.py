"""The operator's databases are opened when a rollout needs them, and closed when none has for long."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress

import grpc
import pytest
from tests.waiting import until

from firelift.api.rollout import DatabaseRef
from firelift.infra.firestore_admin import DatabaseLookupError
from firelift.kube.client import always
from firelift.migration.errors import StoreError
from firelift.migration.store import Create
from firelift.operator.databases import ADMIN_ENDPOINT_VARIABLE, STREAMS, Databases

HOURS = 3600.0
ADMIN_SERVICE = "google.firestore.admin.v1.FirestoreAdmin"


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


async def test_nothing_is_committed_to_any_database_without_the_permit(clock: Clock) -> None:
    def refuse() -> None:
        raise PermissionError

    databases = Databases(refuse, timeout_seconds=1, clock=clock)
    with pytest.raises(PermissionError):
        await databases.store(team(0)).commit([Create("users/a", {})])
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


async def test_who_waits_for_a_uid_that_cannot_be_read_fails_with_it_and_does_not_try_for_himself(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, answer = 0, asyncio.Event()

    async def refuse(_: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> None:
        nonlocal asked
        asked += 1
        await answer.wait()
        await context.abort(grpc.StatusCode.PERMISSION_DENIED, "no")

    server = grpc.aio.server()
    methods = {"GetDatabase": grpc.unary_unary_rpc_method_handler(refuse)}
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(ADMIN_SERVICE, methods)])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    monkeypatch.setenv(ADMIN_ENDPOINT_VARIABLE, f"127.0.0.1:{port}")
    databases = Databases(always, timeout_seconds=1, clock=clock)
    waiting = [asyncio.create_task(databases.uid(team(0))) for _ in range(5)]
    await until(lambda: asked > 0)
    answer.set()
    ended = await asyncio.gather(*waiting, return_exceptions=True)
    await databases.close()
    await server.stop(None)
    assert (asked, {type(error) for error in ended}) == (1, {DatabaseLookupError})
