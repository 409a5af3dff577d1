"""The stores that the contract holds for."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from tests.contract.google_rest import Rest, rest_of
from tests.contract.official import Both, both_on

from firelift.migration.store import Store
from firelift.stores.firestore.store import open_firestore
from firelift.stores.memory import MemoryStore


@pytest_asyncio.fixture(params=["memory", "emulator"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    if request.param == "memory":
        yield MemoryStore()
        return
    # A project of its own is a database of its own on the emulator.
    opened = open_firestore(f"contract-{secrets.token_hex(6)}", emulator_host=request.getfixturevalue("emulator"))
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def both(emulator: str) -> AsyncIterator[Both]:
    async with both_on(emulator) as both:
        yield both


@pytest_asyncio.fixture
async def rest() -> AsyncIterator[Rest]:
    async with rest_of() as rest:
        yield rest
