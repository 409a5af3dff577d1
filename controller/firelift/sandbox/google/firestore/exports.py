"""Exports and imports: documents kept in the stand-in's memory under the `gs://` prefix that a bucket would have."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import grpc
from google.cloud.firestore_v1 import types

from firelift.sandbox.google.firestore.indexes import ADMIN
from firelift.sandbox.google.resources import Json, timestamp
from firelift.sandbox.google.values import SECOND, RefusedError, invalid

if TYPE_CHECKING:
    from firelift.sandbox.google.calls import Clock
    from firelift.sandbox.google.firestore.builds import Builds
    from firelift.sandbox.google.firestore.documents import Documents
    from firelift.sandbox.google.operations import Operation, Operations

MAX_BYTES = 256 * 1024 * 1024
"""Of all exports together."""
_PREFIX = re.compile(r"gs://[a-z0-9][a-z0-9._-]{1,220}(/[^\s]{1,800})?")
_STATES = {None: "PROCESSING", 0: "SUCCESSFUL", 1: "CANCELLED"}
_REFUSED = {"code": 7}
_KEPT_SECONDS = 3_600
"""For how long old versions of documents can be read without point-in-time recovery."""


@dataclass(slots=True)
class Export:
    """What an export wrote: each document with its collection group's id."""

    database: str
    time: str
    documents: list[tuple[str, bytes]]
    size: int = 0
    operation: Operation | None = None

    def complete(self, now: int) -> bool:
        """Tell whether it can be imported: its metadata file is written last."""
        return self.operation is not None and self.operation.done(now) and self.operation.error is None


@dataclass(slots=True)
class _Work:
    """What an export or import has to move: documents and bytes."""

    documents: int = 0
    size: int = 0

    def done(self, fraction: float) -> Json:
        """Say that so much of it is done."""
        return {
            f"progress{what}": {"estimatedWork": str(whole), "completedWork": str(int(whole * fraction))}
            for what, whole in (("Documents", self.documents), ("Bytes", self.size))
        }


