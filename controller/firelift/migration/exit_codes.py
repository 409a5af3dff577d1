"""How a worker's process ends, and what its Job makes of it.

| code | meaning | Job |
|---|---|---|
| 0 | its lanes are sealed as complete | the index is done |
| 1 | a crash, or a database that kept refusing | counted against the index, tried again with backoff |
| 10 | told to hold or to stop, or SIGTERM | ignored: the pod is replaced while the Job is there |
| 11 | the run's lease ran out: no operator | ignored |
| 20 | the database denies access | fatal |
| 21 | another writer owns a lane, or a successor has sealed it | counted |
| 22 | the transform cannot be loaded or compiled, or its function does not answer in time | fatal |
| 23 | a record broke a rule and `onInvalid` is Fail | fatal |
| 24 | the ledger holds what cannot be | fatal |
| 137 | SIGKILL from outside: a node's end, too much memory, `kill -9` | ignored |
| 143 | SIGTERM before the worker could listen to it | ignored |

A pod that is killed over and over makes no progress, and `progressDeadlineSeconds` notices.
"""

from __future__ import annotations

from enum import IntEnum

from firelift.migration.errors import (
    Denied,
    FencedError,
    InvalidData,
    LeaseLost,
    LedgerBroken,
    RunStopped,
    TransformUnusable,
)


class ExitCode(IntEnum):
    """See the module's table."""

    DONE = 0
    CRASHED = 1
    STOPPED = 10
    LEASE_LOST = 11
    DENIED = 20
    FENCED = 21
    TRANSFORM_UNUSABLE = 22
    INVALID_DATA = 23
    LEDGER_BROKEN = 24
    KILLED = 137
    TERMINATED = 143


IGNORED = (ExitCode.STOPPED, ExitCode.LEASE_LOST, ExitCode.KILLED, ExitCode.TERMINATED)
"""These say nothing about the work: the pod is replaced, and no failure is counted."""

FATAL = (ExitCode.DENIED, ExitCode.TRANSFORM_UNUSABLE, ExitCode.INVALID_DATA, ExitCode.LEDGER_BROKEN)
"""No further pod can do better: the whole Job fails at once."""

_BY_ERROR = (
    # A subclass stands before its base.
    (LeaseLost, ExitCode.LEASE_LOST),
    (RunStopped, ExitCode.STOPPED),
    (Denied, ExitCode.DENIED),
    (FencedError, ExitCode.FENCED),
    (TransformUnusable, ExitCode.TRANSFORM_UNUSABLE),
    (InvalidData, ExitCode.INVALID_DATA),
    (LedgerBroken, ExitCode.LEDGER_BROKEN),
)


def exit_code(error: BaseException) -> ExitCode:
    """The code of a worker that ended with this error."""
    return next((code for kind, code in _BY_ERROR if isinstance(error, kind)), ExitCode.CRASHED)
