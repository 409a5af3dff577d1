"""Reading the rollouts that one requires, and those that these wait for themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from firelift.kube import required_rollouts
from firelift.operator.services import Services
from firelift.rollout.ground import RolloutKey, RolloutSeen
from firelift.rollout.observation import Rollout

MOST_READ = 32
"""Rollouts that one turn looks at: chains of unfinished requirements are rare and short."""


async def read_rollouts(
    services: Services, rollout: Rollout, wanted: Sequence[RolloutKey]
) -> dict[RolloutKey, RolloutSeen]:
    """What `rollout` may see of them; behind an unfinished one those that it waits for, so that a circle shows."""
    seen: dict[RolloutKey, RolloutSeen] = {}
    ahead = list(wanted)
    while ahead := ahead[: MOST_READ - len(seen)]:
        reads = (required_rollouts.read(services.cluster, key, namespace=rollout.namespace) for key in ahead)
        found = dict(zip(ahead, await asyncio.gather(*reads), strict=True))
        seen |= found
        further = (key for each in found.values() if each.completed is None for key in each.requires)
        ahead = [key for key in dict.fromkeys(further) if key not in seen and key != rollout.key]
    return seen
