"""What the turns of every kind share: a deadline, the count of outcomes, the back-off, who hears what went wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from firelift.kube.errors import Changed, KubeError, Unreachable
from firelift.kube.lease import LeadershipLost
from firelift.migration.errors import LostRace, MigrationError
from firelift.operator.memory import TurnMemory
from firelift.operator.services import Services

Attempt = Callable[[], Awaitable[float | None]]
"""One whole turn: it answers in how many seconds the next one is due, None when the object is gone."""

_PATIENCE = 3
"""Turns in a row that an API server may answer by a time to wait, before the status says so all the same."""

Trouble = Callable[[str], Awaitable[None]]
"""Puts a sentence into the object's status."""


async def guarded(
    services: Services,
    memory: TurnMemory,
    log: structlog.stdlib.BoundLogger,
    attempt: Attempt,
    trouble: Trouble,
    *,
    kind: str = "rollout",
) -> float | None:
    """One turn that never raises for what one object of this kind does; it answers as `attempt` does.

    Raises:
        LeadershipLost: this process may change nothing any more.
    """
    metrics, settings = services.metrics, services.settings
    try:
        with metrics.turn_seconds.labels(kind).time():
            async with asyncio.timeout(settings.turn_timeout_seconds):
                due = await attempt()
    except LeadershipLost:
        raise
    except (Changed, LostRace) as error:
        metrics.turns.labels(kind, "again").inc()
        log.debug("turn begins anew", error=str(error))
        return memory.again(settings.longest_backoff_seconds)
    except Exception as error:
        metrics.turns.labels(kind, "failed").inc()
        expected = isinstance(error, KubeError | MigrationError | TimeoutError)
        log.warning("turn failed", error=_sentence(error), exc_info=not expected)
        asked_to_wait = error.retry_seconds if isinstance(error, Unreachable) else 0.0
        # Nobody should have to read a log, if the API server can be reached at all, and has not asked for silence.
        if not asked_to_wait or memory.failures >= _PATIENCE:
            with suppress(KubeError, TimeoutError):
                async with asyncio.timeout(settings.turn_timeout_seconds):
                    await trouble(_sentence(error))
        backoff = memory.failed(_sentence(error), settings.longest_backoff_seconds)
        return max(backoff, min(asked_to_wait, settings.longest_backoff_seconds))
    metrics.turns.labels(kind, "done").inc()
    return due


def _sentence(error: Exception) -> str:
    return str(error) or f"no end in time ({type(error).__name__})"
