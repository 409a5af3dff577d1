"""What of a database's indexes and TTLs serves now, by the Firestore Admin API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from google.api_core.exceptions import GoogleAPICallError, NotFound
from google.auth.exceptions import GoogleAuthError
from google.cloud.firestore_admin_v1.services.firestore_admin import FirestoreAdminAsyncClient
from google.cloud.firestore_admin_v1.types import (
    Field,
    FieldOperationMetadata,
    Index,
    IndexOperationMetadata,
    ListFieldsRequest,
    ListIndexesRequest,
)
from google.longrunning import operations_pb2
from google.protobuf.any_pb2 import Any as AnyMessage

from firelift.infra.firestore_admin import DEADLINE_SECONDS, DatabaseLookupError, admin_client, explain

_INDEXES = 1_000
"""Read at most: Firestore allows so many composite indexes in one database."""

_PAGE = 300
_RECENT = 100
"""Operations that are looked through for how far a build is: those that run come first."""


@dataclass(frozen=True, slots=True)
class BuiltIndex:
    """A composite index that exists. `state` is CREATING, READY or NEEDS_REPAIR, `scope` COLLECTION or another.

    `fields` are pairs of a path and ASCENDING, DESCENDING, CONTAINS or the dimension of a vector, with the `__name__`
    that Firestore appends.
    """

    name: str
    collection: str
    scope: str
    fields: tuple[tuple[str, str | int], ...]
    state: str
    since: datetime | None = None
    progress: str = ""


@dataclass(frozen=True, slots=True)
class BuiltTtl:
    """A TTL that exists. `state` is CREATING, ACTIVE or NEEDS_REPAIR."""

    name: str
    collection: str
    path: str
    state: str
    since: datetime | None = None
    progress: str = ""


@dataclass(frozen=True, slots=True)
class Readiness:
    """What the database has. `absent`: there is no such database."""

    indexes: tuple[BuiltIndex, ...] = ()
    ttls: tuple[BuiltTtl, ...] = ()
    absent: bool = False


@dataclass(frozen=True, slots=True)
class _Build:
    since: datetime | None
    progress: str


async def readiness(project: str, database: str, endpoint: str | None = None) -> Readiness:
    """Read every composite index and every TTL of a database, with since when and how far what is built is.

    `endpoint` (host:port, the sandbox) is spoken to without TLS and credentials; None means the real service.

    Raises:
        DatabaseLookupError: no permission, or no answer within 10 s.
    """
    name = f"projects/{project}/databases/{database}"
    try:
        async with asyncio.timeout(DEADLINE_SECONDS), admin_client(endpoint) as client:
            return await _read(client, name)
    except NotFound:
        return Readiness(absent=True)
    except TimeoutError as error:
        raise DatabaseLookupError(f"asked what {name} has: no answer within {DEADLINE_SECONDS:g} s") from error
    except (GoogleAPICallError, GoogleAuthError) as error:
        raise DatabaseLookupError(f"asked what {name} has: {explain(error)}") from error


async def _read(client: FirestoreAdminAsyncClient, name: str) -> Readiness:
    parent = f"{name}/collectionGroups"
    asked = ListIndexesRequest(parent=f"{parent}/-", page_size=_PAGE)
    indexes = await client.list_indexes(asked, timeout=DEADLINE_SECONDS, retry=None)
    found = [index async for index in _first(aiter(indexes), _INDEXES)]
    # Fields without a TTL are listed only when they differ from the database's own settings.
    wanted = ListFieldsRequest(parent=f"{parent}/-", filter="ttlConfig:*", page_size=_PAGE)
    fields = [field async for field in await client.list_fields(wanted, timeout=DEADLINE_SECONDS, retry=None)]
    building = any(index.state is Index.State.CREATING for index in found) or any(
        field.ttl_config.state is Field.TtlConfig.State.CREATING for field in fields
    )
    builds = await _builds(client, name) if building else {}
    return Readiness(
        tuple(_index(index, builds.get(index.name)) for index in found if _is_composite(index)),
        tuple(_ttl(field, builds.get(field.name)) for field in fields if "ttl_config" in field),
    )


async def _first(items: AsyncIterator[Index], count: int) -> AsyncIterator[Index]:
    async for item in items:
        yield item
        count -= 1
        if not count:
            return


def _is_composite(index: Index) -> bool:
    return index.query_scope is not Index.QueryScope.QUERY_SCOPE_UNSPECIFIED


def _index(index: Index, build: _Build | None) -> BuiltIndex:
    return BuiltIndex(
        name=index.name,
        collection=_collection(index.name),
        scope=index.query_scope.name,
        fields=tuple((field.field_path, _kind(field)) for field in index.fields),
        state=index.state.name,
        since=build.since if build else None,
        progress=build.progress if build else "",
    )


def _kind(field: Index.IndexField) -> str | int:
    if "vector_config" in field:
        return int(field.vector_config.dimension)
    return str(field.order.name if "order" in field else field.array_config.name)


def _ttl(field: Field, build: _Build | None) -> BuiltTtl:
    return BuiltTtl(
        name=field.name,
        collection=_collection(field.name),
        path=field.name.rpartition("/fields/")[2],
        state=field.ttl_config.state.name,
        since=build.since if build else None,
        progress=build.progress if build else "",
    )


def _collection(name: str) -> str:
    return name.partition("/collectionGroups/")[2].partition("/")[0]


async def _builds(client: FirestoreAdminAsyncClient, name: str) -> dict[str, _Build]:
    """What is being built, by the name of the index or field; nothing when that is not told."""
    with suppress(GoogleAPICallError):
        asked = operations_pb2.ListOperationsRequest(name=name, page_size=_RECENT)
        listed = await client.list_operations(asked, timeout=DEADLINE_SECONDS)
        found = [_build(operation.metadata) for operation in listed.operations if not operation.done]
        return {target: build for target, build in found if target}
    return {}


def _build(metadata: AnyMessage) -> tuple[str, _Build]:
    index, field = IndexOperationMetadata.pb()(), FieldOperationMetadata.pb()()
    if metadata.Unpack(index):
        told, target = index, index.index
    elif metadata.Unpack(field):
        told, target = field, field.field
    else:
        return "", _Build(None, "")
    done, whole = told.progress_documents.completed_work, told.progress_documents.estimated_work
    started = told.start_time.ToDatetime(UTC) if told.HasField("start_time") else None
    return target, _Build(started, f"{100 * done // whole}%" if whole else "")
