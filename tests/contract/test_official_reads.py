"""What the official client's streams and partitions do where they are cut or unsorted, and what Firelift does there.

As `test_official_writes.py`: a test that fails in the client's half has met a version in which the defect is gone.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import grpc
import pytest
from google.api_core.exceptions import ServiceUnavailable
from google.api_core.retry import Retry, if_exception_type
from tests.contract.official import Both, first_query, official_client, seeded
from tests.contract.scripted import Script, Turn, listed
from tests.fault_proxy import Code, Fault
from tests.strict.rules import Rules
from tests.strict.server import StrictFirestore, strict_firestore

from firelift.migration.store import Create, Document, Source
from firelift.stores.firestore import proto
from firelift.stores.firestore.proto import timestamp
from firelift.stores.firestore.store import FirestoreStore, open_firestore

UNAVAILABLE = Retry(predicate=if_exception_type(ServiceUnavailable))
"""A policy that streams can use: their own default cannot be found, see below."""


async def test_a_stream_that_is_cut_fails_with_an_error_of_its_own_retry(both: Both) -> None:
    """googleapis/python-firestore#596: the stream looks for its retry policy where there is none."""
    await seeded(both, "many", ({"n": number} for number in range(40)))
    both.proxy.decide = first_query(Fault(Code.UNAVAILABLE, answers=6))
    query = both.official.collection("many").order_by("__name__")
    with pytest.raises(AttributeError, match="_retry"):
        await asyncio.to_thread(lambda: list(query.stream()))

    both.proxy.decide = first_query(Fault(Code.UNAVAILABLE, answers=6))
    assert len((await both.ours.page(Source("many"), limit=40)).documents) == 40


async def test_a_stream_that_goes_on_forgets_how_many_it_has_had(both: Both) -> None:
    """googleapis/nodejs-firestore#2200: too many documents from a query with a limit after a retry."""
    await seeded(both, "many", ({"n": number} for number in range(40)))
    both.proxy.decide = first_query(Fault(Code.UNAVAILABLE, answers=6))
    query = both.official.collection("many").order_by("__name__").limit(10)
    assert len(await asyncio.to_thread(lambda: list(query.stream(retry=UNAVAILABLE)))) == 16

    both.proxy.decide = first_query(Fault(Code.UNAVAILABLE, answers=6))
    page = await both.ours.page(Source("many"), limit=10)
    assert [each.id for each in page.documents] == [f"{number:04}" for number in range(10)]


async def test_a_stream_that_is_cut_before_its_first_document_cannot_go_on() -> None:
    """googleapis/python-firestore#889: the resume of a query starts after a document that there may not be.

    A cut before any answer is retried by a layer below; a server that has reported its progress gets past that one.
    """
    async with scripted(Turn([proto.RunQueryResponse(read_time=timestamp(1))], Code.UNAVAILABLE)) as host:
        client = official_client(host, "scripted")
        query = client.collection("users").order_by("__name__")
        with pytest.raises(TypeError):
            await asyncio.to_thread(lambda: list(query.stream(retry=UNAVAILABLE)))
        await asyncio.to_thread(client.close)

    async with scripted(Turn([proto.RunQueryResponse(read_time=timestamp(1))], Code.UNAVAILABLE)) as host:
        ours = open_firestore("scripted", emulator_host=host)
        assert len((await ours.page(Source("users"), limit=10)).documents) == 2
        await ours.close()


@asynccontextmanager
async def scripted(cut: Turn) -> AsyncIterator[str]:
    script = Script(turns={"RunQuery": [cut, Turn(listed("a", "b"))]})
    server = grpc.aio.server(handlers=[script.handlers()])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield f"127.0.0.1:{port}"
    await server.stop(grace=None)


async def test_documents_by_name_that_are_cut_are_not_asked_for_again(both: Both) -> None:
    """googleapis/python-firestore#890: BatchGetDocuments never had any kind of streaming retries."""
    await seeded(both, "many", ({"n": number} for number in range(20)))
    both.proxy.decide = first_query(Fault(Code.UNAVAILABLE, answers=6), "BatchGetDocuments")
    references = [both.official.document(f"many/{number:04}") for number in range(20)]
    with pytest.raises(ServiceUnavailable):
        await asyncio.to_thread(lambda: list(both.official.get_all(references)))

    both.proxy.decide = first_query(Fault(Code.UNAVAILABLE, answers=6), "BatchGetDocuments")
    found = await both.ours.get([f"many/{number:04}" for number in range(20)])
    assert all(isinstance(each, Document) for each in found)
    assert len({each.read_time for each in found}) == 1


async def test_partitions_overlap_when_pages_come_in_no_order() -> None:
    """googleapis/nodejs-firestore#1521 and googleapis/java-firestore#653: PartitionQuery does not promise an order."""
    async with strict_firestore(Rules(partition=2)) as service:
        service.store.apply([Create(f"letters/{chr(97 + number)}", {}) for number in range(26)])
        assert await asyncio.to_thread(lambda: _by_partitions(service)) > 26, "some are read twice"
        async with _ours(service) as ours:
            points = await ours.split_points(Source("letters"), 9)
            ends: list[str | None] = [None, *points, None]
            ranges = [Source("letters", start=start, end=end) for start, end in pairwise(ends)]
            read = [each.id for part in ranges for each in (await ours.page(part, limit=100)).documents]
            assert len(points) > 3
            assert read == [chr(97 + number) for number in range(26)]


def _by_partitions(service: StrictFirestore) -> int:
    client: Any = official_client(service.host, "strict")
    try:
        parts = list(client.collection_group("letters").get_partitions(8))
        return sum(len(list(part.query().stream())) for part in parts)
    finally:
        client.close()


@asynccontextmanager
async def _ours(service: StrictFirestore) -> AsyncIterator[FirestoreStore]:
    ours = open_firestore("strict", emulator_host=service.host)
    try:
        yield ours
    finally:
        await ours.close()
