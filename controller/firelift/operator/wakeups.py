"""One task per object. Whatever happens to an object only marks it dirty; its task looks for itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from firelift.operator.pulse import Pulse

AT_ONCE = 32
"""Turns of one kind at once. A new leader has to look at a thousand objects: were all of their turns under way, each
call would wait for a thousand others, all of them would pass their deadlines, and begin anew."""

SLOW_SECONDS = 2.0
SLOW_AT_ONCE = 16
"""Objects whose last turn took that long have places of their own: a database that does not answer holds up its own."""

_GRACE_SECONDS = 30.0


class Key(NamedTuple):
    """An object's place."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


Turn = Callable[[Key], Awaitable[float | None]]
"""One turn for one object: it answers in how many seconds the next one is due, None when the object is gone."""


class Loops:
    """The tasks of all objects. `turn` never raises for what one object does; an error of `turn` ends the process."""

    def __init__(
        self,
        turn: Turn,
        pulse: Pulse,
        *,
        longest_turn_seconds: float,
        kind: str = "rollout",
        slow_seconds: float = SLOW_SECONDS,
    ) -> None:
        self._turn = turn
        self._slow_seconds = slow_seconds
        self._kind = kind
        self._pulse = pulse
        self._longest_turn = longest_turn_seconds
        self._dirty: dict[Key, asyncio.Event] = {}
        self._tasks: dict[Key, asyncio.Task[None]] = {}
        self._quick, self._slow = asyncio.Semaphore(AT_ONCE), asyncio.Semaphore(SLOW_AT_ONCE)
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def poke(self, key: Key) -> None:
        """Something may have happened to the object: look soon. Call it in the loops' own event loop."""
        if key not in self._tasks:
            self._dirty[key] = asyncio.Event()
            task = asyncio.create_task(self._run(key), name=self._name(key))
            self._tasks[key] = task
            task.add_done_callback(self._done)
        self._dirty[key].set()

    async def stop(self) -> None:
        """End all tasks; a turn under way is broken off, which costs nothing but its repetition."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, key: Key) -> None:
        dirty, place = self._dirty[key], self._quick
        try:
            while True:
                # Who waits for a place has promised nothing: those who have one have.
                self._pulse.end(self._name(key))
                async with place:
                    dirty.clear()
                    self._pulse.expect(self._name(key), within_seconds=self._longest_turn + _GRACE_SECONDS)
                    begun = time.monotonic()
                    wait = await self._turn(key)
                place = self._slow if time.monotonic() - begun > self._slow_seconds else self._quick
                if wait is not None:
                    self._pulse.expect(self._name(key), within_seconds=wait + _GRACE_SECONDS)
                    await _set_within(dirty, wait)
                elif not dirty.is_set():
                    return
        finally:
            self._pulse.end(self._name(key))
            del self._tasks[key], self._dirty[key]

    def _name(self, key: Key) -> str:
        return f"{self._kind} {key}"

    def _done(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) and not self.failed.done():
            self.failed.set_exception(error)


async def _set_within(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(max(seconds, 0)):
            await event.wait()
    except TimeoutError:
        return
