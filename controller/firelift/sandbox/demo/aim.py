"""Where a migration is working right now: the ledger's running runs and their newest journal entries."""

from __future__ import annotations

import asyncio
import contextlib
from bisect import bisect_right
from collections.abc import Sequence

from google.api_core.exceptions import GoogleAPICallError
from google.cloud.firestore import AsyncClient, AsyncCollectionReference, Query
from google.cloud.firestore_v1.base_query import FieldFilter

PERIOD = 0.4
AHEAD = 400


class Aim:
    """The document path behind which each collection's workers read next."""

    def __init__(self, client: AsyncClient, ledgers: Sequence[str]) -> None:
        self._client = client
        self._ledgers = ledgers
        self._positions: dict[str, list[str]] = {}

    async def follow(self, stopped: asyncio.Event) -> None:
        """Look until the app stops. A database that does not answer leaves the aim as it was."""
        while not stopped.is_set():
            with contextlib.suppress(GoogleAPICallError):
                self._positions = await self._look()
            await asyncio.sleep(PERIOD)

    def ahead(self, collection: str, paths: Sequence[str]) -> Sequence[str]:
        """Of the sorted `paths` of a collection, those just ahead of a worker: read, and perhaps not committed."""
        found: list[str] = []
        for position in self._positions.get(collection, []):
            start = bisect_right(paths, position)
            found.extend(paths[start : start + AHEAD])
        return found

    async def _look(self) -> dict[str, list[str]]:
        positions: dict[str, list[str]] = {}
        for ledger in self._ledgers:
            root = self._client.collection("_firelift").document(ledger)
            running = root.collection("firelift_runs").where(filter=FieldFilter("state", "==", "Run"))
            async for run in running.stream():
                for position in await self._newest(root.collection("firelift_journal"), run.id):
                    positions.setdefault(position.partition("/")[0], []).append(position)
        return positions

    @staticmethod
    async def _newest(journal: AsyncCollectionReference, run: str) -> list[str]:
        entries = (
            journal.where(filter=FieldFilter("run", "==", run)).order_by("seq", direction=Query.DESCENDING).limit(4)
        )
        return [entry.get("to") async for entry in entries.select(["to", "run"]).stream() if entry.get("to")]
