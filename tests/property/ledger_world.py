"""A database with workers that lose replies, crash and race, and with an app that writes in between."""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, TypeVar

from tests.simple_work import LEDGER, SOURCE, TARGET, begin, build, plan
from tests.virtual_time import VirtualClock, VirtualLoop

from firelift.api.run import RunPlan
from firelift.migration.errors import Conflict, MigrationError, Poison, Pressure, StoreError, UnknownOutcome
from firelift.migration.ledger.journal import Journal
from firelift.migration.ledger.lane_map import adopt_lane_map
from firelift.migration.ledger.progress import Progress, RunProgress
from firelift.migration.ledger.seal import seal_run
from firelift.migration.store import (
    Committed,
    Create,
    Delete,
    Document,
    FieldPath,
    Micros,
    Missing,
    Page,
    Put,
    Source,
    Update,
    Write,
)
from firelift.migration.work import Lane, LaneMap
from firelift.migration.worker import Share, work
from firelift.stores.firestore.values import FirestoreValues
from firelift.stores.memory import MemoryStore

T = TypeVar("T")

POISON = f"{SOURCE}/d05-poison"
"""The database refuses to change these, and their copies."""


class Fault(Enum):
    """What becomes of one call of a worker."""

    NONE = auto()
    LOST = auto()
    """Applied, and the answer is lost."""
    NEVER = auto()
    """Not applied, and nobody knows."""
    LATE = auto()
    """Not applied now; it may land at any time."""
    PRESSURE = auto()
    CRASH_BEFORE = auto()
    CRASH_AFTER = auto()


class Race(Enum):
    """What the app does to a document just before a commit that touches it."""

    CHANGE = auto()
    DELETE = auto()
    RECREATE = auto()
    COPY = auto()
    """It writes the copy in its own way."""


@dataclass(frozen=True)
class Turn:
    """One call of a worker: how often others go first, what the app does, and the fault."""

    fault: Fault = Fault.NONE
    yields: int = 0
    race: Race | None = None
    pick: int = 0


QUIET = Turn()


@dataclass
class Script:
    """What happens to a worker: at its reads and other commits, and at the commits of its journal, each in order."""

    calls: list[Turn] = field(default_factory=list)
    entries: list[Turn] = field(default_factory=list)
    page: int = 5


class Crash(Exception):
    """The worker's process is gone."""


@dataclass
class WorkerStore:
    """The database as one worker sees it. After a crash it does nothing any more."""

    world: "World"
    script: Script
    crashed: bool = False

    def __post_init__(self) -> None:
        self.script = Script(list(self.script.calls), list(self.script.entries), self.script.page)

    @property
    def values(self) -> FirestoreValues:
        return self.world.store.values

    async def get(
        self,
        paths: Sequence[str],
        *,
        mask: Sequence[FieldPath] | None = None,
        read_time: Micros | None = None,
        most: int | None = None,
    ) -> list[Document | Missing]:
        await self._before_read()
        return await self.world.store.get(paths, mask=mask, read_time=read_time, most=most)

    async def page(
        self, source: Source, *, limit: int, mask: Sequence[FieldPath] | None = None, read_time: Micros | None = None
    ) -> Page:
        await self._before_read()
        return await self.world.store.page(source, limit=limit, mask=mask, read_time=read_time)

    async def count(self, source: Source, *, read_time: Micros | None = None) -> int:
        await self._before_read()
        return await self.world.store.count(source, read_time=read_time)

    async def split_points(self, source: Source, parts: int) -> list[str]:
        await self._before_read()
        return await self.world.store.split_points(source, parts)

    async def close(self) -> None:
        """Nothing to release."""

    async def commit(self, writes: Sequence[Write]) -> Committed:
        journal = any("/firelift_journal/" in write.path for write in writes)
        turn = await self._turn(self.script.entries if journal else self.script.calls)
        self.world.race(turn, writes)
        self._fail_before(turn, writes)
        committed = self.world.store.apply(writes)
        if turn.fault is Fault.CRASH_AFTER:
            self._crash()
        if turn.fault is Fault.LOST:
            raise UnknownOutcome("UNAVAILABLE", "the answer is lost")
        return committed

    async def _before_read(self) -> None:
        turn = await self._turn(self.script.calls)
        if turn.fault in {Fault.CRASH_BEFORE, Fault.CRASH_AFTER}:
            self._crash()
        if turn.fault in {Fault.LATE, Fault.NEVER}:
            raise UnknownOutcome("UNAVAILABLE", "no answer")

    async def _turn(self, turns: list[Turn]) -> Turn:
        if self.crashed:
            raise Crash
        turn = turns.pop(0) if turns else QUIET
        for _ in range(turn.yields):
            await asyncio.sleep(0.01)
        if self.crashed:
            raise Crash
        return turn

    def _fail_before(self, turn: Turn, writes: Sequence[Write]) -> None:
        if turn.fault is Fault.CRASH_BEFORE:
            self._crash()
        refused = any(isinstance(write, Create | Update) and is_poison(write.path) for write in writes)
        if turn.fault is Fault.LATE and not refused:
            self.world.late.append(list(writes))
        if turn.fault in {Fault.LATE, Fault.NEVER}:
            raise UnknownOutcome("DEADLINE_EXCEEDED", "nobody knows")
        if turn.fault is Fault.PRESSURE:
            raise Pressure("ABORTED", "too much contention")
        if refused:
            raise Poison("INVALID_ARGUMENT", "too many index entries")

    def _crash(self) -> None:
        self.crashed = True
        raise Crash


