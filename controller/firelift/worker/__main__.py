"""`python -m firelift.worker`: work off this index's lanes, then leave with a code of `migration.exit_codes`."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from functools import partial

import structlog
from google.auth.exceptions import GoogleAuthError
from pydantic import ValidationError

from firelift.migration.entities.closing import ListedOnce
from firelift.migration.errors import MigrationError, RunStopped
from firelift.migration.exit_codes import ExitCode, exit_code
from firelift.migration.processors.build import build
from firelift.migration.worker import Share, work
from firelift.stores.firestore.store import open_firestore
from firelift.worker.functions import bound_functions, bound_memory, muffled
from firelift.worker.logs import configure_logging
from firelift.worker.settings import WorkerSettings

log = structlog.get_logger()


COLLECT_AFTER = 100_000
"""Objects made until the collector looks for cycles. It looks at all documents of all pages that are being worked off,
none of which is ever part of a cycle, and by Python's defaults takes a tenth of a worker's time."""


def main() -> ExitCode:
    """Read the environment, work, and say how it ended."""
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)
    configure_logging()
    with muffled():
        return _main()


def _main() -> ExitCode:
    try:
        settings = WorkerSettings()
    except ValidationError as error:
        return _failed(error)
    bound_functions(settings)
    bound_memory(settings)
    structlog.contextvars.bind_contextvars(ledger=settings.ledger, run=settings.run, index=settings.index)
    return asyncio.run(_run(settings))


async def _run(settings: WorkerSettings) -> ExitCode:
    leave = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, leave.set)
    try:
        await _work(settings, leave)
    except RunStopped as error:
        log.info("worker stopped", reason=str(error))
        return exit_code(error)
    except (MigrationError, GoogleAuthError) as error:
        return _failed(error)
    log.info("worker done")
    return ExitCode.DONE


async def _work(settings: WorkerSettings, leave: asyncio.Event) -> None:
    share = Share(settings.ledger, settings.run, settings.index, settings.workers)
    store = open_firestore(settings.project, settings.database)
    try:
        await work(store, share, partial(build, listed=ListedOnce()), leave=leave, say=log.info)
    finally:
        await store.close()


def _failed(error: Exception) -> ExitCode:
    code = ExitCode.DENIED if isinstance(error, GoogleAuthError) else exit_code(error)
    log.error("worker failed", error=str(error), kind=type(error).__name__, code=int(code))
    return code


if __name__ == "__main__":
    sys.exit(main())
