"""What is read seldom and asked for often: one read at a time, whose end is the end for all who wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Remembered(Generic[Value]):
    """The last answer of `read`, believed for `oldest_seconds` from when it was asked for, and until it is `changed`.

    Use it in one event loop.
    """

    def __init__(self, read: Callable[[], Awaitable[Value]], oldest_seconds: float, clock: Callable[[], float]) -> None:
        self._read = read
        self._oldest = oldest_seconds
        self._clock = clock
        self._answer: list[Value] = []
        self._asked = float("-inf")
        self._behind = self._changes = 0
        self._reading: asyncio.Task[None] | None = None

    @property
    def useless(self) -> bool:
        """Whether it is too old for anybody, and nobody is reading it."""
        return self._reading is None and not self._serves(self._clock(), 0)

    def changed(self) -> None:
        """What is read has changed: an answer that was asked for before serves nobody who asks from now on."""
        self._changes += 1

    async def value(self) -> Value:
        """The answer, asked for at most `oldest_seconds` before this call, and behind the changes that it knew of.

        Who comes while it is read gets what becomes of that: were each to try for himself, one after the other, the
        last would have waited for as many deadlines as there are others.

        Raises:
            Exception: what the read raised that this call has waited for.
        """
        came, changes = self._clock(), self._changes
        while not self._serves(came, changes):
            if self._reading is None:
                self._reading = asyncio.create_task(self._renew())
            # Shielded: that one of those who wait is cancelled is nothing to the others.
            await asyncio.shield(self._reading)
        return self._answer[0]

    def _serves(self, came: float, changes: int) -> bool:
        return came - self._asked <= self._oldest and self._behind >= changes

    async def _renew(self) -> None:
        asked, behind = self._clock(), self._changes
        try:
            self._answer = [await self._read()]
            self._asked, self._behind = asked, behind
        finally:
            self._reading = None
