"""A thousand rollouts in one operator, a hundred of them at work."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tests.bench.figures import Figure, at_most
from tests.bench.rollouts.house import House, house
from tests.bench.rollouts.latency import latencies, percentile
from tests.bench.rollouts.population import Member, members
from tests.bench.rollouts.settling import settle_in, until_looked_at, until_settled

FINISHED, WAITING, ACTIVE = 800, 100, 100
SAMPLES = 300
STEADY_SECONDS = 45.0
STATUS_SECONDS = 1.0
MEMORY_MIB = 400
PREFIX = f"rollouts-{FINISHED + WAITING + ACTIVE}"
FIGURES = tuple(
    f"{PREFIX}-{name}"
    for name in (
        *("status-p50", "status-p95", "status-p99", "memory", "cpu"),
        *("api-reads", "api-writes", "takeover", "metrics", "page"),
    )
)
_CALLS = "firelift_kubernetes_request_seconds_count"
_TAKEOVER_SECONDS = 120.0
_LOOK_SECONDS = 15.0
"""Between two scrapes, of which the chart's ServiceMonitor asks one each 30 s."""


@dataclass(frozen=True, slots=True)
class Day:
    """What everyday costs: a share of one processor, and calls of the API server for each rollout and minute."""

    cpu: float
    reads: float
    writes: float


async def a_thousand_rollouts(_: str) -> list[Figure]:
    """Latency from spec to status, memory, CPU, API calls, and how quick metrics and page are meanwhile."""
    people = list(members(FINISHED, WAITING, ACTIVE))
    async with house() as there:
        await settle_in(there, people)
        takeover = await _taken_over(there, people)
        await until_settled(there, people)
        day = await _everyday(there, len(people))
        scrapes, pages, looking = [], [], True

        async def look() -> None:
            while looking:
                scrapes.append(await there.metrics_seconds())
                pages.append(await there.page_seconds())
                await asyncio.sleep(_LOOK_SECONDS)

        looks = asyncio.create_task(look())
        found = await latencies(there, people, SAMPLES)
        looking = False
        await looks
        peak = there.cost.peak_mib
    seconds = [each for values in found.values() for each in values]
    return [
        *(Figure(f"{PREFIX}-status-p{percent}", [percentile(seconds, percent)], "s") for percent in (50, 95)),
        at_most(f"{PREFIX}-status-p99", [percentile(seconds, 99)], "s", STATUS_SECONDS, 3 * STATUS_SECONDS),
        at_most(f"{PREFIX}-memory", [peak], "MiB", MEMORY_MIB, MEMORY_MIB),
        Figure(f"{PREFIX}-cpu", [day.cpu], "processors"),
        Figure(f"{PREFIX}-api-reads", [day.reads], "calls/rollout-minute"),
        Figure(f"{PREFIX}-api-writes", [day.writes], "calls/rollout-minute"),
        Figure(f"{PREFIX}-takeover", [takeover], "s"),
        Figure(f"{PREFIX}-metrics", scrapes, "s"),
        Figure(f"{PREFIX}-page", pages, "s"),
    ]


async def _taken_over(there: House, people: Sequence[Member]) -> float:
    """Seconds from the start of a process until it has looked at every rollout.

    Raises:
        RuntimeError: it has not in time.
    """
    begun = time.monotonic()
    operator = there.start_operator()
    await until_looked_at(there, operator, len(people), _TAKEOVER_SECONDS)
    return time.monotonic() - begun


async def _everyday(there: House, rollouts: int) -> Day:
    """Nobody changes anything; watches are not among the calls."""
    before, first = there.cost, await there.metrics()
    await asyncio.sleep(STEADY_SECONDS)
    after, last = there.cost, await there.metrics()
    minutes = (after.time - before.time) / 60

    def calls(**labels: str) -> float:
        return (last.total(_CALLS, **labels) - first.total(_CALLS, **labels)) / minutes / rollouts

    reads = calls(method="GET")
    cpu = (after.cpu_seconds - before.cpu_seconds) / (after.time - before.time)
    return Day(cpu, reads, calls() - reads)
