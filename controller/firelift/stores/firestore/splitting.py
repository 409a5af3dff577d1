"""Cutting a source into ranges of similar size."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise
from typing import Any

from firelift.migration.errors import StoreError
from firelift.migration.path_order import order
from firelift.migration.store import Source
from firelift.stores.firestore import messages, proto
from firelift.stores.firestore.names import DatabaseName
from firelift.stores.firestore.transport import Transport
from firelift.stores.paths import covers

CURSORS_PER_PAGE = 1_000

SPARE = 2
"""Cursors that are looked for, for each range: of twice as many, one lies within a quarter of a range of each cut."""

MOST_CURSORS = 10_000
"""Of a group that are asked for, ten pages: a source that is a smaller part of its group is sampled."""

NEAR = 4
"""A cursor is a cut when it is no further from its place than a range's size divided by this."""

Count = Callable[[Source], Awaitable[int]]

_Place = tuple[int, str | None]
"""A path and how many documents of the source lie up to it; the source's start for 0."""


async def split_points(name: DatabaseName, transport: Transport, source: Source, parts: int, count: Count) -> list[str]:
    """At most `parts` - 1 paths in order; each range between them has half to one and a half of its fair size.

    Firestore's own partition cursors are counted between, which costs a read for each 1,000 documents and one for each
    cursor. Where none is near a cut (the emulator has none at all), documents up to it are skipped, a read for each: at
    most one for each document of the source, all cuts together.
    """
    if parts <= 1:
        return []
    cursors = await _cursors(name, transport, source, parts)
    sizes = await asyncio.gather(*(count(piece) for piece in _pieces(source, cursors)))
    known: list[_Place] = list(zip(accumulate(sizes[:-1]), cursors, strict=True))
    total = sum(sizes)
    places: list[_Place] = [(0, source.start)]
    for end in sorted({total * part // parts for part in range(1, parts)} - {0}):
        place = _near(known, end, total // (parts * NEAR))
        if place is None:
            from_here = max([places[-1], *(each for each in known if each[0] < end)], key=_position)
            place = await _skipped(name, transport, source, from_here, end)
        if place is not None and place[0] > places[-1][0]:
            places.append(place)
    return _ordered(path for _, path in places[1:] if path is not None)


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


async def _cursors(name: DatabaseName, transport: Transport, source: Source, parts: int) -> list[str]:
    """Cursors of the source alone, `SPARE` for each part where the server has so many; none without PartitionQuery.

    They are of the whole group, in proportion: where others have most of it, as many more are asked for.
    """
    enough = min(SPARE * parts - 1, MOST_CURSORS)
    asked, had = enough, -1
    inside: list[str] = []
    while True:
        try:
            cursors = await partition_cursors(name, transport, source, asked + 1)
        except StoreError as error:
            if error.code != "UNIMPLEMENTED":
                raise
            return []
        inside = _ordered([*inside, *(cursor for cursor in cursors if covers(source, cursor))])
        if len(inside) >= enough or asked == MOST_CURSORS or len(cursors) <= had:
            return _thin(inside, enough)
        had = len(cursors)
        asked = min(MOST_CURSORS, max(2 * asked, asked * enough // max(1, len(inside))))


def _ordered(paths: Iterable[str]) -> list[str]:
    return sorted(set(paths), key=order)


def _thin(points: list[str], most: int) -> list[str]:
    if len(points) <= most:
        return points
    return [points[len(points) * part // (most + 1)] for part in range(1, most + 1)]


def _pieces(source: Source, cursors: Sequence[str]) -> list[Source]:
    ends = pairwise([source.start, *cursors, source.end])
    return [replace(source, start=start, end=end) for start, end in ends]


def _position(place: _Place) -> int:
    return place[0]


def _near(known: Sequence[_Place], position: int, most: int) -> _Place | None:
    nearest = min(known, key=lambda place: abs(place[0] - position), default=None)
    return nearest if nearest is not None and abs(nearest[0] - position) <= most else None


async def _skipped(name: DatabaseName, transport: Transport, source: Source, place: _Place, end: int) -> _Place | None:
    """The place of the document number `end`, counted on from one that is known."""
    parent, query = messages.query(name, replace(source, start=place[1]))
    messages.project(query, ())
    query.offset = end - place[0] - 1
    query.limit.value = 1
    request = proto.RunQueryRequest(parent=parent, structured_query=query)

    found: list[str] = []

    def take(sized: tuple[Any, int]) -> bool:
        answer, _ = sized
        if answer.HasField("document"):
            found.append(answer.document.name)
        return True

    await transport.read(f"split of {source.collection}", lambda deadline: transport.query(request, deadline, take))
    return (end, name.path(found[-1])) if found else None
