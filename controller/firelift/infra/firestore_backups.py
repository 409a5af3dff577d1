"""Exports, imports and backups of a database, by the Firestore Admin API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

import grpc
from google.api_core.exceptions import GoogleAPICallError
from google.auth.exceptions import GoogleAuthError
from google.cloud.firestore_admin_v1.types import (
    Backup,
    ExportDocumentsMetadata,
    ExportDocumentsRequest,
    ImportDocumentsMetadata,
    ImportDocumentsRequest,
    ListBackupsRequest,
    OperationState,
)
from google.longrunning import operations_pb2

from firelift.infra.firestore_admin import DEADLINE_SECONDS, admin_client
from firelift.rollout.backups import (
    CANCELLED,
    FAILED,
    SUCCESSFUL,
    BackupSeen,
    BackupsSeen,
    OperationSeen,
    TransferKind,
)
from firelift.rollout.intents import StartTransfer

if TYPE_CHECKING:
    from google.cloud.firestore_admin_v1.services.firestore_admin import FirestoreAdminAsyncClient
    from google.protobuf.timestamp_pb2 import Timestamp

Seen = TypeVar("Seen")

MOST_OPERATIONS = 2_000
"""Read at most. A database with more of them is not asked for exports, lest one that is there be overlooked."""

_PAGE = 500
_CANCELLED_CODE = grpc.StatusCode.CANCELLED.value[0]
_FINAL = {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.ALREADY_EXISTS, grpc.StatusCode.FAILED_PRECONDITION}
_MOVES = (
    "grant the operator's service account roles/datastore.importExportAdmin under the condition that it is this "
    "database, as the Terraform module access does, and Firestore's service agent roles/storage.admin on the bucket"
)
_LOOKS = "grant the operator's service account roles/datastore.backupsViewer on the project"


class TransferRefused(Exception):
    """An export or import was not begun, or may not have been; `final`: as it is, it never will be."""

    def __init__(self, sentence: str, *, final: bool) -> None:
        super().__init__(sentence)
        self.final = final


async def look(project: str, database: str, endpoint: str | None = None) -> BackupsSeen:
    """Read the database's exports, imports and backups. What keeps them from being read is part of the answer.

    `endpoint` (host:port, the sandbox) is spoken to without TLS and credentials; None means the real service.
    """
    name = f"projects/{project}/databases/{database}"
    try:
        async with asyncio.timeout(DEADLINE_SECONDS + 1), admin_client(endpoint) as client:
            operations, backups = await asyncio.gather(
                _answer(_operations(client, name), f"asked for the operations of {name}", _MOVES),
                _answer(_backups(client, project, name), f"asked for the backups of {project}", _LOOKS),
            )
    except (GoogleAuthError, TimeoutError) as error:
        sentence = f"asked what {name} has: {_unauthenticated(error)}"
        return BackupsSeen(operations_error=sentence, backups_error=sentence)
    return BackupsSeen(operations[0], backups[0], operations[1], backups[1])


async def start(
    project: str, database: str, wanted: StartTransfer, *, permit: Callable[[], None], endpoint: str | None = None
) -> None:
    """Begin an export or an import, unless one that is not `known` is there: so it is begun once.

    `permit` is called just before, and raises when this process may change nothing.

    Raises:
        TransferRefused: it was refused, or no answer came within 10 s; look before you ask again.
    """
    name = f"projects/{project}/databases/{database}"
    what = f"asked for an {wanted.kind} {'to' if wanted.kind is TransferKind.EXPORT else 'from'} {wanted.uri}"
    try:
        async with asyncio.timeout(DEADLINE_SECONDS), admin_client(endpoint) as client:
            seen = BackupsSeen(await _operations(client, name))
            there = seen.moving(wanted.kind, wanted.uri, frozenset(wanted.collections))
            if any(operation.name not in wanted.known for operation in there):
                return
            permit()
            await _begin(client, name, wanted)
    except TimeoutError as error:
        raise TransferRefused(f"{what}: no answer within {DEADLINE_SECONDS:g} s", final=False) from error
    except GoogleAPICallError as error:
        sentence = f"{what}: {_explained(error, _MOVES)}"
        raise TransferRefused(sentence, final=error.grpc_status_code in _FINAL) from error
    except (GoogleAuthError, _UnreadError) as error:
        raise TransferRefused(f"{what}: {error}", final=False) from error


async def cancel(operation: str, endpoint: str | None = None) -> None:
    """Cancel an operation; one that has ended, or is not there, stays as it is.

    Raises:
        TransferRefused: it could not be asked for.
    """
    try:
        async with asyncio.timeout(DEADLINE_SECONDS), admin_client(endpoint) as client:
            asked = operations_pb2.CancelOperationRequest(name=operation)
            await client.cancel_operation(asked, timeout=DEADLINE_SECONDS)
    except TimeoutError as error:
        message = f"asked to cancel {operation}: no answer within {DEADLINE_SECONDS:g} s"
        raise TransferRefused(message, final=False) from error
    except (GoogleAPICallError, GoogleAuthError) as error:
        if isinstance(error, GoogleAPICallError) and error.grpc_status_code is grpc.StatusCode.NOT_FOUND:
            return
        raise TransferRefused(f"asked to cancel {operation}: {_explained(error, _MOVES)}", final=False) from error


class _UnreadError(Exception):
    """Not all of them could be read."""


async def _begin(client: FirestoreAdminAsyncClient, name: str, wanted: StartTransfer) -> None:
    if wanted.kind is TransferKind.EXPORT:
        export = ExportDocumentsRequest(
            name=name,
            output_uri_prefix=wanted.uri,
            collection_ids=wanted.collections,
            snapshot_time=wanted.snapshot,
        )
        await client.export_documents(export, timeout=DEADLINE_SECONDS, retry=None)
    else:
        import_ = ImportDocumentsRequest(name=name, input_uri_prefix=wanted.uri, collection_ids=wanted.collections)
        await client.import_documents(import_, timeout=DEADLINE_SECONDS, retry=None)


async def _answer(ask: Awaitable[tuple[Seen, ...]], what: str, remedy: str) -> tuple[tuple[Seen, ...], str]:
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            return await ask, ""
    except TimeoutError:
        return (), f"{what}: no answer within {DEADLINE_SECONDS:g} s"
    except (GoogleAPICallError, GoogleAuthError) as error:
        return (), f"{what}: {_explained(error, remedy)}"
    except _UnreadError as error:
        return (), f"{what}: {error}"


async def _operations(client: FirestoreAdminAsyncClient, name: str) -> tuple[OperationSeen, ...]:
    """The database's exports and imports, oldest first."""
    found = [told async for operation in _all(client, name) if (told := _transfer(operation)) is not None]
    return tuple(seen for _, seen in sorted(found, key=lambda each: each[0]))


