"""When the database may delete what a ledger holds: marked, or unmarked, in portions that go on where the last ended.

A ledger may have millions of documents, and a turn of the operator has seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from firelift.migration.ledger import paths
from firelift.migration.store import Document, Fields, Source, Store, Update

EXPIRE_AT = "expireAt"
BATCH = 400
PAGES = 25
"""Of one portion: 10,000 documents, some seconds of a turn's thirty at 0.2 s a commit."""


@dataclass(frozen=True, slots=True)
class Marking:
    """A marking under way. `time` is what documents are given to expire at, None takes it away.

    What lies behind `after`, a path or empty, in `collection`, and all collections behind that one, are still to do.
    """

    time: datetime | None
    collection: str = paths.COLLECTIONS[0]
    after: str = ""


async def mark(store: Store, ledger: str, marking: Marking) -> Marking | None:
    """One portion of it: what is then still to do, None when nothing is.

    A portion can be repeated: documents that are as they should be are passed over.
    """
    left: Marking | None = marking
    for _ in range(PAGES):
        if left is None:
            return None
        left = await _page(store, ledger, left)
    return left


async def _page(store: Store, ledger: str, marking: Marking) -> Marking | None:
    source = Source(paths.collection(ledger, marking.collection), start=marking.after or None)
    page = await store.page(source, limit=BATCH, mask=[(EXPIRE_AT,)])
    await _give(store, page.documents, marking.time)
    if not page.exhausted:
        return Marking(marking.time, marking.collection, page.documents[-1].path)
    behind = paths.COLLECTIONS[paths.COLLECTIONS.index(marking.collection) + 1 :]
    return Marking(marking.time, behind[0]) if behind else None


async def _give(store: Store, documents: Sequence[Document], time: datetime | None) -> None:
    wanted = {} if time is None else {EXPIRE_AT: store.values.encode(time)}
    stale = [each for each in documents if not _same(store, each.fields, wanted)]
    if stale:
        await store.commit([Update(each.path, wanted, [(EXPIRE_AT,)], None) for each in stale])


def _same(store: Store, fields: Fields, wanted: Fields) -> bool:
    return store.values.dumps(store.values.new_map(fields)) == store.values.dumps(store.values.new_map(wanted))
