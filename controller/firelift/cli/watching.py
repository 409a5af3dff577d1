"""Following an object to its end: what is a change worth a line, and when it is over."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from firelift.api.conditions import ConditionType
from firelift.cli.exits import Exit, Problem
from firelift.cli.views import AnyView, RolloutView
from firelift.kube.errors import Unreachable

POLL_SECONDS = 2.0
PROGRESS_SECONDS = 10.0
"""How often progress alone is worth a line."""
_BLIND_SECONDS = 60.0
"""How long the API server may be away before the watch gives up."""


def line(view: AnyView) -> str:
    """The object in one line, without the time."""
    status = view.status
    if isinstance(view, RolloutView):
        place = "/".join(filter(None, (view.status.phase, view.status.step)))
        parts = [place, view.status.progress, view.status.gates_summary]
    else:
        drift = f"drift {view.status.drift_summary}" if view.status.drift_summary else ""
        parts = [view.status.plan_summary, view.status.indexes_summary, view.status.ttls_summary, drift]
    return "  ".join(filter(None, [*parts, status.reason, status.message])) or "not looked at yet"


def over(view: AnyView) -> Exit | None:
    """The exit code of one that has ended; None while it has not, or has not seen the spec as it is now."""
    if not view.current:
        return None
    if view.is_true(ConditionType.READY):
        return Exit.OK
    return Exit.FAILED if view.is_true(ConditionType.STALLED) else None


@dataclass
class Lines:
    """Which looks are worth a line: changes of anything but progress at once, progress now and then."""

    _told: str = ""
    _progress: str = ""
    _time: float = float("-inf")

    def worth(self, view: AnyView, seconds: float) -> bool:
        """Whether this look, `seconds` into the watch, says something new."""
        whole = line(view)
        progress = view.status.progress if isinstance(view, RolloutView) else ""
        rest = whole.replace(progress, "") if progress else whole
        new = rest != self._told or (whole != self._progress and seconds - self._time >= PROGRESS_SECONDS)
        if new:
            self._told, self._progress, self._time = rest, whole, seconds
        return new


async def follow(
    read: Callable[[], Awaitable[AnyView]], show: Callable[[AnyView], None], limit: timedelta | None
) -> Exit:
    """Look again and again until it is over, and show each look.

    Raises:
        Problem: it was not over in time.
        KubeError: it is gone, or the API server has been away for too long.
    """
    begun = seen = time.monotonic()
    view: AnyView | None = None
    while True:
        try:
            view = await read()
        except Unreachable:
            if time.monotonic() - seen > _BLIND_SECONDS:
                raise
        else:
            seen = time.monotonic()
            show(view)
            if (code := over(view)) is not None:
                return code
        if limit is not None and time.monotonic() - begun > limit.total_seconds():
            raise Problem(f"not over within {limit.total_seconds():,.0f}s: {_last(view)}", Exit.TIMEOUT)
        await asyncio.sleep(POLL_SECONDS)


def stamped(view: AnyView) -> str:
    """The line with the time of the look."""
    return f"{datetime.now(UTC):%H:%M:%S}  {line(view)}"


def _last(view: AnyView | None) -> str:
    return line(view) if view is not None else "the cluster has not answered"
