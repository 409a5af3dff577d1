"""How long to wait before the same thing is tried again."""

from __future__ import annotations

import random

FIRST_SECONDS = 0.25
LONGEST_SECONDS = 30.0


def pause_after(failures: int) -> float:
    """Seconds to wait after so many failures in a row, from 1: doubled each time, spread over its upper half."""
    return jittered(min(LONGEST_SECONDS, FIRST_SECONDS * 2**failures))


def jittered(seconds: float) -> float:
    """At most so many seconds, and at least half of them: who failed together does not come back together."""
    return random.uniform(seconds / 2, seconds)  # noqa: S311 - spreads retries, guards nothing
