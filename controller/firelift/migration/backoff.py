"""How long a lane waits after an answer that does not count, and when it gives up."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from firelift.migration.errors import Pressure, RetriesExhausted, StoreError

FIRST_SECONDS, LONGEST_SECONDS = 0.5, 30.0

QUOTA_FIRST_SECONDS, QUOTA_LONGEST_SECONDS = 2.0, 60.0
"""After RESOURCE_EXHAUSTED: quotas are counted by the minute. Source: nodejs-firestore waits 60 s at once."""

PRESSURE_SECONDS = 600.0
"""For so long a lane goes on although each answer asks it to slow down."""

_DOUBLINGS = 16


@dataclass(slots=True)
class Backoff:
    """Counts what came to nothing since the last answer that counted. `title` names the lane for people."""

    title: str
    max_retries: int
    _failures: int = field(default=0, init=False)
    _slowed: int = field(default=0, init=False)
    _since: float = field(default=0.0, init=False)

    def succeeded(self) -> None:
        """An answer counted."""
        self._failures = self._slowed = 0

    def failed(self, error: StoreError) -> float:
        """Nobody knows what became of a call; how many seconds to wait.

        Raises:
            RetriesExhausted: when that has happened too often in a row.
        """
        self._failures += 1
        if self._failures > self.max_retries:
            raise RetriesExhausted(
                f"{self.title} got no answer that counts {self._failures} times in a row, and pace.maxRetries allows "
                f"{self.max_retries}; the last one was {error}. The Job tries again"
            ) from error
        return _wait(FIRST_SECONDS, LONGEST_SECONDS, self._failures)

    def slowed(self, error: Pressure, now: float, rate: float) -> float:
        """The database asked for less than the `rate` of this process; how many seconds to wait.

        That is no failure, so that `maxRetries` does not count it: it is bounded by time.

        Raises:
            RetriesExhausted: when it has asked for nothing else for too long.
        """
        self._since = self._since if self._slowed else now
        self._slowed += 1
        if now - self._since > PRESSURE_SECONDS:
            raise RetriesExhausted(
                f"{self.title} has been asked to slow down for {now - self._since:.0f} s, {self._slowed} times in a "
                f"row, and {PRESSURE_SECONDS:.0f} s are allowed; its process was down to {rate:,.1f} writes/s, and the "
                f"last answer was {error}. The Job tries again; a quota that is used up, or a document that others "
                "write all the time, needs a person"
            ) from error
        quota = error.code == "RESOURCE_EXHAUSTED"
        first, most = (QUOTA_FIRST_SECONDS, QUOTA_LONGEST_SECONDS) if quota else (FIRST_SECONDS, LONGEST_SECONDS)
        return _wait(first, most, self._slowed)


def longest(times: int) -> float:
    """Seconds that a lane waits at most after so many answers in a row that asked it to slow down."""
    return _doubled(QUOTA_FIRST_SECONDS, QUOTA_LONGEST_SECONDS, times)


def jittered(seconds: float) -> float:
    """Somewhere in the second half of a wait, so that those who wait together do not come back together."""
    return random.uniform(seconds / 2, seconds)  # noqa: S311 - spreads retries, guards nothing


def _wait(first: float, most: float, times: int) -> float:
    return jittered(_doubled(first, most, times))


def _doubled(first: float, most: float, times: int) -> float:
    return min(most, first * 2.0 ** min(times - 1, _DOUBLINGS))
