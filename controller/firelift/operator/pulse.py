"""Which loops are alive: each says until when it will be heard of again, and a broken promise is what health reports.

One stamp for the whole process would be kept fresh by its healthiest loop; here each object's loop has its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable


class Pulse:
    """Promises by name. Safe to read from another thread: every change is one assignment."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._promises: dict[str, float] = {}

    def expect(self, name: str, *, within_seconds: float) -> None:
        """This loop will be heard of again within that time."""
        self._promises[name] = self._clock() + within_seconds

    def end(self, name: str) -> None:
        """This loop has ended as it should."""
        self._promises.pop(name, None)

    def overdue(self) -> dict[str, float]:
        """The loops that broke their promise, with the seconds since then."""
        now = self._clock()
        return {name: now - promised for name, promised in list(self._promises.items()) if promised < now}
