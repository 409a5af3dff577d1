"""What workers say before they give up, and while they wait for what only time or a person brings: to be shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from firelift.migration.ledger import paths
from firelift.migration.sentences import sentence
from firelift.migration.store import Delete, Document, Micros, Put, Store

FRESH: Micros = 90_000_000
"""Who waits says so every 30 s; who has not said it for so long does not wait any more."""

_PRESSED = "pressed"


@dataclass(frozen=True, slots=True)
class Said:
    """The newest of what the workers of a run say, empty when all are well. `since`: they wait since then.

    `pressed`: when one of them last said that it is only asked to slow down, and nothing lands.
    """

    failure: str = ""
    waiting: str = ""
    since: Micros = 0
    pressed: Micros = 0


async def write_failure(store: Store, ledger: str, run: str, index: int, why: str) -> None:
    """Keep why the worker of this index gave up; the newest sentence replaces the one before."""
    await _write(store, paths.failure(ledger, run, index), why, waiting=False)


async def write_waiting(store: Store, ledger: str, run: str, index: int, why: str) -> None:
    """Keep what the worker of this index waits for. It is to be said again in less than `FRESH`."""
    await _write(store, paths.failure(ledger, run, index), why, waiting=True)


async def write_pressed(store: Store, ledger: str, run: str, index: int, why: str) -> None:
    """Keep that the worker of this index is asked to slow down while nothing of it lands."""
    await _write(store, paths.failure(ledger, run, index), why, waiting=False, pressed=True)


async def clear_failure(store: Store, ledger: str, run: str, index: int) -> None:
    """The worker of this index has come back."""
    path = paths.failure(ledger, run, index)
    found = (await store.get([path], mask=()))[0]
    if isinstance(found, Document):
        await store.commit([Delete(path)])


async def read_said(store: Store, names: Sequence[str]) -> Said:
    """What stands in these documents."""
    documents = [each for each in (await store.get(names) if names else []) if isinstance(each, Document)]
    told = [each for each in documents if _PRESSED in each.fields]
    pressed = max((each.update_time for each in told if _fresh(each)), default=0)
    newest = max((each for each in documents if each not in told), key=lambda each: each.update_time, default=None)
    if newest is None:
        return Said(pressed=pressed)
    plain = {name: store.values.decode(value) for name, value in newest.fields.items()}
    text = str(plain["sentence"])
    if not plain["waiting"]:
        return Said(failure=text, pressed=pressed)
    return Said(waiting=text, since=newest.create_time, pressed=pressed) if _fresh(newest) else Said(pressed=pressed)


def _fresh(document: Document) -> bool:
    return document.read_time - document.update_time < FRESH


async def _write(store: Store, path: str, why: str, *, waiting: bool, pressed: bool = False) -> None:
    plain: dict[str, object] = {"sentence": sentence(why), "waiting": waiting, **({_PRESSED: True} if pressed else {})}
    await store.commit([Put(path, {name: store.values.encode(value) for name, value in plain.items()})])
