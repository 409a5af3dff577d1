"""How fast one process may write, all its lanes together."""

from __future__ import annotations

from firelift.api.rollout import PaceSpec
from firelift.migration.clock import Clock


class Pacer:
    """A budget of writes per second that is paid for afterwards: a commit waits until those before it are paid.

    It holds no savings, so that an idle process does not burst.
    """

    def __init__(self, pace: PaceSpec, processes: int, clock: Clock) -> None:
        self._rate = pace.max_writes_per_second / processes
        self._pause = pace.pause_between_batches_seconds
        self._clock = clock
        self._free = 0.0

    @property
    def wait(self) -> float:
        """Seconds until the next commit may begin."""
        return max(0.0, self._free - self._clock.seconds())

    def spend(self, writes: int) -> None:
        """Pay for a commit."""
        self._free = max(self._clock.seconds(), self._free) + writes / self._rate + self._pause
