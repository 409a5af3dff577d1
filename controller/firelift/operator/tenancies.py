"""What each namespace may touch, read seldom: a thousand rollouts of one namespace cost one read in a while."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from functools import partial

from firelift.api.tenancy import Tenancy
from firelift.operator.remembered import Remembered


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
        self._known: dict[str, Remembered[Tenancy]] = {}

    def __len__(self) -> int:
        """How many namespaces are known."""
        return len(self._known)

    async def of(self, namespace: str) -> Tenancy:
        """What it may touch.

        Raises:
            KubeError: it could not be read.
        """
        if namespace not in self._known:
            self._forget_old()
            self._known[namespace] = Remembered(partial(self._read, namespace), self._oldest, self._clock)
        return await self._known[namespace].value()

    def _forget_old(self) -> None:
        """What nobody would believe any more is kept for nobody: namespaces come and go."""
        for name in [name for name, each in self._known.items() if each.useless]:
            del self._known[name]
