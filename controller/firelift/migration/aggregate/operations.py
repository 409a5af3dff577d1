"""What an aggregate does with the values of a group, one after the other, so that none of them has to be kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol


class Fold(Protocol):
    """One operation over the values of one group; none of them is absent or null."""

    def add(self, value: Any) -> None:
        """Take in the next value.

        Raises:
            TypeError: for a value that the operation has no meaning for.
            OverflowError: for a sum that no double can be.
        """

    def result(self) -> Any:
        """What all of them come to, None for no field.

        Raises:
            TypeError: where they have no meaning together.
            ValueError, OverflowError: where numbers have no sum.
        """


@dataclass(slots=True)
class Count:
    """How many of them are true."""

    count: int = 0

    def add(self, value: Any) -> None:
        """Take in true or false."""
        if not isinstance(value, bool):
            raise TypeError(f"a count needs true or false, found a {type(value).__name__}")
        self.count += value

    def result(self) -> int:
        """The number; of none 0."""
        return self.count


@dataclass(slots=True)
class Sum:
    """The exact sum, whatever the order in which the documents were read."""

    whole: int = 0
    parts: list[float] = field(default_factory=list)
    """Of the doubles: they do not overlap, and their sum is that of all doubles so far, without any rounding."""
    endless: set[str] = field(default_factory=set)
    count: int = 0

    def add(self, value: Any) -> None:
        """Take in a number."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise TypeError(f"a {type(value).__name__} is no number")
        self.count += 1
        if isinstance(value, int):
            self.whole += value
        elif math.isfinite(value):
            self._add(value)
        else:
            self.endless.add(repr(value))

    def _add(self, value: float) -> None:
        """Shewchuk's sum, as `math.fsum` keeps it."""
        parts = []
        for part in self.parts:
            large, small = (value, part) if abs(value) >= abs(part) else (part, value)
            value = large + small
            rest = small - (value - large)
            if rest:
                parts.append(rest)
        if not math.isfinite(value):
            raise OverflowError("the sum is larger than a double can be")
        self.parts = [*parts, value]

    def result(self) -> int | float:
        """The sum, of integers an integer; of none 0."""
        return self.total() if self.parts or self.endless else self.whole

    def total(self) -> float:
        """The sum as a double."""
        return math.fsum([*self.parts, *map(float, sorted(self.endless)), *_doubles(self.whole)])


def _doubles(whole: int) -> Iterator[float]:
    """Doubles that add up to an integer; one alone would be rounded beyond 2**53."""
    while whole:
        part = float(whole)
        yield part
        whole -= int(part)


class Average(Sum):
    """The sum through the number, always a double."""

    __slots__ = ()

    def result(self) -> float | None:  # type: ignore[override] # of nothing there is no average
        """The average, None of none."""
        return self.total() / self.count if self.count else None


@dataclass(slots=True)
class Best:
    """The one that is better than all before it: of numbers, of texts or of times.

    Anything else, and a mixture, has no order that everybody would agree about.
    """

    better: Callable[[Any, Any], bool]
    kinds: set[type] = field(default_factory=set)
    best: Any = None

    def add(self, value: Any) -> None:
        """Take in a number, a text or a time."""
        self.kinds.add(float if type(value) in {int, float} else type(value))
        if len(self.kinds) > 1 or not self.kinds <= {float, str, datetime}:
            names = ", ".join(sorted(kind.__name__ for kind in self.kinds))
            raise TypeError(f"there is no least and no greatest of {names}")
        if self.best is None or self.better(value, self.best):
            self.best = value

    def result(self) -> Any:
        """The best, None of none."""
        return self.best


OPERATIONS: Mapping[str, Callable[[], Fold]] = {
    "count": Count,
    "sum": Sum,
    "avg": Average,
    "min": lambda: Best(lambda value, best: value < best),
    "max": lambda: Best(lambda value, best: value > best),
}
"""But for `first` and `last`, which need the documents' order."""
