"""What the process does about functions of the user's own: it bounds their time, and drops what they print."""

from __future__ import annotations

import asyncio
import os
import resource
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import structlog

from firelift.migration.errors import StoreError
from firelift.migration.exit_codes import ExitCode
from firelift.migration.ledger.failures import write_failure
from firelift.migration.transform.bounded_call import bound_calls
from firelift.migration.transform.isolation import Muffled, muffle_errors
from firelift.stores.firestore.store import open_firestore
from firelift.worker.settings import WorkerSettings

log = structlog.get_logger()

OUTPUT = 1
"""The file descriptor of standard output."""

LAST_WORDS_SECONDS = 5.0
"""For telling the ledger why the process ends."""


@contextmanager
def muffled() -> Iterator[None]:
    """Keep what functions print out of the log: it has the values of documents, and whoever reads logs would too."""
    _silence_output()
    muffle_errors()
    streams = sys.stdout, sys.stderr
    quiet = Muffled(sys.stdout), Muffled(sys.stderr)
    sys.stdout, sys.stderr = quiet
    try:
        yield
    finally:
        sys.stdout, sys.stderr = streams
        dropped = sum(stream.dropped for stream in quiet)
        if dropped:
            log.warning(
                "a Python transform printed or logged, which was dropped: it could tell documents", times=dropped
            )


def _silence_output() -> None:
    """The worker says nothing there itself, and what C libraries print waits in a buffer until nobody knows whose."""
    sys.stdout.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, OUTPUT)
    os.close(nowhere)


def bound_memory(settings: WorkerSettings) -> None:
    """Refuse this process more than that much memory of its own.

    An expression can make a huge text of a small document. It fails then, and its record is a dead letter; without
    this the node would end the worker, and each one after it at the same record.
    """
    most = settings.memory_mib * 2**20
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def bound_functions(settings: WorkerSettings) -> None:
    """Bound the calls of functions in this process, whose main thread this has to be."""
    bound_calls(lambda why: _end(settings, why))


def _end(settings: WorkerSettings, why: str) -> None:
    # The main thread is the function's for good, and with it the event loop.
    telling = threading.Thread(target=lambda: asyncio.run(_tell(settings, why)), daemon=True)
    telling.start()
    telling.join(LAST_WORDS_SECONDS)
    os._exit(ExitCode.TRANSFORM_UNUSABLE)


async def _tell(settings: WorkerSettings, why: str) -> None:
    log.error(
        "worker failed", error=why, code=int(ExitCode.TRANSFORM_UNUSABLE), ledger=settings.ledger, run=settings.run
    )
    store = open_firestore(settings.project, settings.database)
    with suppress(StoreError):
        await write_failure(store, settings.ledger, settings.run, settings.index, why)
    await store.close()
