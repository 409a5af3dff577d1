"""How far a step is and how fast, as numbers and as people read them."""

from __future__ import annotations

from dataclasses import dataclass

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


@dataclass(frozen=True, slots=True)
class Progress:
    """Documents behind the cursors, documents in the sources (0: unknown), and documents per second."""

    scanned: int
    estimate: int
    rate: float

    @property
    def share(self) -> float | None:
        """Of the work that is done, from 0 to 1; None while it is not known."""
        return min(1.0, self.scanned / self.estimate) if self.estimate else None

    def text(self) -> str:
        """Such as ``41% 1.2M/3.0M 1,125/s ETA 25m``; empty when nothing has been read."""
        if not self.scanned:
            return ""
        rate = [f"{self.rate:,.0f}/s"] if self.rate else []
        if not self.estimate:
            return " ".join([short(self.scanned), *rate])
        percent = min(100, 100 * self.scanned // self.estimate)
        return " ".join([f"{percent}%", f"{short(self.scanned)}/{short(self.estimate)}", *rate, *self._eta()])

    def _eta(self) -> list[str]:
        left = self.estimate - self.scanned
        return [f"ETA {duration(left / self.rate)}"] if left > 0 and self.rate else []


def short(number: float) -> str:
    """A count in two significant parts: ``950``, ``1.2k``, ``3.0M``."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.1f}{letter}"
    return f"{number:.0f}"


def duration(seconds: float) -> str:
    """A duration in its largest unit: ``45s``, ``25m``, ``3h``, ``2d``."""
    if seconds < _MINUTE:
        return f"{max(1.0, seconds):.0f}s"
    if seconds < _HOUR:
        return f"{seconds / _MINUTE:.0f}m"
    if seconds < _DAY:
        return f"{seconds / _HOUR:.0f}h"
    return f"{seconds / _DAY:.0f}d"
