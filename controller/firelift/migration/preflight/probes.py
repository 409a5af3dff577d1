"""Checks that ask the database, and write nothing: access, identity, and whose collections these are."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from firelift.api.migration import MigrationSpec
from firelift.api.plan import Check, PlanRequest, SourceCount
from firelift.api.run import RunPlan
from firelift.migration.clock import Clock
from firelift.migration.errors import Conflict, StoreError
from firelift.migration.ledger import paths
from firelift.migration.ledger.root import read_root
from firelift.migration.preflight.verdicts import passed, refused, warned
from firelift.migration.store import Create, Delete, Document, Source, Store, Update

EMULATOR_VARIABLE = "FIRESTORE_EMULATOR_HOST"

BEHIND_THE_LEDGERS = "_firelift0/0"
"""A path behind all of ``_firelift`` and before whatever comes next."""

LOOKED_AT = 50
"""Documents of the ledger's own collections that are looked at."""

_NEVER = 1
"""No document was last changed at the first microsecond of 1970."""


@dataclass(frozen=True, slots=True)
class Probes:
    """The checks of one plan run. Each answers a `Check` and raises nothing of the database's."""

    store: Store
    plan: RunPlan
    request: PlanRequest
    clock: Clock

    async def database(self) -> Check:
        """Whether the worker speaks to the database that is declared, and that the operator speaks to."""
        declared = f"{self.plan.database.project}/{self.plan.database.name}"
        began = self.clock.seconds()
        try:
            root = await read_root(self.store, self.plan.ledger)
        except StoreError as error:
            return refused("database", f"{declared} does not answer the worker: {error}; check network and identity")
        milliseconds = (self.clock.seconds() - began) * 1000
        here = os.environ.get(EMULATOR_VARIABLE, "")
        if mistake := self._mistaken(here, root.database_uid if root else ""):
            return refused("database", mistake)
        uid = self.request.database_uid
        what = f"{declared} answers in {milliseconds:,.0f} ms"
        if here:
            return warned("database", f"{what}, and it is an emulator at {here}: nothing real is moved")
        if not uid:
            return warned("database", f"{what}, but its uid is unknown: grant the operator roles/datastore.viewer")
        return passed("database", f"{what}, uid {uid}{', as declared' if self.plan.database.uid else ''}")

    async def reading(self) -> Check:
        """Whether the worker may read every source."""
        try:
            for spec in self.request.migrations:
                await self.store.page(source_of(spec), limit=1, mask=())
                if spec.entity_collection is not None:
                    await self.store.page(Source(spec.entity_collection), limit=1, mask=())
        except StoreError as error:
            return refused("read", f"cannot read {_named(spec)}: {error}; grant the worker roles/datastore.user")
        return passed("read", f"all {len(self.request.migrations):,} sources can be read")

    async def writing(self) -> Check:
        """Whether the worker may create, change and delete, by a commit that no precondition lets happen."""
        probe = f"{paths.run(self.plan.ledger, self.plan.id)}.probe"
        root = paths.root(self.plan.ledger)
        try:
            await self.store.commit([Create(probe, {}), Delete(probe), Update(root, {}, [("probe",)], _NEVER)])
        except Conflict:
            return passed("write", "a commit that could not happen was refused for its precondition alone")
        except StoreError as error:
            return refused("write", f"the worker may not write: {error}; grant it roles/datastore.user")
        return refused("write", f"the database took a commit that its precondition forbids, at {probe}; look at it")

    async def ledger(self) -> Check:
        """Whether the ledger's collections are free of an app's own data."""
        try:
            strangers = [*await self._strangers("_firelift", "format"), *await self._strangers(_LOCKS, "waiters")]
            for group in paths.COLLECTIONS:
                strangers += await self._elsewhere(group)
        except StoreError as error:
            return refused("ledger", f"the ledger's collections cannot be read: {error}")
        if strangers:
            named = ", ".join(strangers[:3])
            return refused("ledger", f"{named} is an app's own, in a collection that is Firelift's; move it elsewhere")
        return passed("ledger", "its collections hold nothing of an app's")

    async def counts(self) -> tuple[tuple[SourceCount, ...], tuple[Check, ...]]:
        """How many documents each source has, by COUNT aggregation (one read for each 1,000)."""
        counts: list[SourceCount] = []
        checks: list[Check] = []
        for spec in self.request.migrations:
            try:
                documents = await self.store.count(source_of(spec))
            except StoreError as error:
                checks.append(refused(f"source {spec.name}", f"{_named(spec)} cannot be counted: {error}"))
                continue
            counts.append(SourceCount(migration=spec.name, source=_named(spec), documents=documents))
            checks.append(_counted(spec, documents))
        return tuple(counts), tuple(checks)

    def _mistaken(self, here: str, known: str) -> str:
        """Why it is another database than people mean; `known` is the uid that the ledger was made in."""
        if here != self.request.emulator:
            return f"the worker speaks to {_place(here)}, the operator to {self._place}"
        database, uid = self.plan.database, self.request.database_uid
        if uid and known and uid != known:
            return f"{database.project}/{database.name} has uid {uid}, and its ledger was made in one with uid {known}"
        return database.mistaken(uid)

    @property
    def _place(self) -> str:
        return _place(self.request.emulator)

    async def _strangers(self, collection: str, field: str) -> list[str]:
        page = await self.store.page(Source(collection), limit=LOOKED_AT, mask=[(field,)])
        return [document.path for document in page.documents if field not in document.fields]

    async def _elsewhere(self, group: str) -> list[str]:
        found: list[Document] = []
        for start in (None, BEHIND_THE_LEDGERS):
            page = await self.store.page(Source(group, all_descendants=True, start=start), limit=1, mask=())
            found += page.documents
        return _outside(found)


_LOCKS = paths.lock("").rstrip("/")


def source_of(spec: MigrationSpec) -> Source:
    """The whole source of a migration."""
    return Source(
        spec.source.collection or spec.source.collection_group or "", all_descendants=not spec.source.collection
    )


def _outside(documents: Iterable[Document]) -> list[str]:
    return [document.path for document in documents if not document.path.startswith("_firelift/")]


def _counted(spec: MigrationSpec, documents: int) -> Check:
    name = f"source {spec.name}"
    if not documents:
        return warned(name, f"{_named(spec)} has no documents; check its path")
    return passed(name, f"{_named(spec)} has {documents:,} documents")


def _named(spec: MigrationSpec) -> str:
    if spec.source.collection is not None:
        return f"collection {spec.source.collection}"
    return f"collection group {spec.source.collection_group}"


def _place(emulator: str) -> str:
    return f"the emulator at {emulator}" if emulator else "the real service"


def all_checks(*groups: Sequence[Check]) -> tuple[Check, ...]:
    """One after the other."""
    return tuple(check for group in groups for check in group)