async def _all(client: FirestoreAdminAsyncClient, name: str) -> AsyncIterator[operations_pb2.Operation]:
    token, count = "", 0
    while True:
        asked = operations_pb2.ListOperationsRequest(name=name, page_size=_PAGE, page_token=token)
        page = await client.list_operations(asked, timeout=DEADLINE_SECONDS)
        for operation in page.operations:
            yield operation
        token, count = page.next_page_token, count + len(page.operations)
        if not token:
            return
        if count >= MOST_OPERATIONS:
            raise _UnreadError(f"it has more than {MOST_OPERATIONS:,}, which are not all read; delete old ones")


def _transfer(operation: operations_pb2.Operation) -> tuple[datetime, OperationSeen] | None:
    """When an export or import began, and what it says of itself; None for an operation of another kind."""
    export, import_ = ExportDocumentsMetadata.pb()(), ImportDocumentsMetadata.pb()()
    if operation.metadata.Unpack(export):
        kind, uri, told = TransferKind.EXPORT, export.output_uri_prefix, export
    elif operation.metadata.Unpack(import_):
        kind, uri, told = TransferKind.IMPORT, import_.input_uri_prefix, import_
    else:
        return None
    began = _time(told.start_time)
    snapshot = kind is TransferKind.EXPORT and told.HasField("snapshot_time")
    return began, OperationSeen(
        name=operation.name,
        kind=kind,
        uri=uri.rstrip("/"),
        state=_state(operation, told.operation_state),
        collections=frozenset(told.collection_ids),
        time=_time(told.snapshot_time) if snapshot else began,
        documents=told.progress_documents.completed_work,
        estimate=told.progress_documents.estimated_work,
        size=told.progress_bytes.completed_work,
        error=operation.error.message,
    )


def _state(operation: operations_pb2.Operation, told: int) -> str:
    if not operation.done:
        return str(OperationState(told).name)
    if operation.HasField("error"):
        return CANCELLED if operation.error.code == _CANCELLED_CODE else FAILED
    return SUCCESSFUL


def _time(stamp: Timestamp) -> datetime:
    return stamp.ToDatetime(UTC)


async def _backups(client: FirestoreAdminAsyncClient, project: str, name: str) -> tuple[BackupSeen, ...]:
    asked = ListBackupsRequest(parent=f"projects/{project}/locations/-")
    found = await client.list_backups(asked, timeout=DEADLINE_SECONDS, retry=None)
    if found.unreachable:
        # A location that does not answer may have the only backup there is, or a younger one.
        raise _UnreadError(f"{', '.join(found.unreachable)} did not answer")
    return tuple(
        BackupSeen(
            name=backup.name,
            state=Backup.State(backup.state).name,
            time=_time(Backup.pb(backup).snapshot_time),
            database_uid=backup.database_uid,
            size=backup.stats.size_bytes,
        )
        for backup in found.backups
        if backup.database == name
    )


def _explained(error: GoogleAPICallError | GoogleAuthError, remedy: str) -> str:
    """What was answered, and what can be done about it."""
    if isinstance(error, GoogleAuthError):
        return _unauthenticated(error)
    code = error.grpc_status_code
    advice = f"; {remedy}" if code is grpc.StatusCode.PERMISSION_DENIED else ""
    return f"{code.name if code else error.code}: {error.message}{advice}"


def _unauthenticated(error: GoogleAuthError | TimeoutError) -> str:
    return f"{str(error) or 'no credentials in time'}; give the operator credentials of a service account"
