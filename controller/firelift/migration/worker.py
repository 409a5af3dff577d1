"""One worker of a run: its share of the lanes, several at once, under the operator's eye."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias, TypeVar

from firelift.api.migration import MigrationSpec
from firelift.api.run import WAY_BACK, RunKind, RunPlan
from firelift.migration.backoff import Backoff
from firelift.migration.bounded import Room
from firelift.migration.clock import Clock, SystemClock
from firelift.migration.entities.pace import EntityPace, entity_pace
from firelift.migration.errors import FencedError, Pressure, RunStopped, StoreError, UnknownOutcome
from firelift.migration.index_wait import IndexWait
from firelift.migration.lane import LaneWorker
from firelift.migration.ledger.failures import clear_failure, write_failure
from firelift.migration.ledger.journal import Journal
from firelift.migration.ledger.lanes import ensure_lanes, lanes_before, ordered
from firelift.migration.ledger.runs import RunStore
from firelift.migration.pace import Pacer
from firelift.migration.preflight.report import preflight, write_report
from firelift.migration.pressed_word import tell_when_pressed
from firelift.migration.readers import JournalReader
from firelift.migration.sentences import told
from firelift.migration.store import Store
from firelift.migration.tail import Tail
from firelift.migration.tempo import Tempo
from firelift.migration.watch import Watch
from firelift.migration.work import Lane, LaneMap, Processor, Reader

LANES_AT_ONCE = 4
TURN_SECONDS = 0.5
"""Between two looks at lanes that have to end before one of ours begins."""

T = TypeVar("T")

WAIT_SECONDS = 120.0
"""How long a worker whose lanes all wait for those of other indexes keeps its pod."""

Build: TypeAlias = Callable[[RunPlan, Store, JournalReader, Lane, Tempo], tuple[Reader, Processor]]
"""Makes the reader and the processor of a lane; `processors.build` is the one that workers use."""

Say: TypeAlias = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Share:
    """Which lanes of which run a worker works off: a `count`-th of them.

    They are those whose number is `index` modulo `count`. Where lanes wait for others, they are those that follow each
    other, so that an index waits only for lower ones: a Job begins with those.
    """

    ledger: str
    run: str
    index: int
    count: int

    @property
    def place(self) -> tuple[str, str, int]:
        """Whose failures these are: ledger, run and index."""
        return self.ledger, self.run, self.index

    def of(self, lanes: LaneMap, *, ordered: bool = False) -> list[Lane]:
        """The worker's lanes in order."""
        if not ordered:
            return [lane for lane in lanes.lanes if lane.number % self.count == self.index]
        start, end = (len(lanes.lanes) * each // self.count for each in (self.index, self.index + 1))
        return lanes.lanes[start:end]


async def work(
    store: Store,
    share: Share,
    build: Build,
    *,
    leave: asyncio.Event | None = None,
    clock: Clock | None = None,
    say: Say = lambda _: None,
) -> None:
    """Work off a share until its lanes are sealed as complete; `leave` set, finish the commits in flight and stop.

    Raises:
        RunStopped: when the operator, the lease or `leave` ended it early.
        MigrationError: when it cannot go on; the ledger says why, for the operator to show.
    """
    clock = clock or SystemClock()
    journal, runs = Journal(store, share.ledger), RunStore(store, share.ledger)
    watch = Watch(runs, share.run, clock, say)
    watching = [asyncio.create_task(watch.watch()), asyncio.create_task(_leaving(leave, watch))]
    try:
        await watch.permit()
        plan = await runs.plan(share.run)
        if plan.kind is RunKind.PLAN:
            await _plan(store, share, plan, watch, clock)
            return
        # A pause between batches is one between all batches: there is nothing that a second lane could do meanwhile.
        lanes = 1 if plan.pace.pause_between_batches_seconds else LANES_AT_ONCE
        pacer = Pacer(plan.pace, partial(watch.allowance, plan.pace, share.count), clock, lanes)
        telling = tell_when_pressed(store, share.place, pacer, watch, clock)
        watching.append(asyncio.create_task(telling))
        crew = Crew(plan, share, journal, build, watch, pacer, entity_pace(plan, clock), clock, say)
        await crew.work()
    except Exception as error:
        await _told(store, share, error, say)
        raise
    finally:
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)


async def _plan(store: Store, share: Share, plan: RunPlan, watch: Watch, clock: Clock) -> None:
    report = await preflight(store, plan, clock)
    await watch.permit()
    await write_report(store, share.ledger, share.run, report)


