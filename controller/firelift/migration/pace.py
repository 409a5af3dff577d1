"""How fast one process may write, all its lanes together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from firelift.api.rollout import PaceSpec
from firelift.migration.backoff import longest
from firelift.migration.clock import Clock, Pause

LONGEST_COMMIT_SECONDS = 5.0
"""A commit is no larger than what may be written in this time, so that a low rate is kept over short times too."""

LOWEST_FACTOR = 1 / 64
"""Of its allowance a process keeps at least this, however often it is asked to slow down."""

PAGE_SECONDS = 2.0
"""How long a lane writes at the documents that it reads at once, unless a single commit takes longer. The next ones are
read meanwhile only where it does not, and so are here for twice that time at most."""

SLICE_SECONDS = 0.1
"""Between two looks at an allowance that may have changed."""

RECOVERY_SECONDS = 60.0
"""The longest time in which a process is back at its whole allowance, for leases that are longer."""

_DUST = 1e-6


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a process may spend now: writes per second, none while it has no share.

    `processes` may work on the run at once. Within `lease_seconds` the operator has seen what this process has met.
    """

    rate: float
    processes: int
    lease_seconds: float


class Pacer:
    """A budget of writes that is paid for afterwards: a commit waits until those before it are paid.

    It holds no savings, so that an idle process does not burst, and begins in debt for one commit, so that a restarted
    one does not either. Pressure halves what it spends at once; that wears off while the operator, who sees it too,
    cuts the budget of all.
    """

    def __init__(self, pace: PaceSpec, allowance: Callable[[], Allowance], clock: Clock, lanes: int = 1) -> None:
        """`lanes` of the process share what it may spend."""
        self._pace = pace
        self.lanes = lanes
        self._allowance = allowance
        self._clock = clock
        self._debt: float | None = None
        self._paid = clock.seconds()
        self._rested = self._paid
        self._line = asyncio.Lock()
        self._factor = 1.0
        self._cut = float("-inf")
        self._pressed: float | None = None
        self._answers = 0
        self._answered = self._paid
        self.slowed = asyncio.Event()
        """Set with each answer that asks to slow down; whoever waits for it clears it."""

    @property
    def pressed_seconds(self) -> float:
        """For how long this process has only been asked to slow down, and nothing has landed; 0 while something does.

        Time in which it was not asked, longer than its lanes wait for having been asked, belongs to something else.
        """
        return 0.0 if self._pressed is None else self._clock.seconds() - self._pressed

    @property
    def rate(self) -> float:
        """Writes per second that this process spends now."""
        allowance = self._allowance()
        return allowance.rate * self._left(allowance)

    @property
    def batch(self) -> int:
        """How many documents the next commit may change."""
        return max(1, min(self._pace.batch_size, int(self.rate * LONGEST_COMMIT_SECONDS) - 1))

    @property
    def page(self) -> int:
        """How many documents a lane reads at once: a commit's, or as many as it may write in `PAGE_SECONDS`."""
        return max(self.batch, int(self._lane_rate * PAGE_SECONDS))

    def soon(self, documents: int) -> bool:
        """Whether a lane may write so many within `PAGE_SECONDS`."""
        return documents <= self._lane_rate * PAGE_SECONDS

    @property
    def _lane_rate(self) -> float:
        allowance, pause = self._allowance(), self._pace.pause_between_batches_seconds
        paused = self._pace.batch_size / pause / allowance.processes if pause else float("inf")
        return min(self.rate, paused) / self.lanes

    async def turn(self, pause: Pause) -> int:
        """Wait in line until all that went before is paid; how many writes are reserved.

        What is then spent is told with `spend`, less what was reserved.
        """
        async with self._line:
            while (wait := self._wait()) > 0:
                await pause(min(wait, SLICE_SECONDS))
            reserved = self.batch + 1
            self.spend(reserved)
            return reserved

    def spend(self, writes: int) -> None:
        """Owe so many writes more, or less: what was reserved and not written."""
        self._pay()
        self._debt = max(0.0, (self._debt or 0.0) + writes)

    def rest(self) -> None:
        """A batch is done: the next one begins after the pause, which all processes of the run take in turn."""
        pause = self._pace.pause_between_batches_seconds * self._allowance().processes
        self._rested = self._clock.seconds() + pause
        self._pressed, self._answers = None, 0

    def pressed(self, began: float) -> None:
        """A call that began at this time was asked to slow down; those under way together count as one."""
        self._answer(self._clock.seconds())
        self.slowed.set()
        if began >= self._cut:
            self._factor = max(LOWEST_FACTOR, self._left(self._allowance()) / 2)
            self._cut = self._clock.seconds()

    def _answer(self, now: float) -> None:
        # A lane waits for having been asked, and then in line behind the commits of the others.
        waited = longest(self._answers) + self.lanes * LONGEST_COMMIT_SECONDS
        if self._pressed is None or now - self._answered > waited:
            self._pressed = now
        self._answers, self._answered = self._answers + 1, now

    def _left(self, allowance: Allowance) -> float:
        since, recovery = self._clock.seconds() - self._cut, min(allowance.lease_seconds, RECOVERY_SECONDS)
        recovered = min(1.0, since / recovery) if recovery else 1.0
        return self._factor + (1.0 - self._factor) * recovered

    def _wait(self) -> float:
        rate = self._pay()
        if not rate:
            return SLICE_SECONDS
        if self._debt is None:
            self._debt = self.batch + 1.0
        wait = max(self._debt / rate, self._rested - self._clock.seconds())
        return wait if wait > _DUST else 0.0

    def _pay(self) -> float:
        now, rate = self._clock.seconds(), self.rate
        if self._debt is not None:
            self._debt = max(0.0, self._debt - rate * (now - self._paid))
        self._paid = now
        return rate
