"""What a gRPC status means to the data plane."""

from __future__ import annotations

import grpc

from firelift.migration.errors import (
    AlreadyExists,
    Denied,
    FailedPrecondition,
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
    kind = TooLarge if _too_large(error) else table.get(code, StoreError)
    return kind(code.name, f"{attempted}: {(error.details() or 'no details')[:SHOWN]}")


def _too_large(error: grpc.RpcError) -> bool:
    """Whether the request was refused for its size.

    gRPC itself shares a code for it with "slow down", though no pause ever helps; only its text tells them apart. The
    emulator does this above 4 MiB, where Firestore takes 10.
    """
    details = error.details() or ""
    return error.code() in {Code.RESOURCE_EXHAUSTED, Code.INVALID_ARGUMENT} and any(
        each in details for each in TOO_LARGE
    )
