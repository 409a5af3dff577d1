"""google.firestore.admin.v1.FirestoreAdmin, as far as a ledger asks: which database is this?"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import grpc
from google.cloud.firestore_admin_v1 import types

from firelift.sandbox.google.values import invalid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firelift.sandbox.google.calls import Calls, Clock
    from firelift.sandbox.google.faults import Fault

SERVICE = "google.firestore.admin.v1.FirestoreAdmin"
MAX_DATABASES = 1_000
_PARTS = 4


class FirestoreAdmin:
    """Databases by full name. One that was never named is made when it is first asked for.

    Its uid follows from `namespace` (the data directory's identity) and its name, so that a restart on the same data
    answers the same uid, and a restore onto other data does not.
    """

    def __init__(self, clock: Clock, namespace: str = "", location: str = "nam5") -> None:
        self._clock = clock
        self._namespace = namespace
        self._location = location
        self._databases: dict[str, Any] = {}

    def handler(self, calls: Calls) -> grpc.GenericRpcHandler[Any, Any]:
        """Return what a gRPC server needs to serve this."""
        request_type = types.GetDatabaseRequest.pb()
        return grpc.method_handlers_generic_handler(
            SERVICE, {"GetDatabase": calls.unary("GetDatabase", self.get_database, request_type)}
        )

    def register(self, name: str, uid: str = "") -> str:
        """Name a database, or give one another uid (as a restore does); returns the uid."""
        parts = name.split("/")
        if len(parts) != _PARTS or parts[0] != "projects" or parts[2] != "databases" or not parts[1] or not parts[3]:
            raise invalid(f"Invalid database name {name!r}: the format is projects/[PROJECT]/databases/[DATABASE]")
        if name not in self._databases and len(self._databases) >= MAX_DATABASES:
            raise invalid(f"the stand-in keeps at most {MAX_DATABASES} databases")
        uid = uid or str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self._namespace}/{name}"))
        database = types.Database.pb()(
            name=name,
            uid=uid,
            location_id=self._location,
            type_=types.Database.DatabaseType.FIRESTORE_NATIVE,
        )
        database.create_time.FromNanoseconds(self._clock.now())
        self._databases[name] = database
        return uid

    def get_database(self, request: Any, _faults: Sequence[Fault]) -> Any:
        """Return the database by that name."""
        if request.name not in self._databases:
            self.register(request.name)
        return self._databases[request.name]
