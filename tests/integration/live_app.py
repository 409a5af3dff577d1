"""An app that goes on writing while its documents move: what it was answered is what must be found."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from google.api_core.exceptions import NotFound
from google.cloud.firestore import AsyncClient, Increment
from tests.recount import micros

COUNTED, COPIED = "counted", "copied"
STEP = 100
"""What the app adds to a number that a migration adds one to: both additions must be found."""


@dataclass
class LiveApp:
    """Everything that was acknowledged, with its commit time.

    It counts in a field of its own, adds to a field that the migration changes too, deletes, creates and marks copies.
    """

    client: AsyncClient
    chance: random.Random
    fields: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Of each source document that was ever created, as it was then."""
    visits: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    added: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    deleted: dict[str, int] = field(default_factory=dict)
    late: dict[str, int] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)
    leaving: bool = False

    async def seed(self, count: int) -> None:
        """Documents in both collections."""
        batch = self.client.batch()
        for number in range(count):
            for collection in (COUNTED, COPIED):
                path = f"{collection}/d{number:03d}"
                self.fields[path] = {"n": number, "name": f"name {number}", "who": f"w{number % 3}"}
                batch.set(self.client.document(path), self.fields[path])
        await batch.commit()

    async def live(self) -> None:
        """Write, one after the other, until it is told to leave."""
        ways = (self._visit, self._visit, self._visit, self._add, self._delete, self._create, self._mark)
        self.leaving = False
        while not self.leaving:
            await self.chance.choice(ways)()
            await asyncio.sleep(self.chance.uniform(0, 0.02))

    def alive(self, collection: str) -> dict[str, dict[str, Any]]:
        """What the app left in a collection, but for what it added to the numbers."""
        return {
            path: fields | ({"visits": len(self.visits[path])} if self.visits.get(path) else {})
            for path, fields in self.fields.items()
            if path.startswith(f"{collection}/") and path not in self.deleted
        }

    async def _visit(self) -> None:
        path = self._any((COUNTED, COPIED))
        answer = await self.client.document(path).update({"visits": Increment(1)})
        self.visits[path].append(micros(answer.update_time))

    async def _add(self) -> None:
        path = self._any((COUNTED,))
        answer = await self.client.document(path).update({"n": Increment(STEP)})
        self.added[path].append(micros(answer.update_time))

    async def _delete(self) -> None:
        if self.chance.random() < 0.1:
            path = self._any((COUNTED, COPIED))
            self.deleted[path] = micros(await self.client.document(path).delete())

    async def _create(self) -> None:
        if self.chance.random() < 0.1:
            path = f"{self._any((COUNTED, COPIED))}x{len(self.late)}"
            fields = {"n": 7, "name": "late", "who": "w9"}
            answer = await self.client.document(path).create(fields)
            self.fields[path], self.late[path] = fields, micros(answer.update_time)

    async def _mark(self) -> None:
        source = self._any((COPIED,))
        target = target_of(source, self.fields[source])
        try:
            answer = await self.client.document(target).update({"seen": True})
        except NotFound:
            return
        self.seen.setdefault(target, micros(answer.update_time))

    def _any(self, collections: tuple[str, ...]) -> str:
        prefixes = tuple(f"{each}/" for each in collections)
        return self.chance.choice(
            [path for path in self.fields if path.startswith(prefixes) and path not in self.deleted]
        )


def target_of(source: str, fields: dict[str, Any]) -> str:
    """Where a document of `COPIED` is copied to."""
    return f"people/{fields['who']}/copies/{source.rpartition('/')[2]}"
