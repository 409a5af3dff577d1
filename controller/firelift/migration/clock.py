"""Time as the data plane uses it: spans of it, never a date that decides anything."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Protocol, TypeAlias

Pause: TypeAlias = Callable[[float], Awaitable[object]]
"""Waits for so many seconds, and raises where whoever waits has to leave."""


class Clock(Protocol):
    """Spans, waiting, and a date for people to read."""

    def seconds(self) -> float:
        """Seconds since some moment. A suspension of the machine counts."""

    def date(self) -> datetime:
        """This machine's idea of now, for people to read."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


_SINCE_BOOT = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Elsewhere than on Linux the monotonic clock is the best there is."""


class SystemClock:
    """The machine's own."""

    def seconds(self) -> float:
        """Seconds since boot; on Linux, unlike those of `time.monotonic`, they go on while the machine is suspended."""
        return time.clock_gettime(_SINCE_BOOT)

    def date(self) -> datetime:
        """Now, in UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)
