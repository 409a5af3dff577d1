"""All of Firestore's administration in one place: what REST and gRPC both speak of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firelift.sandbox.google.firestore.backups import Backups, BackupSchedules
from firelift.sandbox.google.firestore.builds import Builds
from firelift.sandbox.google.firestore.databases import Databases
from firelift.sandbox.google.firestore.documents import Documents, NoDocuments
from firelift.sandbox.google.firestore.exports import Exports
from firelift.sandbox.google.firestore.fields import Fields
from firelift.sandbox.google.firestore.indexes import Indexes
from firelift.sandbox.google.resources import not_found

if TYPE_CHECKING:
    from firelift.sandbox.google.calls import Clock
    from firelift.sandbox.google.firestore.builds import State
    from firelift.sandbox.google.operations import Operations
    from firelift.sandbox.google.resources import Ids, Json


class FirestoreState:
    """The databases with what belongs to them; `builds` holds the states of what takes time."""

    def __init__(
        self,
        clock: Clock,
        ids: Ids,
        operations: Operations,
        namespace: str = "",
        documents: Documents | None = None,
    ) -> None:
        self.operations = operations
        self.builds = Builds(clock)
        self.databases = Databases(clock, ids, operations, self.builds, namespace)
        self.indexes = Indexes(ids, operations, self.builds)
        self.fields = Fields(operations, self.builds)
        self.schedules = BackupSchedules(clock)
        self.backups = Backups(clock)
        self.exports = Exports(clock, operations, self.builds, documents or NoDocuments())

    def edition(self, name: str) -> str:
        """Return the edition of the database that a resource belongs to, or raise RefusedError (NOT_FOUND)."""
        return str(self.databases.require(database_of(name))["databaseEdition"])

    def states(self) -> dict[str, str]:
        """Return the state of each index, and of each TTL under its field's name."""
        everything = "projects/-/databases/-/collectionGroups/-"
        indexes = {index["name"]: index["state"] for index in self.indexes.list(everything)}
        fields = self.fields.list(everything)
        return indexes | {field["name"]: field["ttlConfig"]["state"] for field in fields if "ttlConfig" in field}

    def force(self, name: str, state: State) -> None:
        """Put an index, or a field's TTL, into a state; RefusedError (NOT_FOUND) when there is none of that name."""
        if name not in self.states():
            raise not_found(f"an index or a TTL named {name}")
        self.builds.force(f"{name}/ttlConfig" if "/fields/" in name else name, state)

    def delete_database(self, name: str, etag: str | None) -> Json:
        """Delete a database with its indexes, fields and schedules; returns the operation."""
        operation = self.databases.delete(name, etag)
        for kind in (self.indexes, self.fields, self.schedules):
            kind.forget(name)
        return operation


def database_of(name: str) -> str:
    """Return the `projects/P/databases/D` that a resource's name begins with."""
    return "/".join(name.split("/")[:4])
