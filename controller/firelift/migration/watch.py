"""Whether a worker may write: what the operator asks for, and whether it is still there to ask.

The lease is judged by the server's clock: the control document's update time against the time at which it was read.
This machine's clock only measures how long ago that reading was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from firelift.api.rollout import PaceSpec
from firelift.api.run import RunState
from firelift.migration.clock import Clock
from firelift.migration.errors import Denied, LeaseLost, RunStopped, StoreError
from firelift.migration.ledger.runs import ControlSeen, RunStore
from firelift.migration.pace import Allowance

POLL_SECONDS = 0.3
"""Between two looks at the control: a Hold is seen within half a second."""

VIEW_SECONDS = 2.0
"""How old the last look may be when a commit begins."""

IDLE_SECONDS = 30.0
"""How long a worker on Hold or without a lease keeps its place before it leaves."""

Say = Callable[[str], None]


class Watch:
    """Gives and takes a worker's permission to write."""

    def __init__(self, runs: RunStore, run: str, clock: Clock, say: Say = lambda _: None) -> None:
        self._runs = runs
        self._run = run
        self._clock = clock
        self._say = say
        self._seen: ControlSeen | None = None
        self._asked = 0.0
        self._idle_since: float | None = None
        self._over: Exception | None = None
        self._changed = asyncio.Event()

    async def watch(self) -> None:
        """Look again and again, until the worker is told to leave. A database that is away only makes the view old."""
        try:
            while self._over is None:
                await self._look()
                self._judge()
                self._wake()
                await self._clock.sleep(POLL_SECONDS)
        except Exception as error:
            self._over = error
            self._wake()
            raise

    async def _look(self) -> None:
        asked = self._clock.seconds()
        try:
            self._seen = await self._runs.control(self._run)
        except Denied:
            raise
        except StoreError as error:
            self._say(f"the control of run {self._run} cannot be read, looking again: {error}")
        else:
            self._asked = asked

    async def permit(self) -> None:
        """Return when a commit may begin now.

        Raises:
            RunStopped: when the worker must leave; `LeaseLost` when it is because nobody leads.
            MigrationError: when the control cannot be read and never will.
        """
        while self._obstacle() or self._over:
            if self._over:
                raise self._over
            await self._changed.wait()

    async def pause(self, seconds: float) -> None:
        """Wait, but not when the worker must leave.

        Raises:
            RunStopped: as `permit`.
        """
        until = self._clock.seconds() + seconds
        while (left := until - self._clock.seconds()) > 0:
            await self._clock.sleep(min(left, POLL_SECONDS))
            if self._over:
                raise self._over

    def allowance(self, pace: PaceSpec, processes: int) -> Allowance:
        """What this process may spend: its part of the run's share, nothing when the share has run out.

        `pace` and `processes` count where the operator has said nothing of them.
        """
        if self._seen is None:
            return Allowance(0.0, processes, 0.0)
        control, age = self._seen.control, self._clock.seconds() - self._asked
        at_once = control.processes or processes
        share = control.writes_per_second
        if share is None:
            share = float(pace.max_writes_per_second)
        elif age >= self._seen.share_left:
            share = 0.0
        return Allowance(share / at_once, at_once, float(control.lease_seconds))

    def leave(self, why: str) -> None:
        """The worker is to leave after the commits in flight."""
        self._over = self._over or RunStopped(why)
        self._wake()

    def _judge(self) -> None:
        obstacle = self._obstacle()
        if not obstacle:
            if self._idle_since is not None:
                self._say(f"run {self._run} goes on")
            self._idle_since = None
            return
        if self._idle_since is None:
            self._idle_since = self._clock.seconds()
            self._say(obstacle)
        idle = self._clock.seconds() - self._idle_since
        if self._state is RunState.STOP:
            self._over = RunStopped(obstacle)
        elif idle >= IDLE_SECONDS:
            held = self._state is RunState.HOLD
            self._over = (RunStopped if held else LeaseLost)(f"{obstacle}; idle for {idle:.0f} s, leaving")

    @property
    def _state(self) -> RunState | None:
        return self._seen.control.state if self._seen else None

    def _obstacle(self) -> str:
        if self._seen is None:
            return f"the control of run {self._run} has not been read yet"
        state, age = self._seen.control.state, self._clock.seconds() - self._asked
        if state is not RunState.RUN:
            return f"run {self._run} is told to {state}"
        if age >= self._seen.lease_left:
            return (
                f"the lease of run {self._run} has run out: its operator wrote last {self._seen.age + age:.1f} s ago, "
                f"and {self._seen.control.lease_seconds} s are allowed"
            )
        if age >= VIEW_SECONDS:
            return f"the control of run {self._run} was read {age:.1f} s ago, and {VIEW_SECONDS:.0f} s are allowed"
        return ""

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
