"""What workers say before they give up, and while they wait for what only time or a person brings: to be shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from firelift.migration.ledger import paths
from firelift.migration.sentences import sentence
from firelift.migration.store import Delete, Document, Micros, Put, Store

FRESH: Micros = 90_000_000
"""Who waits says so every 30 s; who has not said it for so long does not wait any more."""


@dataclass(frozen=True, slots=True)
class Said:
    """The newest of what the workers of a run say, empty when all are well. `since`: they wait since then."""

    failure: str = ""
    waiting: str = ""
    since: Micros = 0


async def write_failure(store: Store, ledger: str, run: str, index: int, why: str) -> None:
    """Keep why the worker of this index gave up; the newest sentence replaces the one before."""
    await _write(store, paths.failure(ledger, run, index), why, waiting=False)


async def write_waiting(store: Store, ledger: str, run: str, index: int, why: str) -> None:
    """Keep what the worker of this index waits for. It is to be said again in less than `FRESH`."""
    await _write(store, paths.failure(ledger, run, index), why, waiting=True)


async def clear_failure(store: Store, ledger: str, run: str, index: int) -> None:
    """The worker of this index has come back."""
    path = paths.failure(ledger, run, index)
    found = (await store.get([path], mask=()))[0]
    if isinstance(found, Document):
        await store.commit([Delete(path)])


async def read_said(store: Store, names: Sequence[str]) -> Said:
    """What stands in these documents."""
    documents = [each for each in (await store.get(names) if names else []) if isinstance(each, Document)]
    newest = max(documents, key=lambda each: each.update_time, default=None)
    if newest is None:
        return Said()
    plain = {name: store.values.decode(value) for name, value in newest.fields.items()}
    text = str(plain["sentence"])
    if not plain["waiting"]:
        return Said(failure=text)
    fresh = newest.read_time - newest.update_time < FRESH
    return Said(waiting=text, since=newest.create_time) if fresh else Said()


async def _write(store: Store, path: str, why: str, *, waiting: bool) -> None:
    plain: dict[str, object] = {"sentence": sentence(why), "waiting": waiting}
    await store.commit([Put(path, {name: store.values.encode(value) for name, value in plain.items()})])
