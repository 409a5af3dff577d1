"""Waiting for a fact, with a deadline."""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(fact: Callable[[], T | None], *, seconds: float = 60.0) -> T:
    """Return the first true value of `fact`; fail with its last value when it stays false for `seconds`."""
    deadline = time.monotonic() + seconds
    while not (value := fact()):
        assert time.monotonic() < deadline, f"still {value!r} after {seconds:g} s"
        time.sleep(0.1)
    return value


async def until(fact: Callable[[], bool]) -> None:
    """Wait for a fact of this event loop; fail when it stays false for 5 s."""
    async with asyncio.timeout(5):
        while not fact():  # noqa: ASYNC110 - the facts are of the code under test
            await asyncio.sleep(0)
