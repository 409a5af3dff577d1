"""Calls to the stand-in's REST APIs, as a test writes them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from firelift.sandbox.google import Options, StandIn, running_stand_in

HEADERS = {"Authorization": "Bearer test"}
DATABASE = "fs/v1/projects/shop/databases/(default)"
GROUP = f"{DATABASE}/collectionGroups/orders"
FIELDS = [{"fieldPath": "tenant", "order": "ASCENDING"}, {"fieldPath": "placed", "order": "DESCENDING"}]


@dataclass(frozen=True)
class Rest:
    """The REST side of a stand-in, and its control API."""

    stand_in: StandIn
    session: aiohttp.ClientSession

    async def call(self, verb: str, path: str, body: Any = None, **query: str) -> tuple[int, Any]:
        """Return the status and the answer."""
        url = f"{self.stand_in.rest}/{path}"
        async with self.session.request(verb, url, json=body, params=query, headers=HEADERS) as answer:
            return answer.status, await answer.json()

    async def ok(self, verb: str, path: str, body: Any = None, **query: str) -> Any:
        """Return the answer of a call that succeeds."""
        status, answer = await self.call(verb, path, body, **query)
        assert status == 200, answer
        return answer

    async def database(self, identifier: str = "(default)", **body: Any) -> Any:
        """Create a database."""
        body = {"locationId": "nam5", "type": "FIRESTORE_NATIVE", **body}
        return await self.ok("POST", "fs/v1/projects/shop/databases", body, databaseId=identifier)

    async def control(self, path: str, body: Any) -> Any:
        """Post to the control API."""
        async with self.session.post(f"{self.stand_in.control}/{path}", json=body) as answer:
            assert answer.status < 300, await answer.text()
            return await answer.json()


@asynccontextmanager
async def rest_of(options: Options | None = None) -> AsyncIterator[Rest]:
    """Run a stand-in and speak REST to it."""
    async with running_stand_in(options) as stand_in, aiohttp.ClientSession() as session:
        yield Rest(stand_in, session)
