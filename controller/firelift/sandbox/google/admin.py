"""google.firestore.admin.v1.FirestoreAdmin over gRPC, on the state that REST serves as well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
from google.cloud.firestore_admin_v1 import types
from google.protobuf import json_format

from firelift.sandbox.google.firestore.state import database_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from firelift.sandbox.google.calls import Calls
    from firelift.sandbox.google.faults import Fault
    from firelift.sandbox.google.firestore.state import FirestoreState
    from firelift.sandbox.google.resources import Json

    Ask = Callable[[Json], Json]

SERVICE = "google.firestore.admin.v1.FirestoreAdmin"


class FirestoreAdmin:
    """The service's methods; a database that nobody created is implied by the first question about it."""

    def __init__(self, state: FirestoreState) -> None:
        self._state = state

    def handler(self, calls: Calls) -> grpc.GenericRpcHandler[Any, Any]:
        """Return what a gRPC server needs to serve this."""
        methods = {
            method: calls.unary("firestore", method, self._serve(ask, response), request.pb())
            for method, request, response, ask in self._methods()
        }
        return grpc.method_handlers_generic_handler(SERVICE, methods)

    def _methods(self) -> list[tuple[str, Any, Any, Ask]]:
        databases = self._state.databases
        return [
            ("GetDatabase", types.GetDatabaseRequest, types.Database, lambda asked: databases.require(asked["name"])),
        ]

    def _serve(self, ask: Ask, response: Any) -> Callable[[Any, Sequence[Fault]], Any]:
        def serve(request: Any, _faults: Sequence[Fault]) -> Any:
            asked = json_format.MessageToDict(request)
            self._state.databases.imply(database_of(asked.get("name") or asked.get("parent") or ""))
            return json_format.ParseDict(ask(asked), response.pb()(), ignore_unknown_fields=True)

        return serve
