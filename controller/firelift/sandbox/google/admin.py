"""google.firestore.admin.v1.FirestoreAdmin over gRPC, on the state that REST serves as well."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import grpc
from google.cloud.firestore_admin_v1 import types
from google.longrunning import operations_pb2
from google.protobuf import empty_pb2, json_format

from firelift.sandbox.google.firestore.state import database_of
from firelift.sandbox.google.resources import page

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from firelift.sandbox.google.calls import Calls
    from firelift.sandbox.google.faults import Fault
    from firelift.sandbox.google.firestore.state import FirestoreState
    from firelift.sandbox.google.operations import Operation
    from firelift.sandbox.google.resources import Json

    Ask = Callable[[Json], Json]
    Method = tuple[str, Any, Any, Ask]

SERVICE = "google.firestore.admin.v1.FirestoreAdmin"
OPERATIONS = "google.longrunning.Operations"
_OPERATION = operations_pb2.Operation
_EMPTY = empty_pb2.Empty
_PROJECT_WIDE = re.compile(r"projects/[^/]+(/locations/.+)?")


class FirestoreAdmin:
    """The service's methods; a database that nobody created is implied by the first question about it."""

    def __init__(self, state: FirestoreState) -> None:
        self._state = state

    def handlers(self, calls: Calls) -> list[grpc.GenericRpcHandler[Any, Any]]:
        """Return what a gRPC server needs to serve this and its operations."""
        admin = [*self._database_methods(), *self._index_methods(), *self._backup_methods()]
        return [self._handler(calls, SERVICE, admin), self._handler(calls, OPERATIONS, self._operation_methods())]

    def _handler(self, calls: Calls, service: str, methods: list[Method]) -> grpc.GenericRpcHandler[Any, Any]:
        served = {
            method: calls.unary("firestore", method, self._serve(ask, _message(response)), _message(request))
            for method, request, response, ask in methods
        }
        return grpc.method_handlers_generic_handler(service, served)

    def _database_methods(self) -> list[Method]:
        databases, exports = self._state.databases, self._state.exports
        listed = types.ListDatabasesResponse
        export = self._begun(lambda asked: exports.export(asked["name"], asked))
        import_ = self._begun(lambda asked: exports.import_(asked["name"], asked))
        return [
            ("GetDatabase", types.GetDatabaseRequest, types.Database, lambda asked: databases.require(asked["name"])),
            ("ListDatabases", types.ListDatabasesRequest, listed, lambda asked: databases.list(asked["parent"])),
            ("ExportDocuments", types.ExportDocumentsRequest, _OPERATION, export),
            ("ImportDocuments", types.ImportDocumentsRequest, _OPERATION, import_),
        ]

    def _index_methods(self) -> list[Method]:
        indexes, fields = self._state.indexes, self._state.fields
        create = self._begun(self._create_index)
        update = self._begun(
            lambda asked: fields.update(asked["field"]["name"], asked["field"], _mask(asked.get("updateMask")))
        )
        return [
            ("CreateIndex", types.CreateIndexRequest, _OPERATION, create),
            ("GetIndex", types.GetIndexRequest, types.Index, lambda asked: indexes.get(asked["name"])),
            ("ListIndexes", types.ListIndexesRequest, types.ListIndexesResponse, self._list_indexes),
            ("DeleteIndex", types.DeleteIndexRequest, _EMPTY, lambda asked: indexes.delete(asked["name"])),
            ("GetField", types.GetFieldRequest, types.Field, lambda asked: fields.get(asked["name"])),
            ("ListFields", types.ListFieldsRequest, types.ListFieldsResponse, self._list_fields),
            ("UpdateField", types.UpdateFieldRequest, _OPERATION, update),
        ]

    def _backup_methods(self) -> list[Method]:
        schedules, backups = self._state.schedules, self._state.backups
        schedule, listed = types.BackupSchedule, types.ListBackupSchedulesResponse
        return [
            ("GetBackupSchedule", types.GetBackupScheduleRequest, schedule, lambda asked: schedules.get(asked["name"])),
            ("ListBackupSchedules", types.ListBackupSchedulesRequest, listed, lambda a: schedules.list(a["parent"])),
            ("GetBackup", types.GetBackupRequest, types.Backup, lambda asked: backups.get(asked["name"])),
            ("ListBackups", types.ListBackupsRequest, types.ListBackupsResponse, lambda a: backups.list(a["parent"])),
            ("DeleteBackup", types.DeleteBackupRequest, _EMPTY, lambda asked: backups.delete(asked["name"])),
        ]

    def _operation_methods(self) -> list[Method]:
        operations, pb2 = self._state.operations, operations_pb2
        return [
            ("GetOperation", pb2.GetOperationRequest, _OPERATION, lambda asked: operations.get(asked["name"])),
            ("ListOperations", pb2.ListOperationsRequest, pb2.ListOperationsResponse, self._list_operations),
            ("CancelOperation", pb2.CancelOperationRequest, _EMPTY, lambda asked: operations.cancel(asked["name"])),
            ("DeleteOperation", pb2.DeleteOperationRequest, _EMPTY, lambda asked: operations.delete(asked["name"])),
        ]

    def _create_index(self, asked: Json) -> Operation:
        parent = asked["parent"]
        return self._state.indexes.create(parent, asked.get("index") or {}, edition=self._state.edition(parent))

    def _list_indexes(self, asked: Json) -> Json:
        return page("indexes", self._state.indexes.list(asked["parent"]), *_window(asked))

    def _list_fields(self, asked: Json) -> Json:
        return page("fields", self._state.fields.list(asked["parent"], asked.get("filter", "")), *_window(asked))

    def _list_operations(self, asked: Json) -> Json:
        parent = asked["name"].removesuffix("/operations")
        return page("operations", self._state.operations.below(parent, asked.get("filter", "")), *_window(asked))

    def _begun(self, begin: Callable[[Json], Operation]) -> Ask:
        return lambda asked: self._state.operations.get(begin(asked).name)

    def _serve(self, ask: Ask, response: Any) -> Callable[[Any, Sequence[Fault]], Any]:
        def serve(request: Any, _faults: Sequence[Fault]) -> Any:
            asked = json_format.MessageToDict(request)
            name = asked.get("name") or asked.get("parent") or asked.get("field", {}).get("name", "")
            if not _PROJECT_WIDE.fullmatch(name):
                self._state.databases.imply(database_of(name))
            return json_format.ParseDict(ask(asked), response(), ignore_unknown_fields=True)

        return serve


def _message(kind: Any) -> Any:
    """Return the raw protobuf class of a message, wrapped or not."""
    return kind.pb() if hasattr(kind, "pb") else kind


def _mask(paths: str | None) -> list[str] | None:
    return paths.split(",") if paths else None


def _window(asked: Json) -> tuple[int | None, str | None]:
    return asked.get("pageSize"), asked.get("pageToken")
