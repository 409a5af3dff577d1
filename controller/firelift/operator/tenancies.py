"""What each namespace may touch, read seldom: a thousand rollouts of one namespace cost one read in a while."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from firelift.api.tenancy import Tenancy


@dataclass(slots=True)
class _Known:
    """An answer, and when it was asked for."""

    tenancy: Tenancy | None = None
    asked: float = float("-inf")
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Who comes while somebody asks waits for that answer."""


class Tenancies:
    """By namespace. Use it in one event loop. What it says is at most `oldest_seconds` old."""

    def __init__(
        self,
        read: Callable[[str], Awaitable[Tenancy]],
        oldest_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._oldest = oldest_seconds
        self._clock = clock
        self._known: dict[str, _Known] = {}

    async def of(self, namespace: str) -> Tenancy:
        """What it may touch.

        Raises:
            KubeError: it could not be read.
        """
        known = self._known.setdefault(namespace, _Known())
        async with known.asking:
            now = self._clock()
            if known.tenancy is None or now - known.asked > self._oldest:
                known.tenancy, known.asked = await self._read(namespace), now
            return known.tenancy
