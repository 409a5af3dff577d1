"""A difference counts only when it persists: a live write may lie between two reads."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from firelift.migration.work import Change

T = TypeVar("T")

Judge = Callable[[Sequence[T]], Awaitable[list[Change]]]


async def persisting(
    found: list[Change], subjects: Sequence[T], judge: Judge[T], rest: Callable[[], Awaitable[object]]
) -> list[Change]:
    """The findings, those that are mismatches replaced by what `judge` says of their subjects after a rest."""
    doubtful = [position for position, change in enumerate(found) if change.tally.mismatches]
    if not doubtful:
        return found
    await rest()
    settled = list(found)
    for position, change in zip(doubtful, await judge([subjects[position] for position in doubtful]), strict=True):
        settled[position] = change
    return settled
