"""firestore.googleapis.com: databases, composite indexes, fields, backup schedules and operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from firelift.sandbox.google.firestore.state import database_of
from firelift.sandbox.google.resources import Json, page
from firelift.sandbox.google.rest.routes import Call, Route

if TYPE_CHECKING:
    from firelift.sandbox.google.firestore.state import FirestoreState

_DATABASES = "v1/projects/{project}/databases"
_DATABASE = f"{_DATABASES}/{{database}}"
_BACKUPS = "v1/projects/{project}/locations/{location}/backups"
_GROUP = f"{_DATABASE}/collectionGroups/{{collection}}"


class FirestoreApi:
    """The REST face of the state that gRPC serves as well."""

    def __init__(self, state: FirestoreState) -> None:
        self._state = state

    def routes(self) -> list[Route]:
        """Return the methods served."""
        return [*self._database_routes(), *self._index_routes(), *self._schedule_routes(), *self._operation_routes()]

    def _database_routes(self) -> list[Route]:
        databases = self._state.databases
        return [
            Route("POST", _DATABASES, "CreateDatabase", self._create_database),
            Route("GET", _DATABASES, "ListDatabases", lambda call: databases.list(call.parent)),
            Route("GET", _DATABASE, "GetDatabase", lambda call: databases.get(call.name)),
            Route("PATCH", _DATABASE, "UpdateDatabase", lambda call: databases.update(call.name, call.body, call.mask)),
            Route("DELETE", _DATABASE, "DeleteDatabase", self._delete_database),
            Route("POST", f"{_DATABASE}:exportDocuments", "ExportDocuments", self._export),
            Route("POST", f"{_DATABASE}:importDocuments", "ImportDocuments", self._import),
        ]

    def _index_routes(self) -> list[Route]:
        indexes, fields = self._state.indexes, self._state.fields
        return [
            Route("POST", f"{_GROUP}/indexes", "CreateIndex", self._create_index),
            Route("GET", f"{_GROUP}/indexes", "ListIndexes", self._list_indexes),
            Route("GET", f"{_GROUP}/indexes/{{index}}", "GetIndex", lambda call: indexes.get(call.name)),
            Route("DELETE", f"{_GROUP}/indexes/{{index}}", "DeleteIndex", lambda call: indexes.delete(call.name)),
            Route("GET", f"{_GROUP}/fields", "ListFields", self._list_fields),
            Route("GET", f"{_GROUP}/fields/{{field}}", "GetField", self._known(lambda call: fields.get(call.name))),
            Route("PATCH", f"{_GROUP}/fields/{{field}}", "UpdateField", self._update_field),
        ]

    def _schedule_routes(self) -> list[Route]:
        schedules, many = self._state.schedules, f"{_DATABASE}/backupSchedules"
        one = f"{many}/{{schedule}}"
        create = self._known(lambda call: schedules.create(call.parent, call.body))
        return [
            Route("POST", many, "CreateBackupSchedule", create),
            Route("GET", many, "ListBackupSchedules", self._known(lambda call: schedules.list(call.parent))),
            Route("GET", one, "GetBackupSchedule", lambda call: schedules.get(call.name)),
            Route("PATCH", one, "UpdateBackupSchedule", lambda call: schedules.update(call.name, call.body, call.mask)),
            Route("DELETE", one, "DeleteBackupSchedule", lambda call: schedules.delete(call.name)),
            Route("GET", _BACKUPS, "ListBackups", lambda call: self._state.backups.list(call.parent)),
            Route("GET", f"{_BACKUPS}/{{backup}}", "GetBackup", lambda call: self._state.backups.get(call.name)),
            Route(
                "DELETE", f"{_BACKUPS}/{{backup}}", "DeleteBackup", lambda call: self._state.backups.delete(call.name)
            ),
        ]

    def _operation_routes(self) -> list[Route]:
        operations, many = self._state.operations, f"{_DATABASE}/operations"
        one = f"{many}/{{operation}}"
        return [
            Route("GET", many, "ListOperations", self._list_operations),
            Route("GET", one, "GetOperation", lambda call: operations.get(call.name)),
            Route("DELETE", one, "DeleteOperation", lambda call: operations.delete(call.name)),
            Route("POST", f"{one}:cancel", "CancelOperation", lambda call: operations.cancel(call.name)),
        ]

    def _known(self, serve: Callable[[Call], Json]) -> Callable[[Call], Json]:
        """Refuse first what asks about a database that does not exist."""

        def checked(call: Call) -> Json:
            self._state.databases.require(database_of(call.name))
            return serve(call)

        return checked

    def _create_database(self, call: Call) -> Json:
        return self._state.databases.create(call.parent, call.query.get("databaseId", ""), call.body)

    def _delete_database(self, call: Call) -> Json:
        return self._state.delete_database(call.name, call.query.get("etag"))

    def _export(self, call: Call) -> Json:
        self._state.databases.require(call.name)
        return self._state.operations.get(self._state.exports.export(call.name, call.body).name)

    def _import(self, call: Call) -> Json:
        self._state.databases.require(call.name)
        return self._state.operations.get(self._state.exports.import_(call.name, call.body).name)

    def _create_index(self, call: Call) -> Json:
        operation = self._state.indexes.create(call.parent, call.body, edition=self._state.edition(call.name))
        return self._state.operations.get(operation.name)

    def _update_field(self, call: Call) -> Json:
        self._state.edition(call.name)
        return self._state.operations.get(self._state.fields.update(call.name, call.body, call.mask).name)

    def _list_indexes(self, call: Call) -> Json:
        self._state.edition(call.name)
        return page("indexes", self._state.indexes.list(call.parent), *call.window)

    def _list_fields(self, call: Call) -> Json:
        self._state.edition(call.name)
        return page("fields", self._state.fields.list(call.parent, call.query.get("filter", "")), *call.window)

    def _list_operations(self, call: Call) -> Json:
        return page("operations", self._state.operations.below(call.parent, call.query.get("filter", "")), *call.window)