def is_poison(path: str) -> bool:
    """Whether the database refuses this document."""
    return path.startswith((POISON, POISON.replace(SOURCE, TARGET)))


@dataclass
class Pass:
    """A run and those that follow it: together they touch each document once."""

    copy: bool
    runs: list[RunPlan]
    began: Micros
    complete: bool = False
    ended: Micros = 0


@dataclass
class World:
    """Everything that happens, in the order in which it does."""

    store: MemoryStore = field(default_factory=MemoryStore)
    late: list[list[Write]] = field(default_factory=list)
    app: dict[str, int] = field(default_factory=dict)
    """The app's last word on each source document that exists."""
    app_times: set[Micros] = field(default_factory=set)
    passes: list[Pass] = field(default_factory=list)
    tokens: int = 0

    def __post_init__(self) -> None:
        self._runner = asyncio.Runner(loop_factory=VirtualLoop)

    def close(self) -> None:
        self._runner.close()

    def seed(self, ids: Sequence[str]) -> None:
        for each in ids:
            self.write(f"{SOURCE}/{each}", Race.RECREATE)

    def write(self, path: str, how: Race) -> None:
        """The app changes, deletes or makes a document anew."""
        self.tokens += 1
        encode = self.store.values.encode
        if how is Race.COPY:
            self._apply(Put(path.replace(SOURCE, TARGET), {"app": encode(self.tokens)}))
            return
        exists = path in self.app
        fresh = {"n": encode(0), "app": encode(self.tokens)}
        if how is Race.CHANGE and exists:
            self._apply(Update(path, {"app": fresh["app"]}, [("app",)], None))
        elif how is Race.DELETE:
            self._apply(Delete(path))
        else:
            self._apply(*([Delete(path)] if exists else []))
            self._apply(Create(path, fresh))
        if how is Race.DELETE:
            self.app.pop(path, None)
        else:
            self.app[path] = self.tokens

    def race(self, turn: Turn, writes: Sequence[Write]) -> None:
        data = (write.path for write in writes if write.path.startswith((f"{SOURCE}/", f"{TARGET}/")))
        touched = sorted({path.replace(TARGET, SOURCE) for path in data})
        if turn.race is not None and touched:
            self.write(touched[turn.pick % len(touched)], turn.race)

    def begin(self, *, copy: bool, cuts: Sequence[str]) -> None:
        """A new pass over everything, with lanes between the cuts, or as its first worker makes them."""
        made = plan(f"r{len(self.passes)}.0", copy=copy)
        self.passes.append(Pass(copy, [made], self.store.now))
        self._run(begin(self.store, made))
        if cuts:
            ends = [f"{SOURCE}/{cut}" for cut in sorted(set(cuts))]
            ranges = zip([None, *ends], [*ends, None], strict=True)
            lanes = LaneMap([Lane(number, start, end) for number, (start, end) in enumerate(ranges)], estimate=1)
            self._run(adopt_lane_map(self.store, LEDGER, made.id, lanes))

    def follow(self) -> None:
        """A later attempt goes on where this one stood; its first worker seals what came before."""
        current = self.passes[-1]
        made = plan(f"r{len(self.passes) - 1}.{len(current.runs)}", copy=current.copy, follows=current.runs[-1].id)
        current.runs.append(made)
        self._run(begin(self.store, made))

    def seal(self) -> None:
        self._run(seal_run(Journal(self.store, LEDGER), self.passes[-1].runs[-1].id))

    def work(self, *scripts: Script) -> None:
        """One worker per script, all of them on all lanes of the current run at once."""
        current = self.passes[-1].runs[-1]
        self._run(self._together([WorkerStore(self, script) for script in scripts], current.id))
        self._note_completion()

    def deliver(self, number: int) -> None:
        """A commit that was believed lost lands, or finds that it is too late."""
        writes = self.late.pop(number % len(self.late))
        try:
            self.store.apply(writes)
        except Conflict:
            return
        self._note_completion()

    def progress(self, run: str) -> RunProgress:
        return self._run(Progress(self.store, LEDGER, run).update())

    def _run(self, main: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(main)

    def _note_completion(self) -> None:
        current = self.passes[-1]
        if not current.complete and self.progress(current.runs[-1].id).complete:
            current.complete, current.ended = True, self.store.now

    def _apply(self, *writes: Write) -> None:
        if writes:
            self.app_times.add(self.store.apply(writes).commit_time)

    async def _together(self, stores: Sequence[WorkerStore], run: str) -> None:
        await asyncio.gather(*(self._work(store, run) for store in stores))

    async def _work(self, store: WorkerStore, run: str) -> None:
        try:
            await work(store, Share(LEDGER, run, 0, 1), build(store.script.page), clock=VirtualClock())
        except (Crash, MigrationError) as ended:
            if isinstance(ended, StoreError) and not isinstance(ended, Pressure | UnknownOutcome):
                raise