class Exports:
    """The exports by prefix; `documents` is where they are read from and imported to."""

    def __init__(self, clock: Clock, operations: Operations, builds: Builds, documents: Documents) -> None:
        self._clock = clock
        self._operations = operations
        self._builds = builds
        self._documents = documents
        self._kept: dict[str, Export] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def told(self) -> list[Json]:
        """Return each export's prefix, database, time, whether it is complete, documents and bytes."""
        return [
            {
                "prefix": prefix,
                "database": kept.database,
                "time": kept.time,
                "complete": kept.complete(self._clock.now()),
                "documents": len(kept.documents),
                "bytes": kept.size,
            }
            for prefix, kept in self._kept.items()
        ]

    def export(self, database: str, body: Json) -> Operation:
        """Begin an export; returns the operation.

        Raises RefusedError (INVALID_ARGUMENT) for a prefix that is no `gs://bucket/path` or has an export already, and
        for a snapshot that is no whole minute of the last hour.
        """
        time = timestamp(self._clock.now())
        prefix = _prefix(str(body.get("outputUriPrefix", "")), time)
        if prefix in self._kept:
            raise invalid(f"Path already exists: {prefix}/{prefix.rpartition('/')[2]}.overall_export_metadata")
        collections: list[str] = body.get("collectionIds") or []
        snapshot = self._snapshot(str(body.get("snapshotTime", "")))
        work, kept = _Work(), self._kept.setdefault(prefix, Export(database, time, []))

        async def run() -> None:
            async for document in self._documents.read(database, collections, snapshot):
                if kept.operation is not None and kept.operation.done(self._clock.now()):
                    return  # cancelled: part of it stays
                data = document.SerializeToString()
                kept.documents.append((_collection(document), data))
                kept.size += len(data)
                work.documents, work.size = len(kept.documents), kept.size
                self._check_room()

        told = {"collectionIds": collections, "outputUriPrefix": prefix, "snapshotTime": body.get("snapshotTime")}
        response = {"@type": f"type.googleapis.com/{ADMIN}.ExportDocumentsResponse", "outputUriPrefix": prefix}
        kept.operation = self._begin(database, "ExportDocumentsMetadata", told, response, work, run)
        return kept.operation

    def import_(self, database: str, body: Json) -> Operation:
        """Begin an import, which overwrites documents and deletes none; returns the operation.

        Raises RefusedError: NOT_FOUND for a prefix without an export.
        """
        prefix = str(body.get("inputUriPrefix", "")).rstrip("/")
        kept = self._kept.get(prefix)
        if kept is None or not kept.complete(self._clock.now()):
            raise RefusedError(grpc.StatusCode.NOT_FOUND, f"{prefix}: there is no overall_export_metadata")
        collections: list[str] = body.get("collectionIds") or []
        chosen = [data for group, data in kept.documents if not collections or group in collections]
        source, work = kept.database, _Work(len(chosen), sum(map(len, chosen)))

        async def run() -> None:
            documents = [types.Document.pb().FromString(data) for data in chosen]
            for document in documents:
                document.name = database + document.name.removeprefix(source)
            await self._documents.write(database, documents)

        told = {"collectionIds": collections, "inputUriPrefix": prefix}
        response = {"@type": "type.googleapis.com/google.protobuf.Empty"}
        return self._begin(database, "ImportDocumentsMetadata", told, response, work, run)

    async def close(self) -> None:
        """Stop what still goes on."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(
        self, database: str, kind: str, told: Json, response: Json, work: _Work, run: Callable[[], Awaitable[None]]
    ) -> Operation:
        seconds = self._builds.times.export_seconds

        def metadata(fraction: float) -> Json:
            over = fraction >= 1
            code = (operation.error["code"] if operation.error else 0) if over else None
            end = operation.ends if over else self._clock.now()
            elapsed = (end - operation.begun) / SECOND
            share = 1.0 if code == 0 else min(0.99, elapsed / seconds) if seconds else 0.0
            return {
                "@type": f"type.googleapis.com/{ADMIN}.{kind}",
                **{key: value for key, value in told.items() if value},
                "operationState": _STATES.get(code, "FAILED"),
                **work.done(share),
            }

        operation = self._operations.start(database, metadata, response, None)
        task = asyncio.get_running_loop().create_task(self._run(operation, run))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return operation

    async def _run(self, operation: Operation, run: Callable[[], Awaitable[None]]) -> None:
        times = self._builds.times
        try:
            await run()
            if times.export_error and operation.error is None:
                operation.error = {**_REFUSED, "message": times.export_error}
        except (grpc.aio.AioRpcError, RefusedError) as error:
            operation.error = {"code": 13, "message": f"{operation.name} failed: {error}"}
        least = operation.begun + round(times.export_seconds * SECOND)
        if not operation.done(self._clock.now()):  # cancelled meanwhile
            operation.ends = max(least, self._clock.now())

    def _snapshot(self, given: str) -> datetime | None:
        if not given:
            return None
        time = datetime.fromisoformat(given)
        age = self._clock.now() / SECOND - time.timestamp()
        if time.second or time.microsecond or not 0 <= age <= _KEPT_SECONDS:
            raise invalid(f"snapshot_time {given} is not a whole minute of the last hour")
        return time

    def _check_room(self) -> None:
        if sum(kept.size for kept in self._kept.values()) > MAX_BYTES:
            raise RefusedError(
                grpc.StatusCode.RESOURCE_EXHAUSTED, f"the stand-in keeps at most {MAX_BYTES} bytes of exports"
            )


def _prefix(given: str, time: str) -> str:
    """A bucket alone gets a directory named for the time, as in the service."""
    if not _PREFIX.fullmatch(given):
        raise invalid(f"output_uri_prefix {given!r} is not gs://BUCKET or gs://BUCKET/PATH")
    prefix = given.rstrip("/")
    return prefix if prefix.count("/") > len("//") else f"{prefix}/{time}"


def _collection(document: Any) -> str:
    return str(document.name.split("/")[-2])
