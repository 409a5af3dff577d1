"""The bare pump: the fastest loop that still reads and writes the same documents. It is the ceiling, not a tool.

Raw messages, own stubs, the next page fetched while the last one is written, four lanes with one commit in flight each,
as many documents a commit as the worker has; no transform, no journal, no guards, no preconditions.

Run as ``python -m tests.bench.pump PROJECT in-place|copy``.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import grpc
from grpc.experimental import ChannelOptions
from tests.bench.material import COLLECTION, COPY_BATCH, IN_PLACE_BATCH

from firelift.migration.store import Source
from firelift.stores.firestore import proto
from firelift.stores.firestore.store import open_firestore

LANES = 4
PAGE = 2_000
METADATA = (("authorization", "Bearer owner"),)
MESSAGE = [("grpc.max_receive_message_length", 2**26), ("grpc.max_send_message_length", 2**26)]
SERVICE = "/google.firestore.v1.Firestore/"
RENAMED = {"type": "logType", "calories": "energyKcal", "duration": "durationSeconds"}
MASK = (*RENAMED, *RENAMED.values(), "createdAt", "speed")


@dataclass(slots=True)
class Pump:
    """One database, by raw calls."""

    channel: grpc.aio.Channel
    streams: grpc.Channel
    database: str
    in_place: bool

    @property
    def batch(self) -> int:
        """Documents of a commit."""
        return IN_PLACE_BATCH if self.in_place else COPY_BATCH

    async def lane(self, start: str | None, end: str | None) -> None:
        """Read and write one range."""
        reading = asyncio.create_task(self._page(start, end))
        while documents := await reading:
            reading = asyncio.create_task(self._page(documents[-1].name, end))
            for at in range(0, len(documents), self.batch):
                await self._commit(documents[at : at + self.batch])

    async def _page(self, start: str | None, end: str | None) -> list[Any]:
        request = proto.RunQueryRequest(parent=f"{self.database}/documents")
        query = request.structured_query
        query.from_.add(collection_id=COLLECTION)
        query.order_by.add(direction=1).field.field_path = "__name__"
        if start:
            query.start_at.values.add(reference_value=start)
        if end:
            query.end_at.values.add(reference_value=end)
        query.limit.value = PAGE
        return await asyncio.to_thread(self._documents, request)

    def _documents(self, request: Any) -> list[Any]:
        stub = self.streams.unary_stream(
            f"{SERVICE}RunQuery", proto.RunQueryRequest.SerializeToString, proto.RunQueryResponse.FromString
        )
        answers: Any = stub(request, metadata=METADATA)
        return [answer.document for answer in answers if answer.HasField("document")]

    async def _commit(self, documents: Sequence[Any]) -> None:
        request = proto.CommitRequest(database=self.database)
        for document in documents:
            (self._change if self.in_place else self._copy)(request.writes.add(), document)
        stub = self.channel.unary_unary(
            f"{SERVICE}Commit", proto.CommitRequest.SerializeToString, proto.CommitResponse.FromString
        )
        await stub(request, metadata=METADATA)

    def _change(self, write: Any, document: Any) -> None:
        """As many bytes as the worker changes: the same mask, under which values move as they are."""
        write.update.name = document.name
        fields = write.update.fields
        for old, new in RENAMED.items():
            fields[new].CopyFrom(document.fields[old])
        fields["createdAt"].CopyFrom(document.fields["recordedAt"])
        fields["speed"].CopyFrom(document.fields["distance"])
        write.update_mask.field_paths.extend(MASK)

    def _copy(self, write: Any, document: Any) -> None:
        write.update.CopyFrom(document)
        user, number = document.fields["userId"].string_value, document.name.rpartition("/")[2]
        write.update.name = f"{self.database}/documents/users/{user}/fitness_logs_v2/{number}"


async def main(project: str, kind: str) -> None:
    """Pump everything, and say how long it took."""
    store = open_firestore(project)
    cuts = await store.split_points(Source(COLLECTION), LANES)
    await store.close()
    database = f"projects/{project}/databases/(default)"
    names = [None, *(f"{database}/documents/{cut}" for cut in cuts), None]
    host = os.environ["FIRESTORE_EMULATOR_HOST"]
    streams = grpc.insecure_channel(host, options=[*MESSAGE, (ChannelOptions.SingleThreadedUnaryStream, 1)])
    async with grpc.aio.insecure_channel(host, options=MESSAGE) as channel:
        pump = Pump(channel, streams, database, in_place=kind == "in-place")
        began = time.perf_counter()
        await asyncio.gather(*(pump.lane(start, end) for start, end in pairwise(names)))
        print(json.dumps({"seconds": time.perf_counter() - began}))  # noqa: T201 - its answer


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
