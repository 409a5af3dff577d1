"""Where a migration is working right now: the ledger's running runs and their newest journal entries."""

from __future__ import annotations

import asyncio
import contextlib
import re
from bisect import bisect_right
from collections.abc import Sequence

from google.api_core.exceptions import GoogleAPICallError
from google.cloud.firestore import AsyncClient, AsyncCollectionReference, AsyncDocumentReference, Query
from google.cloud.firestore_v1.base_query import FieldFilter

PERIOD = 0.2
AHEAD = 400
LANES = 8
READING = re.compile(r"\.(verify|revert-verify)\.\d+$")


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
            for position in await self._newest(root.collection("firelift_journal"), await _writing(root)):
                positions.setdefault(position.partition("/")[0], []).append(position)
        return positions

    @staticmethod
    async def _newest(journal: AsyncCollectionReference, run: str) -> list[str]:
        of_run = journal.where(filter=FieldFilter("run", "==", run)).order_by("seq", direction=Query.DESCENDING)
        entries = of_run.limit(LANES).select(["to", "run"]).stream()
        return [entry.get("to") async for entry in entries if entry.get("to")]


async def _writing(root: AsyncDocumentReference) -> str:
    """The newest run that moves documents; the empty name when there is none."""
    runs = root.collection("firelift_runs").where(filter=FieldFilter("state", "==", "Run"))
    found = [run async for run in runs.select(["state"]).stream() if not READING.search(run.id)]
    return max(found, key=lambda run: run.create_time).id if found else ""
