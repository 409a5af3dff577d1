"""What an aggregate does with the values of a group; none of them is absent or null."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

Operation = Callable[[Sequence[Any]], Any]


def _numbers(values: Sequence[Any]) -> Sequence[int | float]:
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise TypeError(f"a {type(value).__name__} is no number")
    return values


def _comparable(values: Sequence[Any]) -> Sequence[Any]:
    """All numbers, all texts or all times: anything else has no order that everybody would agree about."""
    kinds = {float if type(value) in {int, float} else type(value) for value in values}
    if len(kinds) > 1 or not kinds <= {float, str, datetime}:
        raise TypeError(f"there is no least and no greatest of {', '.join(sorted(kind.__name__ for kind in kinds))}")
    return values


def _sum(values: Sequence[Any]) -> int | float:
    numbers = _numbers(values)
    # Exact, whatever the order in which the documents were read.
    return sum(numbers) if all(isinstance(number, int) for number in numbers) else math.fsum(numbers)


def _average(values: Sequence[Any]) -> float | None:
    return math.fsum(_numbers(values)) / len(values) if values else None


def _count(values: Sequence[Any]) -> int:
    for value in values:
        if not isinstance(value, bool):
            raise TypeError(f"a count needs true or false, found a {type(value).__name__}")
    return sum(values)


OPERATIONS: Mapping[str, Operation] = {
    "count": _count,
    "sum": _sum,
    "min": lambda values: min(_comparable(values), default=None),
    "max": lambda values: max(_comparable(values), default=None),
    "avg": _average,
    "first": lambda values: values[0] if values else None,
    "last": lambda values: values[-1] if values else None,
}