@dataclass(slots=True)
class Crew:
    """The lanes of one worker. The first one that fails makes the others leave after their commits in flight."""

    plan: RunPlan
    share: Share
    journal: Journal
    build: Build
    watch: Watch
    pacer: Pacer
    entities: EntityPace | None
    clock: Clock
    say: Say
    _sealed: set[int] = field(default_factory=set, init=False)
    _made: dict[str, MigrationSpec] = field(default_factory=dict, init=False)
    _room: Room = field(default_factory=Room, init=False)
    _at_work: int = field(default=0, init=False)
    _idle_since: float | None = field(default=None, init=False)

    async def work(self) -> None:
        """Work off all lanes of the share, the lowest numbers first."""
        await self._patiently(lambda: clear_failure(self.journal.store, *self.share.place))
        lanes = await self._patiently(
            lambda: self._index.through(lambda: ensure_lanes(self.journal, self.plan, self.watch.pause))
        )
        if lanes.closed:
            raise FencedError(f"run {self.plan.id} was closed by a successor before it began; nothing was written")
        waiting = iter(self.share.of(lanes, ordered=ordered(self.plan, lanes)))
        await _all([self._lane_after_lane(waiting, lanes) for _ in range(self.pacer.lanes)])

    async def _patiently(self, begin: Callable[[], Awaitable[T]]) -> T:
        """What comes before the lanes, and may be done again, bears as many bad moments as a lane does."""
        backoff = Backoff(f"run {self.plan.id}, before its lanes,", self.plan.pace.max_retries)
        while True:
            try:
                return await begin()
            except Pressure as error:
                seconds = backoff.slowed(error, self.clock.seconds(), self.pacer.rate)
            except UnknownOutcome as error:
                seconds = backoff.failed(error)
            await self.watch.permit()
            await self.watch.pause(seconds)

    async def _lane_after_lane(self, waiting: Any, lanes: LaneMap) -> None:
        for lane in waiting:
            try:
                await self._lane(lane, lanes)
            except BaseException as error:
                self.watch.leave(f"lane {lane.number} of run {self.plan.id} has ended the worker: {error}")
                raise

    async def _lane(self, lane: Lane, lanes: LaneMap) -> None:
        await self._wait_for(lanes_before(self.plan, lanes, lane))
        store, entities, plan = self.journal.store, self.entities, await self._as_made(lane)
        tempo = Tempo(self.watch.pause, entities, lambda: self.pacer.page)
        reader, processor = self.build(plan, store, self.journal, lane, tempo)
        tail = Tail(self.journal, self.plan, lane, secrets.token_hex(8), self.clock)
        self.say(f"lane {lane.number} of run {self.plan.id} begins")
        kit, watch, pacer = store.values, self.watch, self.pacer
        self._at_work += 1
        worker = LaneWorker(self.plan, tail, reader, processor, kit, watch, pacer, self.clock, entities, self._room)
        await self._index.through(worker.run)
        self._at_work -= 1
        self._idle_since = None
        self._sealed.add(lane.number)
        self.say(f"lane {lane.number} of run {self.plan.id} is done: {_counts(tail)}")

    @property
    def _index(self) -> IndexWait:
        return IndexWait(self.journal.store, self.share.place, self.watch, self.say)

    async def _as_made(self, lane: Lane) -> RunPlan:
        """What a lane is worked off by: on the way back the migration as it was, whatever has become of it since.

        What to do about conflicts is still a person's to change.
        """
        if self.plan.kind not in WAY_BACK or lane.subject is None:
            return self.plan
        if lane.subject not in self._made:
            made = await RunStore(self.journal.store, self.journal.ledger).plan(lane.subject)
            now = {"on_revert_conflict": self.plan.migration.on_revert_conflict}
            self._made[lane.subject] = made.migration.model_copy(update=now)
        return self.plan.model_copy(update={"migration": self._made[lane.subject]})

    async def _wait_for(self, numbers: list[int]) -> None:
        for number in numbers:
            while number not in self._sealed:
                last = await self.journal.last(self.plan.id, number)
                if last is not None and last.sealed:
                    self._sealed.add(number)
                else:
                    self._make_room(number)
                    await self.watch.permit()
                    await self.watch.pause(TURN_SECONDS)

    def _make_room(self, number: int) -> None:
        """Leave after a long wait with nothing else to do: the index that is waited for may lack a pod."""
        now = self.clock.seconds()
        if self._at_work or self._idle_since is None:
            self._idle_since = now
        if now - self._idle_since > WAIT_SECONDS:
            raise RunStopped(
                f"index {self.share.index} of run {self.plan.id} has waited {WAIT_SECONDS:.0f} s for lane {number}, "
                "which is a lower index's, and makes room for that"
            )


def _counts(tail: Tail) -> str:
    totals = tail.newest.totals if tail.newest else None
    counts = totals.model_dump(exclude_defaults=True) if totals else {}
    return ", ".join(f"{count} {name}" for name, count in counts.items()) or "nothing in it"


async def _all(works: list[Coroutine[Any, Any, None]]) -> None:
    """Run them all to their ends; the error that began it is raised, not the stops that it caused."""
    ended = await asyncio.gather(*works, return_exceptions=True)
    errors = [each for each in ended if isinstance(each, BaseException)]
    for error in sorted(errors, key=lambda each: isinstance(each, RunStopped)):
        raise error


async def _leaving(leave: asyncio.Event | None, watch: Watch) -> None:
    if leave is not None:
        await leave.wait()
        watch.leave("the worker's process was told to stop")


async def _told(store: Store, share: Share, error: Exception, say: Say) -> None:
    if isinstance(error, RunStopped):
        return
    why = told(error)
    with suppress(StoreError):
        await write_failure(store, *share.place, why)
    say(why)
