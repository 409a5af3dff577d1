"""Cutting a source into ranges of similar size."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from firelift.migration.errors import StoreError
from firelift.migration.path_order import order
from firelift.migration.store import Source
from firelift.stores.firestore import messages, proto
from firelift.stores.firestore.names import DatabaseName
from firelift.stores.firestore.transport import Transport
from firelift.stores.paths import covers

CURSORS_PER_PAGE = 1_000

Count = Callable[[Source], Awaitable[int]]


async def split_points(name: DatabaseName, transport: Transport, source: Source, parts: int, count: Count) -> list[str]:
    """At most `parts` - 1 paths in order, from Firestore's own sampling where it has it (the emulator has not)."""
    if parts <= 1:
        return []
    try:
        cursors = await partition_cursors(name, transport, source, parts)
    except StoreError as error:
        if error.code != "UNIMPLEMENTED":
            raise
        return await _by_position(name, transport, source, parts, await count(source))
    return _thin(_clip(cursors, source), parts - 1)


async def partition_cursors(
    name: DatabaseName, transport: Transport, source: Source, parts: int, page_size: int = CURSORS_PER_PAGE
) -> list[str]:
    """Cursors as PartitionQuery has them: of a whole collection group, and its pages come in no order."""
    group = Source(source.collection.rpartition("/")[2], all_descendants=True)
    parent, query = messages.query(name, group)
    request = proto.PartitionRequest(
        parent=parent, structured_query=query, partition_count=parts - 1, page_size=page_size
    )
    cursors: list[str] = []
    while True:
        response = await transport.partition(request)
        cursors += [name.path(cursor.values[0].reference_value) for cursor in response.partitions]
        if not response.next_page_token:
            return cursors
        request.page_token = response.next_page_token


def _clip(cursors: list[str], source: Source) -> list[str]:
    return sorted({cursor for cursor in cursors if covers(source, cursor)}, key=order)


def _thin(points: list[str], most: int) -> list[str]:
    if len(points) <= most:
        return points
    return [points[len(points) * part // (most + 1)] for part in range(1, most + 1)]


async def _by_position(name: DatabaseName, transport: Transport, source: Source, parts: int, total: int) -> list[str]:
    ends = sorted({total * part // parts for part in range(1, parts)} - {0})
    points: list[str] = []
    passed = 0
    for end in ends:
        found = await _nth(name, transport, replace(source, start=points[-1] if points else source.start), end - passed)
        if found is None:
            break
        points.append(found)
        passed = end
    return points


async def _nth(name: DatabaseName, transport: Transport, source: Source, position: int) -> str | None:
    parent, query = messages.query(name, source)
    messages.project(query, ())
    query.offset = position - 1
    query.limit.value = 1
    request = proto.RunQueryRequest(parent=parent, structured_query=query)

    found: list[str] = []

    def take(sized: tuple[Any, int]) -> bool:
        answer, _ = sized
        if answer.HasField("document"):
            found.append(answer.document.name)
        return True

    await transport.read(f"split of {source.collection}", lambda deadline: transport.query(request, deadline, take))
    return name.path(found[-1]) if found else None
