"""Lists of entities: who there is, made once from the ids of a collection and kept in the ledger.

A list is an index and parts. Each maker writes parts of its own and then creates the index, so that whoever is first
counts and nobody meets half a list. A claim keeps the others from listing the same collection meanwhile.
"""

from __future__ import annotations

import json
import secrets
import zlib
from bisect import bisect_left, bisect_right
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from firelift.api.cohort import bucket
from firelift.api.run import FORMAT
from firelift.migration.clock import Pause
from firelift.migration.entities.packed import PackedEntities
from firelift.migration.errors import AlreadyExists, Conflict, LedgerBroken
from firelift.migration.filling import portions
from firelift.migration.ledger import paths
from firelift.migration.ledger.format import check
from firelift.migration.store import Create, Document, FieldPath, Micros, Missing, Put, Source, Store, Update

PAGE = 5_000
"""Ids of one page."""

PART_BYTES = 900 * 1024
"""Of a part before it is compressed. Firestore's limit for a document is 1 MiB."""

LEVEL = 3
"""Of zlib."""

PAGES_PER_CLAIM = 10
"""After so many pages a maker says that it is still there."""

CLAIM_SECONDS = 60
"""How long nothing may be heard of a maker until another one begins."""

MAKER = secrets.token_hex(4)
"""This process: after a failure it goes on with its own claim."""

TURN_SECONDS = 1.0
MICROS_PER_SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Listing:
    """The index of a list. `firsts` has the bucket of the first entity of each part; parts are in order."""

    name: str
    nonce: str
    total: int
    firsts: tuple[int, ...]

    def parts(self, start: int, end: int) -> range:
        """The parts that can hold entities of buckets from `start` up to `end`."""
        return range(max(0, bisect_left(self.firsts, start) - 1), bisect_right(self.firsts, end - 1))


@dataclass(frozen=True, slots=True)
class Members:
    """How a document tells an entity: by `entity`, for which the fields of `mask` are read."""

    mask: Sequence[FieldPath]
    entity: Callable[[Document], str | None]


BY_ID = Members((), lambda document: document.id)
"""Documents that are the entities themselves."""


@dataclass(frozen=True, slots=True)
class Listings:
    """The lists of a ledger. `seed` is of the cohort hash, by which they are in order."""

    store: Store
    ledger: str
    seed: str

    async def read(self, name: str) -> Listing | None:
        """A list that is there."""
        (document,) = await self.store.get([paths.listing(self.ledger, name)])
        if isinstance(document, Missing):
            return None
        plain = {key: self.store.values.decode(value) for key, value in document.fields.items()}
        check(document.path, plain.get("format"))
        return Listing(name, plain["nonce"], plain["total"], tuple(plain["firsts"]))

    async def ensure(self, name: str, source: Source, pause: Pause, members: Members | None = None) -> Listing:
        """The list of that name, made by whoever comes first: from the ids of a source, or from what `members` tells.

        Raises:
            StoreError: when the database cannot be asked; doing it again is safe.
        """
        while (there := await self.read(name)) is None:
            claim = await self._claimed(name)
            if claim is None:
                await pause(TURN_SECONDS)
                continue
            with suppress(Conflict):
                await self._make(name, source, claim, members or BY_ID)
        return there

    async def entities(self, name: str, start: int, end: int) -> list[str]:
        """The entities of buckets from `start` up to `end`, in order.

        Raises:
            LedgerBroken: when somebody has removed parts of the list.
        """
        return [entity async for part in self.parts(name, start, end) for entity in part]

    async def parts(self, name: str, start: int, end: int) -> AsyncIterator[list[str]]:
        """The same part by part: all of a long list may be more than a worker has room for."""
        listing = await self.read(name)
        if listing is None:
            raise LedgerBroken(f"the list of entities {name} is gone; somebody removed parts of the ledger")
        for number in listing.parts(start, end):
            yield [each for each in await self._part(listing, number) if start <= bucket(self.seed, each) < end]

    async def _part(self, listing: Listing, number: int) -> list[str]:
        (document,) = await self.store.get([paths.listing_part(self.ledger, listing.name, listing.nonce, number)])
        if isinstance(document, Missing):
            raise LedgerBroken(f"{document.path} is gone, and with it entities; somebody removed parts of the ledger")
        entities: list[str] = json.loads(zlib.decompress(self.store.values.decode(document.fields["entities"])))
        return entities

    async def _claimed(self, name: str) -> Micros | None:
        """When this process's claim was written, None while another one is at work."""
        path, fields = paths.listing_claim(self.ledger, name), self._claim(0)
        (there,) = await self.store.get([path])
        try:
            if isinstance(there, Missing):
                return (await self.store.commit([Create(path, fields)])).commit_time
            if self.store.values.decode(there.fields["maker"]) == MAKER:
                return there.update_time
            if there.read_time - there.update_time < CLAIM_SECONDS * MICROS_PER_SECOND:
                return None
            return await self._renewed(path, fields, there.update_time)
        except Conflict:
            return None

    async def _renewed(self, path: str, fields: dict[str, object], claim: Micros) -> Micros:
        mask = [(key,) for key in fields]
        return (await self.store.commit([Update(path, fields, mask, claim)])).commit_time

    def _claim(self, pages: int) -> dict[str, object]:
        return {"maker": self.store.values.encode(MAKER), "pages": self.store.values.encode(pages)}

    async def _make(self, name: str, source: Source, claim: Micros, members: Members) -> None:
        entities = PackedEntities(self.seed)
        path, pages = paths.listing_claim(self.ledger, name), 0
        while True:
            page = await self.store.page(source, limit=PAGE, mask=members.mask)
            entities.add(entity for document in page.documents if (entity := members.entity(document)) is not None)
            pages += 1
            if pages % PAGES_PER_CLAIM == 0:
                claim = await self._renewed(path, self._claim(pages), claim)
            if page.exhausted:
                break
            source = replace(source, start=page.documents[-1].path)
        await self._keep(name, secrets.token_hex(4), entities)

    async def _keep(self, name: str, nonce: str, entities: PackedEntities) -> None:
        encode, firsts = self.store.values.encode, []
        for number, part in enumerate(_parts(entities)):
            packed = zlib.compress(json.dumps(part, ensure_ascii=False).encode(), LEVEL)
            path = paths.listing_part(self.ledger, name, nonce, number)
            await self.store.commit([Put(path, {"entities": encode(packed)})])
            firsts.append(bucket(self.seed, part[0]))
        index = {"format": FORMAT, "nonce": nonce, "total": entities.total, "firsts": firsts}
        fields = {key: encode(value) for key, value in index.items()}
        # The first one holds, and may be our own whose answer was lost.
        with suppress(AlreadyExists):
            await self.store.commit([Create(paths.listing(self.ledger, name), fields)])


def _parts(entities: Iterable[str]) -> Iterator[list[str]]:
    return portions(entities, lambda entity: len(json.dumps(entity, ensure_ascii=False).encode()) + 2, PART_BYTES)
