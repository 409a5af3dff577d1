"""What the Firestore Admin API says of a database."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import google.auth
import grpc
from google.api_core.exceptions import GoogleAPICallError
from google.auth.exceptions import GoogleAuthError
from google.cloud.firestore_admin_v1.services.firestore_admin import FirestoreAdminAsyncClient
from google.cloud.firestore_admin_v1.services.firestore_admin.transports import FirestoreAdminGrpcAsyncIOTransport

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

DEADLINE_SECONDS = 10.0
_SCOPE = "https://www.googleapis.com/auth/datastore"
_REMEDIES: Mapping[grpc.StatusCode | None, str] = {
    grpc.StatusCode.NOT_FOUND: "check spec.database, or create the database",
    grpc.StatusCode.PERMISSION_DENIED: "grant the operator's service account roles/datastore.viewer on the project",
}


class DatabaseLookupError(Exception):
    """The Admin API did not say which database this is; the message tells what to do."""


async def database_uid(project: str, database: str, endpoint: str | None = None) -> str:
    """Return the uid that Firestore gave a database when it was made: a restore or clone has another.

    `endpoint` (host:port, the sandbox) is spoken to without TLS and credentials; None means the real service.

    Raises:
        DatabaseLookupError: no such database, no permission, or no answer within 10 s.
    """
    name = f"projects/{project}/databases/{database}"
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            return await _ask(name, endpoint)
    except TimeoutError as error:
        raise DatabaseLookupError(f"asked for the uid of {name}: no answer within {DEADLINE_SECONDS:g} s") from error
    except (GoogleAPICallError, GoogleAuthError) as error:
        raise DatabaseLookupError(f"asked for the uid of {name}: {explain(error)}") from error


async def _ask(name: str, endpoint: str | None) -> str:
    async with admin_client(endpoint) as client:
        found = await client.get_database(name=name, timeout=DEADLINE_SECONDS, retry=None)
        return str(found.uid)


@asynccontextmanager
async def admin_client(endpoint: str | None) -> AsyncIterator[FirestoreAdminAsyncClient]:
    """A client for one question or a few; it is closed at the end."""
    client = FirestoreAdminAsyncClient(transport=await _transport(endpoint))
    try:
        yield client
    finally:
        await client.transport.close()  # type: ignore[no-untyped-call] # the generated client is typed only in part


async def _transport(endpoint: str | None) -> FirestoreAdminGrpcAsyncIOTransport:
    if endpoint:
        channel = grpc.aio.insecure_channel(endpoint)
        return FirestoreAdminGrpcAsyncIOTransport(channel=channel)
    # looking credentials up may ask a metadata server, which blocks
    credentials, _ = await asyncio.to_thread(google.auth.default, scopes=[_SCOPE])
    return FirestoreAdminGrpcAsyncIOTransport(credentials=credentials)


def explain(error: GoogleAPICallError | GoogleAuthError) -> str:
    """What was answered, and what can be done about it."""
    if isinstance(error, GoogleAuthError):
        return f"{error}; give the process credentials of a service account with roles/datastore.viewer"
    code = error.grpc_status_code
    remedy = _REMEDIES.get(code, "it is asked again at the next turn")
    return f"{code.name if code else error.code}: {error.message}; {remedy}"
