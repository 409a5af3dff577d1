"""How often those have a turn that are at work: each second, and together no more often than the operator bears."""

from __future__ import annotations

from firelift.operator.wakeups import Key

TURNS_A_SECOND = 25
"""Of all objects at work together. A turn costs the operator about 10 ms of a processor, and the API server as much."""


class Crowd:
    """The objects whose workers run. What happens to one of them wakes it at once; this is for what only time tells."""

    def __init__(self, least_seconds: float, most_seconds: float) -> None:
        self._least = least_seconds
        self._most = most_seconds
        self._working: set[Key] = set()

    def note(self, key: Key, *, working: bool) -> None:
        """Whether this object is at work."""
        if working:
            self._working.add(key)
        else:
            self._working.discard(key)

    @property
    def seconds(self) -> float:
        """How long each of them waits for its next turn."""
        return max(self._least, min(self._most, len(self._working) / TURNS_A_SECOND))
