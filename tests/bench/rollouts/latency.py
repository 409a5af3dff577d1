"""From a change of the spec to the status that has seen it."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence

from tests.bench.rollouts.api import place
from tests.bench.rollouts.house import House
from tests.bench.rollouts.population import Member, Role

PROBES = 4
"""Who change something at the same time."""

PAUSE_SECONDS = 0.25


async def latencies(house: House, people: Sequence[Member], samples: int, seed: int = 1000) -> dict[Role, list[float]]:
    """Seconds from sending a change of `spec.suspend` until the watch shows it observed, by what the rollout does.

    Each of the rollouts that a fixed chance picks is suspended and let go again, or the other way round, so that it is
    as it was.

    Raises:
        RuntimeError: a change was not observed within 30 s.
    """
    chosen = iter(random.Random(seed).sample(list(people), min(len(people), (samples + 1) // 2)))  # noqa: S311 - a fair choice, no secret
    found: dict[Role, list[float]] = {}

    async def probe() -> None:
        for one in chosen:
            asleep = one.role is Role.SUSPENDED
            for suspend in (not asleep, asleep):
                found.setdefault(one.role, []).append(await _observed(house, one, suspend=suspend))
                await asyncio.sleep(PAUSE_SECONDS)

    await asyncio.gather(*(probe() for _ in range(PROBES)))
    return found


async def _observed(house: House, one: Member, *, suspend: bool) -> float:
    begun = time.monotonic()
    changed = await house.api.merge(place(one.key), {"spec": {"suspend": suspend}})
    return await house.api.until(one.key, changed["metadata"]["generation"]) - begun


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest of the values that so many percent of them do not pass."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100).__int__() - 1)]
