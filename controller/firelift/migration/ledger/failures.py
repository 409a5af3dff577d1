"""What workers say before they give up, for the operator to show."""

from __future__ import annotations

from collections.abc import Sequence

from firelift.migration.ledger import paths
from firelift.migration.sentences import sentence
from firelift.migration.store import Delete, Document, Put, Store


async def write_failure(store: Store, ledger: str, run: str, index: int, why: str) -> None:
    """Keep why the worker of this index gave up; the newest sentence replaces the one before."""
    path = paths.failure(ledger, run, index)
    await store.commit([Put(path, {"sentence": store.values.encode(sentence(why))})])


async def clear_failure(store: Store, ledger: str, run: str, index: int) -> None:
    """The worker of this index has come back."""
    path = paths.failure(ledger, run, index)
    found = (await store.get([path], mask=()))[0]
    if isinstance(found, Document):
        await store.commit([Delete(path)])


async def read_failure(store: Store, names: Sequence[str]) -> str:
    """The newest sentence in these documents, empty when all workers are well."""
    documents = [each for each in (await store.get(names) if names else []) if isinstance(each, Document)]
    newest = max(documents, key=lambda each: each.update_time, default=None)
    return str(store.values.decode(newest.fields["sentence"])) if newest else ""
