"""Reading ledgers where they are, with the caller's own Google credentials. Nothing here writes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from google.auth.exceptions import GoogleAuthError

from firelift.api.rollout import DatabaseRef
from firelift.api.run import RunState
from firelift.cli.exits import Exit, Problem
from firelift.cli.views import RolloutView
from firelift.migration.errors import Denied, LedgerBroken, MigrationError
from firelift.migration.ledger import paths
from firelift.migration.ledger.letters import CLOSED_BY
from firelift.migration.ledger.progress import Progress, RunProgress
from firelift.migration.ledger.root import RootOwner, read_root
from firelift.migration.ledger.runs import RunDocument, RunStore
from firelift.migration.store import Document, Source, Store
from firelift.stores.firestore.store import open_firestore
from firelift.stores.firestore.transport import Patience

_PATIENCE = Patience(call=15, reads=15)
_PAGE = 300
_ROOTS = "_firelift"
_LETTER = ("path", "reason", "rule", "attempt", "run", "time", CLOSED_BY)
_REMEDY = "run `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that could not move: its path and why, never what was in it."""

    path: str
    reason: str
    rule: str
    run: str
    time: str
    open: bool


@dataclass(frozen=True, slots=True)
class RunSeen:
    """A run that is not over, as its ledger has it."""

    ledger: str
    owner: RootOwner | None
    run: RunDocument
    progress: RunProgress

    @property
    def writes(self) -> bool:
        """Whether its workers may write at this moment."""
        return self.run.control.state is RunState.RUN and self.run.seen.lease_left > 0


@contextlib.asynccontextmanager
async def opened(database: DatabaseRef) -> AsyncIterator[Store]:
    """The database, for as long as it is asked.

    Raises:
        Problem: there are no credentials, it may not be read, or it does not answer.
    """
    name = f"{database.project}/{database.name}"
    try:
        store = open_firestore(database.project, database.name, patience=_PATIENCE)
        try:
            yield store
        finally:
            await store.close()
    except GoogleAuthError as error:
        raise Problem(f"database {name} cannot be asked: {error}; {_REMEDY}", Exit.UNREACHABLE) from error
    except (Denied, LedgerBroken) as error:
        raise Problem(f"database {name} cannot be read: {error}", Exit.REFUSED) from error
    except MigrationError as error:
        raise Problem(f"database {name} does not answer: {error}", Exit.UNREACHABLE) from error


def of(view: RolloutView) -> tuple[DatabaseRef, str]:
    """The database and the ledger of a rollout.

    Raises:
        Problem: its spec is not one that this version can read.
    """
    if view.spec is None:
        raise Problem(f"the spec of {view.name} is not one that this version can read; update the plugin", Exit.REFUSED)
    return view.spec.database, view.spec.ledger_id or f"{view.namespace}.{view.name}"


async def dead_letters(store: Store, ledger: str, most: int, *, closed: bool) -> tuple[list[DeadLetter], bool]:
    """At most `most` dead letters in the order of their runs, and whether those are all; open ones unless `closed`."""
    found: list[DeadLetter] = []
    collection = paths.collection(ledger, paths.DEAD_LETTERS)
    mask = [(name,) for name in _LETTER]
    async for document in _all(store, collection, mask):
        letter = _letter({name: store.values.decode(value) for name, value in document.fields.items()})
        if closed or letter.open:
            if len(found) == most:
                return found, False
            found.append(letter)
    return found, True


async def ledgers(store: Store) -> list[str]:
    """The names of all ledgers in the database."""
    return [document.path.removeprefix(f"{_ROOTS}/") async for document in _all(store, _ROOTS, [("format",)])]


async def runs(store: Store, ledger: str, *, over: bool = False) -> list[RunSeen]:
    """The runs of a ledger that are not over, and with `over` all of them, in the order in which they were made."""
    root = await read_root(store, ledger)
    listed = sorted(await RunStore(store, ledger).listed(), key=lambda each: each[1])
    documents = await RunStore(store, ledger).read([plan.id for plan, _ in listed])
    chosen = [each for each in documents.values() if each and (over or each.control.state is not RunState.STOP)]
    progress = await asyncio.gather(*(Progress(store, ledger, each.plan.id).update() for each in chosen))
    seen = (
        RunSeen(ledger, root.owner if root else None, each, told) for each, told in zip(chosen, progress, strict=True)
    )
    return [each for each in seen if over or not each.progress.complete]


async def _all(store: Store, collection: str, mask: Sequence[tuple[str, ...]]) -> AsyncIterator[Document]:
    after: str | None = None
    while True:
        page = await store.page(Source(collection, start=after), limit=_PAGE, mask=mask)
        for document in page.documents:
            yield document
        if page.exhausted or not page.documents:
            return
        after = page.documents[-1].path


def _letter(plain: dict[str, Any]) -> DeadLetter:
    return DeadLetter(
        path=str(plain.get("path", "")),
        reason=str(plain.get("reason", "")),
        rule=str(plain.get("rule", "")),
        run=str(plain.get("run", "")),
        time=_time(plain.get("time")),
        open=plain.get(CLOSED_BY) is None,
    )


def _time(value: Any) -> str:
    return f"{value:%Y-%m-%dT%H:%M:%SZ}" if hasattr(value, "strftime") else str(value or "")
