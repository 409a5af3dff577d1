"""One task per object. Whatever happens to an object only marks it dirty; its task looks for itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from firelift.operator.pulse import Pulse

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

    def __init__(self, turn: Turn, pulse: Pulse, *, longest_turn_seconds: float, kind: str = "rollout") -> None:
        self._turn = turn
        self._kind = kind
        self._pulse = pulse
        self._longest_turn = longest_turn_seconds
        self._dirty: dict[Key, asyncio.Event] = {}
        self._tasks: dict[Key, asyncio.Task[None]] = {}
        self._door = asyncio.Lock()
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
        dirty = self._dirty[key]
        try:
            while True:
                await self._enter()
                dirty.clear()
                self._pulse.expect(self._name(key), within_seconds=self._longest_turn + _GRACE_SECONDS)
                wait = await self._turn(key)
                if wait is not None:
                    self._pulse.expect(self._name(key), within_seconds=wait + _GRACE_SECONDS)
                    await _set_within(dirty, wait)
                elif not dirty.is_set():
                    return
        finally:
            self._pulse.end(self._name(key))
            del self._tasks[key], self._dirty[key]

    async def _enter(self) -> None:
        """Let one turn begin in each round of the event loop.

        An operator that starts, or that comes back to the API server, has to look at a thousand objects at once. Were
        all of their turns to begin in one round, it would last for seconds, and the Lease would not be renewed in it.
        """
        async with self._door:
            await asyncio.sleep(0)

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
