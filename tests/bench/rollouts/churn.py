"""Rollouts that come, change and go: what an hour of a busy platform leaves behind in the operator's memory."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice

from tests.bench.figures import Figure, at_most
from tests.bench.rollouts.api import place
from tests.bench.rollouts.house import Cost, House, house
from tests.bench.rollouts.population import DATABASES, Member, Role
from tests.bench.rollouts.settling import each, until_gone, until_settled

from firelift.operator.databases import STREAMS

WAVES = 8
WARM = 2
"""Waves in which the operator may still grow: its libraries fill their caches at first use."""

SIZE = 30
EDITS = 2
FIGURES = tuple(f"churn-{what}-growth" for what in ("memory", "tasks", "files", "threads"))
MOST_THREADS = DATABASES * STREAMS
"""A database's threads are started one by one, as reads of it meet for the first time, and kept."""

_LEADING_SECONDS = 120.0
_QUIET_SECONDS = 6.0
"""Watching keeps a task for each object for five seconds behind its last event."""


@dataclass(frozen=True, slots=True)
class After:
    """The operator when a wave is gone: its cost, its asyncio tasks, and the rollouts that it still tells of."""

    cost: Cost
    tasks: float
    told: float


async def an_hour_of_churn(_: str) -> list[Figure]:
    """Wave after wave is created, edited and deleted, with nothing left in between: 240 lives and 480 edits.

    An hour in which every minute four rollouts come and go, and eight are edited. Growth is from behind the waves that
    warm the process up until the end.
    """
    async with house() as there:
        operator = there.start_operator()
        operator.wait_until(lambda: '"leading"' in operator.log.read_text(), seconds=_LEADING_SECONDS)
        people = _people()
        waves = [await _wave(there, list(islice(people, SIZE))) for _ in range(WAVES)]
    warm, last = waves[WARM - 1], waves[-1]
    if left := last.told:
        raise RuntimeError(f"nobody is there any more, and the metrics tell of {left:.0f} rollouts")
    memory = last.cost.resident_mib / warm.cost.resident_mib
    return [
        at_most("churn-memory-growth", [memory], "ratio", target=1.1, alarm=1.25),
        at_most("churn-tasks-growth", [last.tasks - warm.tasks], "tasks", target=0, alarm=10),
        at_most("churn-files-growth", [last.cost.files - warm.cost.files], "files", target=4, alarm=30),
        at_most("churn-threads-growth", [last.cost.threads - warm.cost.threads], "threads", MOST_THREADS, MOST_THREADS),
    ]


def _people() -> Iterator[Member]:
    roles = (Role.SOAKING, Role.APPROVING, Role.SUSPENDED)
    return (Member(roles[number % len(roles)], number) for number in count())


async def _wave(there: House, people: Sequence[Member]) -> After:
    api = there.api
    await each(people, lambda one: api.create(one.key, one.spec))
    await until_settled(there, people)
    for edit in range(EDITS):
        asleep = not edit % 2
        await each(people, lambda one, asleep=asleep: _edited(there, one, suspend=asleep))  # type: ignore[misc]
    await each(people, lambda one: api.call("DELETE", place(one.key)))
    await until_gone(there, people)
    await asyncio.sleep(_QUIET_SECONDS)
    told = await there.metrics()
    return After(there.cost, told.total("firelift_tasks"), told.total("firelift_rollouts"))


async def _edited(there: House, one: Member, *, suspend: bool) -> None:
    changed = await there.api.merge(place(one.key), {"spec": {"suspend": suspend}})
    await there.api.until(one.key, changed["metadata"]["generation"])
