"""What a database holds after runs of the data plane, read and added up without any of its code.

Documents come through the official client; a journal entry is unpacked here from what docs/architecture.md says of it.
"""

from __future__ import annotations

import json
import os
import zlib
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from unittest import mock

from google.cloud.firestore import AsyncClient

JOURNAL = "firelift_journal"
DEAD_LETTERS = "firelift_deadletters"


@asynccontextmanager
async def official_client(host: str, project: str) -> AsyncIterator[AsyncClient]:
    """The official client on the emulator."""
    with mock.patch.dict(os.environ, {"FIRESTORE_EMULATOR_HOST": host}):
        client = AsyncClient(project=project)
    try:
        yield client
    finally:
        await client._firestore_api.transport.close()  # noqa: SLF001 - its own close() is not awaitable


@dataclass(frozen=True, slots=True)
class Told:
    """One image of the journal: which entry of which run says that it changed which document, and when."""

    run: str
    lane: int
    seq: int
    path: str
    operation: str
    time: Any


async def snapshots(client: AsyncClient, collection: str) -> dict[str, Any]:
    """The documents of a collection group by path, with their times."""
    return {each.reference.path: each async for each in client.collection_group(collection).stream()}


async def documents(client: AsyncClient, collection: str) -> dict[str, dict[str, Any]]:
    """The plain fields of a collection group by path."""
    return {path: each.to_dict() for path, each in (await snapshots(client, collection)).items()}


async def images(client: AsyncClient) -> list[Told]:
    """Every image of every journal entry, after the chains of the entries have been checked."""
    entries: dict[tuple[str, int], list[Any]] = defaultdict(list)
    parts: dict[str, bytes] = {}
    async for snapshot in client.collection_group(JOURNAL).stream():
        fields = snapshot.to_dict() or {}
        if "seq" in fields:
            entries[fields["run"], fields["lane"]].append((fields, snapshot))
        else:
            parts[snapshot.id] = fields["images"]
    told = []
    for chain in entries.values():
        chain.sort(key=lambda each: each[0]["seq"])
        _chains([fields for fields, _ in chain])
        for fields, snapshot in chain:
            more = [parts.pop(f"{snapshot.id}.p{number:02d}") for number in range(1, fields["parts"] + 1)]
            told += _unpacked(fields, b"".join([fields["images"], *more]), snapshot.create_time)
    assert not parts, "a part belongs to an entry"
    return told


def _chains(entries: list[dict[str, Any]]) -> None:
    assert [each["seq"] for each in entries] == list(range(1, len(entries) + 1)), "numbers without gaps"
    kinds = [each["kind"] for each in entries]
    assert kinds == ["chunk"] * (len(entries) - 1) + ["seal"], "sealed, and only at the end"
    for one, other in pairwise(entries):
        assert other["from"] == one["to"], "each entry begins where its predecessor ended"


def _unpacked(fields: dict[str, Any], packed: bytes, time: Any) -> list[Told]:
    if not packed:
        assert fields["imageCount"] == 0
        return []
    data = zlib.decompress(packed)
    length = int.from_bytes(data[:4], "big")
    shapes, rows = json.loads(data[4 : 4 + length])
    assert len(rows) == fields["imageCount"]
    return [Told(fields["run"], fields["lane"], fields["seq"], row[1], shapes[row[0]][0], time) for row in rows]


def changed_once(told: list[Told], run: str) -> set[str]:
    """The documents that a run has changed, each of them once."""
    counts = Counter(each.path for each in told if each.run == run)
    twice = {path: count for path, count in counts.items() if count > 1}
    assert not twice, f"run {run} has changed documents more than once: {twice}"
    return set(counts)


def micros(time: Any) -> int:
    """Microseconds of a time of the official client, which has two kinds of them."""
    stamp = time.timestamp_pb() if hasattr(time, "timestamp_pb") else time
    return int(stamp.seconds * 1_000_000 + stamp.nanos // 1000)
