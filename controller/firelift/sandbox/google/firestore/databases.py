"""Databases: declared by a create, or implied by a first question over gRPC."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING

from firelift.sandbox.google.resources import Ids, Json, Resources, aborted, not_found, precondition, timestamp
from firelift.sandbox.google.values import invalid

if TYPE_CHECKING:
    from firelift.sandbox.google.calls import Clock
    from firelift.sandbox.google.firestore.builds import Builds
    from firelift.sandbox.google.operations import Operations

_NAME = re.compile(r"projects/[^/]+/databases/[^/]+")
_ID = re.compile(r"\(default\)|[a-z][a-z0-9-]{2,61}[a-z0-9]")
_IMMUTABLE = frozenset({"name", "uid", "locationId", "databaseEdition", "createTime", "cmekConfig"})
_ADMIN = "google.firestore.admin.v1"
_RETENTION = {True: "604800s", False: "3600s"}


class Databases:
    """Databases by full name.

    Firestore's emulator serves every database that is named to it, so a question over gRPC about one that nobody
    created implies it; REST knows only those that were created, which is what Terraform needs to plan a create. The
    uid follows from `namespace` (the data directory's identity) and the name, so that a restart on the same data and
    a create after an implied use answer the same uid; a restore onto other data and a create after a delete do not.
    """

    def __init__(self, clock: Clock, ids: Ids, operations: Operations, builds: Builds, namespace: str = "") -> None:
        self._clock = clock
        self._ids = ids
        self._operations = operations
        self._builds = builds
        self._namespace = namespace
        self._declared = Resources()
        self._implied = Resources()
        self._deleted: dict[str, int] = {}

    def register(self, name: str, uid: str = "") -> str:
        """Name a database as if it had been created, or give one another uid (as a restore does); returns the uid."""
        if name in self._declared:
            return str(self._declared.update(name, {"uid": uid or self._uid(name)}, ["uid"])["uid"])
        return str(self._declared.add(name, self._made(name, {"uid": uid} if uid else {}))["uid"])

    def imply(self, name: str) -> Json:
        """Return a database, making one that was never named; NOT_FOUND for one that was deleted."""
        if name in self._declared or name in self._deleted:
            return self.get(name)
        return self._implied.get(name) if name in self._implied else self._implied.add(name, self._made(name, {}))

    def require(self, name: str) -> Json:
        """Return a database, created or implied, or raise RefusedError (NOT_FOUND)."""
        return self._implied.get(name) if name in self._implied and name not in self._declared else self.get(name)

    def get(self, name: str) -> Json:
        """Return a database that was created, or raise RefusedError (NOT_FOUND)."""
        if name not in self._declared:
            raise not_found(f'Project or database: "{name}" does not exist:')
        return {**self._declared.get(name), "earliestVersionTime": timestamp(self._clock.now())}

    def list(self, parent: str) -> Json:
        """Return {"databases": [...]} of `projects/P`."""
        return {"databases": found} if (found := self._declared.below(f"{parent}/databases")) else {}

    def create(self, parent: str, identifier: str, body: Json) -> Json:
        """Create a database; returns the operation.

        Raises RefusedError: INVALID_ARGUMENT for a wrong id or no location, ALREADY_EXISTS for one that was created.
        """
        if not _ID.fullmatch(identifier):
            raise invalid(f"Invalid database id {identifier!r}: (default), or 4-63 of a-z, 0-9 and -, a letter first")
        if not body.get("locationId"):
            raise invalid("Missing location_id: it cannot be changed later")
        name = f"{parent}/databases/{identifier}"
        made = self._declared.add(name, self._made(name, body))
        return self._operation(name, "CreateDatabaseMetadata", made)

    def update(self, name: str, body: Json, mask: Sequence[str] | None) -> Json:
        """Change a database; returns the operation.

        Raises RefusedError: NOT_FOUND, ABORTED for another etag, INVALID_ARGUMENT for a field that cannot change.
        """
        current = self.get(name)
        self._check_etag(current, body.get("etag"))
        paths = [path for path in mask or body if path not in {"etag", "name"}]
        for path in _IMMUTABLE.intersection(paths):
            if body.get(path) != current.get(path):
                raise invalid(f"{path} of a database cannot be changed")
        self._declared.update(name, {key: value for key, value in body.items() if key in paths}, paths)
        changed = self._declared.get(name)
        changed |= {"updateTime": timestamp(self._clock.now()), "etag": self._etag(), **_retention(changed)}
        return self._operation(name, "UpdateDatabaseMetadata", self.get(name))

    def delete(self, name: str, etag: str | None) -> Json:
        """Delete a database, which goes by its uid from then on; returns the operation.

        Raises RefusedError: NOT_FOUND, ABORTED for another etag, FAILED_PRECONDITION while it is protected.
        """
        current = self.get(name)
        self._check_etag(current, etag)
        if current.get("deleteProtectionState") == "DELETE_PROTECTION_ENABLED":
            raise precondition(f"The database {name} has delete protection enabled; disable it in an earlier update.")
        self._declared.remove(name)
        if name in self._implied:
            self._implied.remove(name)
        self._deleted[name] = self._deleted.get(name, 0) + 1
        gone = {"previousId": name.rpartition("/")[2], "deleteTime": timestamp(self._clock.now())}
        renamed = f"{name.rpartition('/')[0]}/{current['uid']}"
        return self._operation(name, "DeleteDatabaseMetadata", {**current, **gone, "name": renamed})

    def _made(self, name: str, body: Json) -> Json:
        if not _NAME.fullmatch(name):
            raise invalid(f"Invalid database name {name!r}: the format is projects/[PROJECT]/databases/[DATABASE]")
        now = timestamp(self._clock.now())
        edition = body.get("databaseEdition", "STANDARD")
        made = {
            "uid": self._uid(name),
            "locationId": "nam5",
            "type": "FIRESTORE_NATIVE",
            "databaseEdition": edition,
            "concurrencyMode": "PESSIMISTIC" if edition == "STANDARD" else "OPTIMISTIC",
            "appEngineIntegrationMode": "DISABLED",
            "pointInTimeRecoveryEnablement": "POINT_IN_TIME_RECOVERY_DISABLED",
            "deleteProtectionState": "DELETE_PROTECTION_DISABLED",
            "keyPrefix": "s",
            "freeTier": False,
            **body,
            "name": name,
            "etag": self._etag(),
            **dict.fromkeys(("createTime", "updateTime", "earliestVersionTime"), now),
        }
        return made | _retention(made)

    def _uid(self, name: str) -> str:
        life = f"#{self._deleted[name]}" if name in self._deleted else ""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self._namespace}/{name}{life}"))

    def _etag(self) -> str:
        return f"IO{self._ids.number()}="

    def _check_etag(self, current: Json, etag: str | None) -> None:
        if etag and etag != current["etag"]:
            raise aborted(f"The etag {etag!r} of {current['name']} is not the one of now; read it again")

    def _operation(self, name: str, kind: str, database: Json) -> Json:
        response = {"@type": f"type.googleapis.com/{_ADMIN}.Database", **database}
        return self._operations.begin(name, f"{_ADMIN}.{kind}", response, self._builds.times.database_seconds)


def _retention(database: Json) -> Json:
    kept = database["pointInTimeRecoveryEnablement"] == "POINT_IN_TIME_RECOVERY_ENABLED"
    return {"versionRetentionPeriod": _RETENTION[kept]}
