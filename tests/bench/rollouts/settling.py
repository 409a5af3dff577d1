"""Moving in: everybody is made, and those that are over get what one of them has really lived through."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from tests.bench.rollouts.api import Json, Seen, place
from tests.bench.rollouts.house import House
from tests.bench.rollouts.population import Member, Role, settled

from firelift.infra.firestore_admin import database_uid
from firelift.migration.ledger import root as roots
from firelift.migration.store import Create
from firelift.sandbox.processes import Process
from firelift.stores.firestore.store import FirestoreStore, open_firestore

AT_ONCE = 8
SETTLE_SECONDS = 240.0
_COMMIT = 400
_POLL_SECONDS = 0.5

Item = TypeVar("Item")


async def each(items: Iterable[Item], do: Callable[[Item], Awaitable[object]], at_once: int = AT_ONCE) -> None:
    """Do it for each, a few at a time."""
    left = iter(items)

    async def some() -> None:
        for item in left:
            await do(item)

    await asyncio.gather(*(some() for _ in range(at_once)))


async def settle_in(house: House, people: Sequence[Member]) -> None:
    """Let everybody do what they are there for, under an operator that is gone again at the end.

    The finished ones are copies of the first of them, which has moved its documents in three phases: its status, and
    its ledger's root. A thousand real lives would take an hour, and what is measured begins behind them: an operator
    has written into each status what differs from the first one's, as it would have been there all along.
    """
    host = house.sandbox.firestore_host
    stores = {project: open_firestore(project, emulator_host=host) for project in {one.project for one in people}}
    try:
        finished = [one for one in people if one.role is Role.FINISHED]
        others = [one for one in people if one.role is not Role.FINISHED]
        real = [*others, *finished[:1]]
        await each([one for one in real if one.documents], lambda one: _fill(stores[one.project], one))
        operator = house.start_operator()
        await each(real, lambda one: house.api.create(one.key, one.spec))
        await until_settled(house, real)
        await until_let_go(house, finished[:1])
        operator.stop()
        await _copied(house, stores, finished)
        operator = house.start_operator()
        await until_looked_at(house, operator, len(people))
        await until_settled(house, people)
        operator.stop()
    finally:
        for store in stores.values():
            await store.close()


async def until_settled(house: House, people: Sequence[Member], seconds: float = SETTLE_SECONDS) -> None:
    """Wait until each does what it is there for.

    Raises:
        RuntimeError: some do not in time.
    """
    await _until(
        house, people, lambda one, seen: seen is not None and settled(one.role, seen.reason), seconds, "settled"
    )


async def until_looked_at(house: House, operator: Process, objects: int, seconds: float = SETTLE_SECONDS) -> None:
    """Wait until this operator leads and has had a turn for each object.

    Raises:
        RuntimeError: it has not in time.
    """
    deadline = time.monotonic() + seconds
    operator.wait_until(lambda: '"leading"' in operator.log.read_text(), seconds=seconds)
    while (looked := (await house.metrics()).total("firelift_rollouts")) < objects:
        if time.monotonic() > deadline:
            raise RuntimeError(f"the operator has looked at {looked:g} of {objects} rollouts within {seconds:.0f} s")
        house.require_operator()
        await asyncio.sleep(_POLL_SECONDS)


async def until_let_go(house: House, people: Sequence[Member], seconds: float = SETTLE_SECONDS) -> None:
    """Wait until nothing of these is held any more.

    Raises:
        RuntimeError: something is.
    """
    await _until(house, people, lambda _, seen: seen is None or not seen.held, seconds, "let go")


async def until_gone(house: House, people: Sequence[Member], seconds: float = SETTLE_SECONDS) -> None:
    """Wait until these are deleted.

    Raises:
        RuntimeError: some are not in time.
    """
    await _until(house, people, lambda _, seen: seen is None, seconds, "gone")


async def _until(
    house: House, people: Sequence[Member], fact: Callable[[Member, Seen | None], bool], seconds: float, what: str
) -> None:
    deadline = time.monotonic() + seconds
    while missing := [one for one in people if not fact(one, house.api.seen.get(one.key))]:
        if time.monotonic() > deadline:
            found = Counter((one.role.value, _reason(house.api.seen.get(one.key))) for one in missing)
            raise RuntimeError(f"{len(missing)} of {len(people)} are not {what} within {seconds:.0f} s: {found}")
        house.require_operator()
        await asyncio.sleep(_POLL_SECONDS)


def _reason(seen: Seen | None) -> str:
    return seen.reason if seen is not None else "absent"


async def _copied(house: House, stores: dict[str, FirestoreStore], finished: Sequence[Member]) -> None:
    first, *others = finished
    document = await house.api.call("GET", place(first.key))
    root = await roots.read_root(stores[first.project], first.ledger)
    if root is None:
        raise RuntimeError(f"{first.key} has no ledger: {document.get('status')}")

    endpoint = house.sandbox.monitoring_host
    uids = {project: await database_uid(project, "(default)", endpoint) for project in stores}

    async def copy(one: Member) -> None:
        made = await house.api.create(one.key, one.spec)
        await house.api.merge(place(one.key, "status"), {"status": document["status"]})
        await _copy_root(stores[one.project], one, replace(root, database_uid=uids[one.project]), made)

    await each(others, copy)


async def _copy_root(store: FirestoreStore, one: Member, root: roots.Root, made: Json) -> None:
    owner = roots.RootOwner("bench", made["metadata"]["uid"], str(one.key), 1)
    update_time = await roots.create_root(store, one.ledger, owner, root.database_uid, root.state)
    await roots.release(store, one.ledger, update_time, expire_at=root.expire_at)


async def _fill(store: FirestoreStore, one: Member) -> None:
    encode = store.values.encode
    for start in range(0, one.documents, _COMMIT):
        numbers = range(start, min(start + _COMMIT, one.documents))
        await store.commit(
            [
                Create(f"{one.collection}/log-{n:06d}", {name: encode(value) for name, value in _log(n).items()})
                for n in numbers
            ]
        )


def _log(number: int) -> dict[str, object]:
    return {"userId": f"user-{number % 200}", "type": "run", "calories": number, "ts": "2025-01-01T00:00:00Z"}
