"""How far a run is, read from the running totals of its lanes' newest entries."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field

from firelift.api.run import Totals
from firelift.migration.ledger import paths
from firelift.migration.ledger.entries import Entry
from firelift.migration.ledger.failures import Said, read_said
from firelift.migration.ledger.journal import Journal
from firelift.migration.ledger.lane_map import read_lane_map
from firelift.migration.ledger.runs import RunStore
from firelift.migration.store import Micros, Store
from firelift.migration.work import LaneMap

LATENCIES = 200
EXAMPLES = 10
NEWEST = 8
"""Entries of a lane that are read at a turn; older ones that nobody saw only miss in the latencies."""


@dataclass(frozen=True, slots=True)
class RunProgress:
    """What a run has done so far.

    `complete`: each lane is sealed as worked off. `estimate` is the number of records in the source when the lanes were
    made, `scanned` how many of them lie behind the cursors; both 0 before there is a lane map. `commit_latencies_ms`
    are recent ones in no order, `commit_times` when each of them was known; `entries` is the journal's length, `newest`
    when its last entry was committed; `said` is what its workers say who gave up or wait.
    """

    totals: Totals = field(default_factory=Totals)
    scanned: int = 0
    estimate: int = 0
    lanes: int = 0
    sealed: int = 0
    complete: bool = False
    commit_latencies_ms: tuple[int, ...] = ()
    commit_times: tuple[Micros, ...] = ()
    said: Said = field(default_factory=Said)
    examples: tuple[str, ...] = ()
    entries: int = 0
    newest: Micros = 0


class Progress:
    """The progress of one run, cheap to ask for again: what is known to be there is not read twice."""

    def __init__(self, store: Store, ledger: str, run: str) -> None:
        self._store = store
        self._ledger = ledger
        self._run = run
        self._journal = Journal(store, ledger)
        self._map: LaneMap | None = None
        self._shares = 0
        self._newest: dict[int, Entry] = {}
        self._latencies: deque[tuple[Micros, int]] = deque(maxlen=LATENCIES)
        self._examples: dict[str, None] = {}

    def reads(self, store: Store) -> bool:
        """Whether it reads from this very store; one that was long unused is closed, and the database opened anew."""
        return self._store is store

    async def update(self) -> RunProgress:
        """Read what is new.

        Raises:
            StoreError: when the database cannot be read; what was known before stays known.
        """
        self._map = self._map or await read_lane_map(self._store, self._ledger, self._run)
        if self._map is not None:
            await asyncio.gather(*[self._advance(lane) for lane in await self._moved(self._map)])
        return self._summary(self._map or LaneMap(closed=True), await self._said())

    async def _moved(self, lanes: LaneMap) -> list[int]:
        """The lanes that have a next entry, asked for all of them at once: at most looks most of them have none."""
        ahead = {lane.number: self._seen(lane.number) + 1 for lane in lanes.lanes if not self._is_sealed(lane.number)}
        return await self._journal.present(self._run, ahead)

    async def _advance(self, lane: int) -> None:
        seen = self._seen(lane)
        end = await self._journal.end(self._run, lane, at_least=seen + 1)
        for entry in await self._journal.walk(self._run, lane, after=max(seen, end - NEWEST), limit=NEWEST):
            self._newest[lane] = entry
            self._latencies.extend([(entry.commit_time, entry.latency_ms)] if entry.latency_ms else ())
            self._examples.update(dict.fromkeys(entry.examples[: EXAMPLES - len(self._examples)]))

    def _seen(self, lane: int) -> int:
        known = self._newest.get(lane)
        return known.seq if known is not None else 0

    def _is_sealed(self, lane: int) -> bool:
        known = self._newest.get(lane)
        return known is not None and known.sealed

    async def _said(self) -> Said:
        if not self._shares:
            run = (await RunStore(self._store, self._ledger).read([self._run]))[self._run]
            self._shares = run.plan.shares if run else 0
        names = [paths.failure(self._ledger, self._run, index) for index in range(self._shares)]
        return await read_said(self._store, names)

    def _summary(self, lanes: LaneMap, said: Said) -> RunProgress:
        newest = self._newest.values()
        complete = sum(entry.sealed and entry.complete for entry in newest)
        totals = Totals()
        for entry in newest:
            totals = totals.plus(entry.totals)
        return RunProgress(
            totals=totals,
            scanned=sum(entry.scanned for entry in newest),
            estimate=lanes.estimate,
            lanes=len(lanes.lanes),
            sealed=sum(entry.sealed for entry in newest),
            complete=not lanes.closed and complete == len(lanes.lanes),
            commit_latencies_ms=tuple(latency for _, latency in self._latencies),
            commit_times=tuple(time for time, _ in self._latencies),
            said=said,
            examples=tuple(self._examples),
            entries=sum(entry.seq for entry in newest),
            newest=max((entry.commit_time for entry in newest), default=0),
        )
