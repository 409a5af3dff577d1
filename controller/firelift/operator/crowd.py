"""How often those have their turn that are many: as often as one of them alone, and together no more than a rate."""

from __future__ import annotations

from firelift.operator.wakeups import Key


class Crowd:
    """The objects that something is done for again and again.

    Each is served every `least_seconds`, and all together `most_a_second` times; none waits longer than
    `most_seconds`, whatever that comes to for all of them.
    """

    def __init__(self, least_seconds: float, most_seconds: float, most_a_second: float) -> None:
        self._least = least_seconds
        self._most = most_seconds
        self._rate = most_a_second
        self._members: set[Key] = set()

    def note(self, key: Key, *, belongs: bool) -> None:
        """Whether this object is one of them."""
        if belongs:
            self._members.add(key)
        else:
            self._members.discard(key)

    @property
    def seconds(self) -> float:
        """How long each of them waits until it is served again."""
        return max(self._least, min(self._most, len(self._members) / self._rate))
