"""Firestore as the data plane's `Store`."""

from __future__ import annotations

import os
from collections.abc import Sequence
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
from firelift.stores.firestore import messages, proto
from firelift.stores.firestore.names import DatabaseName
from firelift.stores.firestore.proto import micros, timestamp
from firelift.stores.firestore.reading import PageReader
from firelift.stores.firestore.splitting import split_points
from firelift.stores.firestore.transport import Patience, Take, Transport
from firelift.stores.firestore.values import FirestoreValues

EMULATOR_VARIABLE = "FIRESTORE_EMULATOR_HOST"
COUNT_ALIAS = "documents"


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
        self, paths: Sequence[str], *, mask: Sequence[FieldPath] | None = None, read_time: Micros | None = None
    ) -> list[Document | Missing]:
        """One answer per path in the order asked, all read at one time."""
        if not paths:
            return []
        request = messages.get_request(self._name, paths, mask, read_time)

        async def attempt(deadline: float) -> dict[str, Document | Missing]:
            # From the start each time: answers of two attempts would have two read times.
            answers: list[Any] = []
            await self._transport.get(request, deadline, _into(answers))
            # Firestore promises that answers with older times have not changed up to the latest one.
            at = max((micros(answer.read_time) for answer in answers), default=0)
            return dict(self._answer(answer, at) for answer in answers if answer.WhichOneof("result"))

        found = await self._transport.read(f"get of {len(paths)} documents", attempt)
        absent = next((path for path in paths if path not in found), None)
        if absent is not None:
            raise _incomplete(f"get of {len(paths)} documents ended without an answer for {absent}")
        return [found[path] for path in paths]

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
            answers: list[Any] = []
            await self._transport.aggregate(request, deadline, _into(answers))
            counts = [answer.result.aggregate_fields for answer in answers if answer.HasField("result")]
            if len(counts) != 1:
                raise _incomplete(f"count of {source.collection} had {len(counts)} answers and not one")
            return int(counts[0][COUNT_ALIAS].integer_value)

        return await self._transport.read(f"count of {source.collection}", attempt)

    async def split_points(self, source: Source, parts: int) -> list[str]:
        """At most `parts` - 1 document paths in order that cut the source into ranges of similar size."""
        return await split_points(self._name, self._transport, source, parts, self.count)

    async def commit(self, writes: Sequence[Write]) -> Committed:
        """All writes or none, in order, at one time."""
        response = await self._transport.commit(messages.commit_request(self._name, writes))
        if len(response.write_results) != len(writes):
            raise _incomplete(f"commit of {len(writes)} writes answered {len(response.write_results)}")
        return messages.committed(response, writes)

    async def close(self) -> None:
        """Close the channel."""
        await self._transport.close()

    def _answer(self, answer: Any, at: Micros) -> tuple[str, Document | Missing]:
        if answer.WhichOneof("result") == "missing":
            path = self._name.path(answer.missing)
            return path, Missing(path, at)
        found = messages.document(self._name, answer.found, at)
        return found.path, found


def open_firestore(
    project: str, database: str = "(default)", emulator_host: str | None = None, *, patience: Patience | None = None
) -> FirestoreStore:
    """A store on the emulator at ``host:port`` (default: ``FIRESTORE_EMULATOR_HOST``), else on Google Cloud.

    Call it inside the event loop that will use the store; `close` it there.

    Raises:
        google.auth.exceptions.DefaultCredentialsError: without an emulator and without credentials.
    """
    name = DatabaseName(project, database)
    host = emulator_host or os.environ.get(EMULATOR_VARIABLE)
    return FirestoreStore(name, Transport(name, host, patience or Patience()))


def _into(answers: list[Any]) -> Take:
    def take(answer: Any) -> bool:
        answers.append(answer)
        return True

    return take


def _incomplete(what: str) -> UnknownOutcome:
    return UnknownOutcome("DATA_LOSS", what)
