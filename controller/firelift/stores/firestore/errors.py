"""What a gRPC status means to the data plane."""

from __future__ import annotations

import re

import grpc
from google.auth.exceptions import GoogleAuthError

from firelift.migration.errors import (
    AlreadyExists,
    Denied,
    FailedPrecondition,
    IndexNotReady,
    NotFound,
    Poison,
    Pressure,
    StoreError,
    TooLarge,
    UnknownOutcome,
)

Code = grpc.StatusCode

SHOWN = 500
"""Characters of the server's text that are kept: it may quote a whole name, and lands in statuses and dead letters."""

SHOWN_OF_INDEX = 800
"""Of what is said of an index: the link in it has the whole definition, and is of no use when it is cut."""

NO_INDEX = re.compile(r"requires an? .*index", re.DOTALL)
"""Of the sentences in which Firestore says of a query that its index is missing, or is still being built: `The query
requires an index. You can create it here: <link>`, `… That index is currently building and cannot be used yet. See its
status here: <link>`, `The query requires a COLLECTION_GROUP_ASC index for collection logs and field userId. …`."""

SHARED: dict[Code, type[StoreError]] = {
    Code.ABORTED: Pressure,
    Code.RESOURCE_EXHAUSTED: Pressure,
    Code.UNAVAILABLE: UnknownOutcome,
    Code.DEADLINE_EXCEEDED: UnknownOutcome,
    Code.INTERNAL: UnknownOutcome,
    Code.UNKNOWN: UnknownOutcome,
    Code.CANCELLED: UnknownOutcome,
    Code.DATA_LOSS: UnknownOutcome,
    Code.INVALID_ARGUMENT: Poison,
    Code.OUT_OF_RANGE: Poison,
    Code.PERMISSION_DENIED: Denied,
    Code.UNAUTHENTICATED: Denied,
}

COMMIT = SHARED | {
    Code.ALREADY_EXISTS: AlreadyExists,
    Code.FAILED_PRECONDITION: FailedPrecondition,
    Code.NOT_FOUND: NotFound,
}

# A missing document is an answer of a read, not an error: NOT_FOUND means that the database is not there.
READ = SHARED | {Code.NOT_FOUND: Denied}

TOO_LARGE = (
    "message exceeds maximum size",  # gRPC in Java
    "message larger than max",  # gRPC in C++
    "payload size exceeds the limit",  # Google's front end, above 10 MiB
    "Transaction too big",  # Firestore, counting index entries too
)
"""What is said of a request that is refused for its size alone, with different codes."""


def may_pass(error: grpc.RpcError) -> bool:
    """Whether the same read may succeed a moment later. A read harms nothing, so its unknown outcomes are none."""
    return SHARED.get(error.code()) in {Pressure, UnknownOutcome} and not _too_large(error)


def store_error(error: grpc.RpcError, *, attempted: str, table: dict[Code, type[StoreError]]) -> StoreError:
    """The error to raise for a failed call; codes outside the table become a plain `StoreError`."""
    code = error.code()
    details = error.details() or "no details"
    if table is READ and code is Code.FAILED_PRECONDITION and NO_INDEX.search(details):
        return IndexNotReady(code.name, f"{details[:SHOWN_OF_INDEX]} ({attempted})")
    kind = TooLarge if _too_large(error) else table.get(code, StoreError)
    return kind(code.name, f"{attempted}: {details[:SHOWN]}")


def unrenewed(error: grpc.RpcError, failed: GoogleAuthError, *, attempted: str) -> StoreError:
    """The error to raise for a call that was not let in, and for which no new token could be had."""
    kind = UnknownOutcome if failed.retryable else Denied
    told = f"{attempted}: {(error.details() or 'no details')[:SHOWN]}; asked for a new token, and got none: {failed}"
    return kind(Code.UNAUTHENTICATED.name, told[: 2 * SHOWN])


def _too_large(error: grpc.RpcError) -> bool:
    """Whether the request was refused for its size.

    gRPC itself shares a code for it with "slow down", though no pause ever helps; only its text tells them apart. The
    emulator does this above 4 MiB, where Firestore takes 10.
    """
    details = error.details() or ""
    return error.code() in {Code.RESOURCE_EXHAUSTED, Code.INVALID_ARGUMENT} and any(
        each in details for each in TOO_LARGE
    )
