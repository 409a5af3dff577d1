"""Many things in portions that each fit where they go."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def portions(items: Iterable[T], size: Callable[[T], int], most: int) -> Iterator[list[T]]:
    """The items in order, as many together as have at most the size `most`; one that is larger is alone."""
    portion: list[T] = []
    filled = 0
    for item in items:
        more = size(item)
        if portion and filled + more > most:
            yield portion
            portion, filled = [], 0
        portion.append(item)
        filled += more
    if portion:
        yield portion
