"""Firestore as the data plane's `Store`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

from firelift.migration.errors import UnknownOutcome
from firelift.migration.store import (
    Committed,
    Document,
    FieldPath,
    Micros,
    Missing,
    Page,
    Source,
    Write,
)
from firelift.stores.firestore import commits, messages, proto
from firelift.stores.firestore.names import DatabaseName
from firelift.stores.firestore.proto import micros, timestamp
from firelift.stores.firestore.reading import PageReader
from firelift.stores.firestore.splitting import split_points
from firelift.stores.firestore.transport import STREAMS, Patience, Permit, Sized, Transport, always
from firelift.stores.firestore.values import FirestoreValues

EMULATOR_VARIABLE = "FIRESTORE_EMULATOR_HOST"
COUNT_ALIAS = "documents"


@dataclass(slots=True)
class Answers:
    """The answers of a stream, as they come: all, or those that have `most` bytes."""

    most: int | None = None
    taken: list[Sized] = field(default_factory=list)
    size: int = 0

    def take(self, sized: Sized) -> bool:
        """Keep it; whether there is room for another."""
        self.taken.append(sized)
        answer, size = sized
        if self.most is not None and answer.WhichOneof("result") == "found":
            self.size += size
        return not self.full

    @property
    def full(self) -> bool:
        """Whether there is no room for another."""
        return self.most is not None and self.size >= self.most


class FirestoreStore:
    """The `Store` of one Firestore database."""

    def __init__(self, name: DatabaseName, transport: Transport) -> None:
        self._name = name
        self._transport = transport
        self._values = FirestoreValues()

    @property
    def values(self) -> FirestoreValues:
        """The kit for raw Firestore values."""
        return self._values

    async def get(
        self,
        paths: Sequence[str],
        *,
        mask: Sequence[FieldPath] | None = None,
        read_time: Micros | None = None,
        most: int | None = None,
    ) -> list[Document | Missing]:
        """One answer per path in the order asked, all read at one time; of the first ones, when they pass `most`."""
        if not paths:
            return []
        answers = Answers(most)

        async def attempt(deadline: float) -> dict[str, Document | Missing]:
            # What a cut has left is read at the time of what is there, so that all has one read time.
            found, at = self._found(answers)
            left = [path for path in paths if path not in found]
            if left and not answers.full:
                request = messages.get_request(self._name, left, mask, at or read_time)
                await self._transport.get(request, deadline, answers.take)
            return self._found(answers)[0]

        found = await self._transport.read(f"get of {len(paths)} documents", attempt)
        there = [found[path] for path in takewhile(lambda path: path in found, paths)]
        if len(there) < len(paths) and not answers.full:
            raise _incomplete(f"get of {len(paths)} documents ended without an answer for {paths[len(there)]}")
        # Answers come in any order: where none of the first path was among them, it is asked for alone.
        return there or await self.get(paths[:1], mask=mask, read_time=read_time)

    async def page(
        self, source: Source, *, limit: int, mask: Sequence[FieldPath] | None = None, read_time: Micros | None = None
    ) -> Page:
        """The first `limit` documents of the source; at most 5,000, or fewer when they pass 2 MiB."""
        reader = PageReader(self._name, source, limit, mask, read_time)
        return await self._transport.read(
            f"page of {source.collection}", lambda left: reader.attempt(self._transport, left)
        )

    async def count(self, source: Source, *, read_time: Micros | None = None) -> int:
        """How many documents the source has."""
        parent, query = messages.query(self._name, source)
        request = proto.AggregationRequest(parent=parent)
        request.structured_aggregation_query.structured_query.CopyFrom(query)
        request.structured_aggregation_query.aggregations.add(alias=COUNT_ALIAS).count.SetInParent()
        if read_time is not None:
            request.read_time.CopyFrom(timestamp(read_time))

        async def attempt(deadline: float) -> int:
            answers = Answers()
            await self._transport.aggregate(request, deadline, answers.take)
            counts = [answer.result.aggregate_fields for answer, _ in answers.taken if answer.HasField("result")]
            if len(counts) != 1:
                raise _incomplete(f"count of {source.collection} had {len(counts)} answers and not one")
            return int(counts[0][COUNT_ALIAS].integer_value)

        return await self._transport.read(f"count of {source.collection}", attempt)

    async def split_points(self, source: Source, parts: int) -> list[str]:
        """At most `parts` - 1 document paths in order that cut the source into ranges of similar size."""
        return await split_points(self._name, self._transport, source, parts, self.count)

    async def commit(self, writes: Sequence[Write]) -> Committed:
        """All writes or none, in order, at one time."""
        response = await self._transport.commit(commits.commit_request(self._name, writes))
        if len(response.write_results) != len(writes):
            raise _incomplete(f"commit of {len(writes)} writes answered {len(response.write_results)}")
        return commits.committed(response, writes)

    async def close(self) -> None:
        """Close the channel."""
        await self._transport.close()

    def _found(self, answers: Answers) -> tuple[dict[str, Document | Missing], Micros]:
        # Firestore promises that answers with older times have not changed up to the latest one.
        at = max((micros(answer.read_time) for answer, _ in answers.taken), default=0)
        sized = [each for each in answers.taken if each[0].WhichOneof("result")]
        return dict(self._answer(answer, at, size) for answer, size in sized), at

    def _answer(self, answer: Any, at: Micros, size: int) -> tuple[str, Document | Missing]:
        if answer.WhichOneof("result") == "missing":
            path = self._name.path(answer.missing)
            return path, Missing(path, at)
        found = messages.document(self._name, answer.found, at, size)
        return found.path, found


def open_firestore(
    project: str,
    database: str = "(default)",
    emulator_host: str | None = None,
    *,
    patience: Patience | None = None,
    streams: int = STREAMS,
    permit: Permit = always,
) -> FirestoreStore:
    """A store on the emulator at ``host:port`` (default: ``FIRESTORE_EMULATOR_HOST``), else on Google Cloud.

    Call it inside the event loop that will use the store; `close` it there. So many `streams` are read at once.
    `permit` is asked before each commit is sent.

    Raises:
        google.auth.exceptions.DefaultCredentialsError: without an emulator and without credentials.
    """
    name = DatabaseName(project, database)
    host = emulator_host or os.environ.get(EMULATOR_VARIABLE)
    return FirestoreStore(name, Transport(name, host, patience or Patience(), streams=streams, permit=permit))


def _incomplete(what: str) -> UnknownOutcome:
    return UnknownOutcome("DATA_LOSS", what)
