"""The loop of one lane: read, decide, commit, and again, until there is nothing behind the cursor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from firelift.api.migration import OnInvalid
from firelift.api.run import RunKind, RunPlan, Totals
from firelift.migration.ahead import ReadAhead
from firelift.migration.backoff import Backoff, jittered
from firelift.migration.bounded import Room
from firelift.migration.chunks import MAX_BYTES, Chunk, fitting, size
from firelift.migration.clock import Clock
from firelift.migration.entities.pace import EntityPace
from firelift.migration.errors import (
    AlreadyExists,
    Conflict,
    InvalidData,
    Poison,
    Pressure,
    RetriesExhausted,
    TooLarge,
    UnknownOutcome,
)
from firelift.migration.foresight import Foresight
from firelift.migration.pace import Pacer
from firelift.migration.store import ValueKit
from firelift.migration.tail import Tail
from firelift.migration.watch import Watch
from firelift.migration.work import Batch, Change, DeadLetter, Processor, Reader, Record

FRESH_SECONDS = 5.0
"""What is here for longer is read again before it is decided about, where a commit of the same batch lost against a
live write. Age alone is no reason where what is written is written only to a document that is as it was read."""

LOOKING = frozenset({RunKind.VERIFY, RunKind.REVERT_VERIFY})
"""Kinds whose commits have nothing but their entry, which no number of records makes larger."""

LOOKED_AT = 500
"""Records of one step of theirs: with its source and its copy each, as many documents as are held at once. Each step
is a read and a commit more."""

CONFLICTS_BEFORE_SPLIT = 2
MAX_CONFLICTS = 60
"""Live writes that one chunk may lose against, shrinking to one document, before the worker gives up."""

BACKOFF_SECONDS = 0.25
"""The wait after a lost race, for each time that its chunk was halved."""


@dataclass(slots=True)
class LaneWorker:
    """One lane being worked off by one writer, with one commit in flight."""

    plan: RunPlan
    tail: Tail
    reader: Reader
    processor: Processor
    kit: ValueKit
    watch: Watch
    pacer: Pacer
    clock: Clock
    entities: EntityPace | None = None
    room: Room = field(default_factory=Room)
    _ahead: ReadAhead = field(init=False)
    _foresight: Foresight = field(init=False)
    _backoff: Backoff = field(init=False)
    _reserved: int = field(default=0, init=False)
    _lost: bool = field(default=False, init=False)
    """Whether a commit of this batch met a live write."""
    _most_bytes: int = field(default=MAX_BYTES, init=False)
    """Of one commit: Firestore's own limit until this database has refused a smaller one."""

    def __post_init__(self) -> None:
        self._ahead = ReadAhead(self.reader, self.clock, self.room, self._soon)
        self._foresight = Foresight(self.processor, self.clock)
        title = f"lane {self.tail.lane.number} of run {self.plan.id}"
        self._backoff = Backoff(title, self.plan.pace.max_retries)

    async def run(self) -> None:
        """Work until the lane is sealed as complete.

        Raises:
            MigrationError: when the worker has to leave the lane; what is committed stays committed.
        """
        await self.tail.load()
        try:
            while not self.tail.complete:
                await self._try_turn()
        finally:
            self._foresight.drop()
            await self._ahead.drop()

    async def _try_turn(self) -> None:
        try:
            await self._turn()
        except Pressure as error:
            await self._slow_down(error)
        except UnknownOutcome as error:
            await self._back_off(error)

    async def _turn(self) -> None:
        await self._ready()
        arrived = await self._ahead.read(self.tail.cursor)
        batch, self._lost = arrived.batch, False
        behind = await self._work(batch, arrived.at)
        if behind and batch.exhausted:
            await self.watch.permit()
            left = 0 if batch.records else batch.scanned
            self._spend(1)
            await self.tail.seal(batch.end or self.tail.cursor, left)

    async def _work(self, batch: Batch, arrived: float) -> bool:
        """Commit a batch slice by slice. False: the cursor is elsewhere, and what is left of the batch is void."""
        if not batch.records and batch.exhausted:
            return True
        at, count = 0, len(batch.records)
        while at < max(count, 1):
            if at:
                await self._ready()
            size = self._step()
            records = batch.records[at : at + size]
            changes = await self._decided(records, arrived)
            records, at = records[: len(changes)], at + max(1, len(changes))
            left_out = max(0, batch.scanned - count) if at >= count else 0
            end = batch.end if at >= count else records[-1].cursor
            self._foresight.begin(batch.records[at : at + size])
            if not await self._slice(Chunk(records, changes, end, len(records) + left_out)):
                return False
        return True

    async def _decided(self, records: Sequence[Record], arrived: float) -> list[Change]:
        foreseen, stale = self._foresight.take(records), self._stale(arrived)
        if foreseen is not None and not stale:
            return foreseen
        return await self.processor.prepare(records, again=stale) if records else []

    def _step(self) -> int:
        """Records that are decided about at once."""
        looks = self.plan.kind in LOOKING and not self.plan.pace.pause_between_batches_seconds
        return max(self.pacer.batch, LOOKED_AT) if looks else self.pacer.batch

    def _stale(self, arrived: float) -> bool:
        old = self.clock.seconds() - arrived > FRESH_SECONDS
        return old and (self._lost or not self._pinned)

    @property
    def _pinned(self) -> bool:
        """Whether what is written is pinned to what was read: a group may have got a member that no guard names."""
        return self.plan.kind not in LOOKING and self.plan.migration.target.aggregate is None

    def _soon(self, records: int) -> bool:
        return self.plan.kind in LOOKING or self.pacer.soon(records)

    async def _slice(self, rest: Chunk) -> bool:
        while True:
            settled = await self._settle(
                rest.prefix(fitting(self.kit, rest.changes, self.pacer.batch, self._most_bytes))
            )
            if settled is None or len(settled.records) == len(rest.records):
                return settled is not None
            rest = await self._left(rest, settled)

    async def _left(self, chunk: Chunk, settled: Chunk) -> Chunk:
        """What is left of a chunk, decided again where it rests on what has been settled otherwise."""
        rest = chunk.behind(len(settled.records))
        as_decided = all(one is other for one, other in zip(settled.changes, chunk.changes, strict=False))
        if as_decided or not any(change.provisional for change in rest.changes):
            return rest
        return replace(rest, changes=await self.processor.prepare(rest.records, again=True))

    async def _settle(self, chunk: Chunk) -> Chunk | None:
        """Commit the chunk or a shorter prefix, and return that; None when the cursor is elsewhere."""
        conflicts = pressed = 0
        while True:
            await self.watch.permit()
            self._spend(chunk.cost)
            began = self.clock.seconds()
            self._foresight.spent()
            try:
                landed = await self.tail.append(chunk)
            except Conflict as error:
                conflicts += 1
                chunk = await self._again(chunk, conflicts, error)
            except Poison as error:
                chunk = self._narrowed(chunk, error)
            except Pressure as error:
                pressed += 1
                chunk = chunk if pressed == 1 else chunk.half()
                self.tail.count(Totals(pressured=1))
                await self._slow_down(error, began)
                self._reserved = await self.pacer.turn(self.watch.pause)
            except UnknownOutcome as error:
                await self._back_off(error)
            else:
                self._backoff.succeeded()
                self.tail.occupied(self._foresight.spent())
                if self.entities is not None:
                    self.entities.landed(chunk)
                self.pacer.rest()
                return chunk if landed else None

    async def _again(self, chunk: Chunk, conflicts: int, error: Conflict) -> Chunk:
        if not (isinstance(error, AlreadyExists) and any(change.blind for change in chunk.changes)):
            self.tail.count(Totals(conflicts=1))
            self._lost = True
        if conflicts > CONFLICTS_BEFORE_SPLIT:
            chunk = chunk.half()
            await self.watch.pause(jittered(BACKOFF_SECONDS / len(chunk.records)) if chunk.records else 0)
        if conflicts > MAX_CONFLICTS:
            raise RetriesExhausted(
                f"{chunk.end} lost against live writes {conflicts} times in a row, and {MAX_CONFLICTS} are allowed; "
                f"the last answer was {error}. The Job tries again; a document that is written all the time needs a "
                "quiet moment"
            ) from error
        changes = await self.processor.prepare(chunk.records, again=True) if chunk.records else []
        return chunk.decided(self.kit, changes, self.pacer.batch, self._most_bytes)

    def _narrowed(self, chunk: Chunk, error: Poison) -> Chunk:
        """Half of a chunk that the database refuses; the one record that is left becomes a dead letter."""
        if len(chunk.records) > 1:
            if isinstance(error, TooLarge):
                self._most_bytes = min(self._most_bytes, size(self.kit, chunk.changes) // 2)
            return chunk.half()
        if not chunk.changes or not chunk.changes[0].writes:
            raise error
        path = _subject(chunk.changes[0])
        if self.plan.migration.on_invalid is OnInvalid.FAIL and self.plan.kind in {RunKind.MIGRATE, RunKind.SWEEP}:
            raise InvalidData(f"the database refuses what {path} becomes, and onInvalid is Fail: {error}") from error
        letter = DeadLetter(path, str(error), rule="database")
        closes = chunk.changes[0].closes
        tally = Totals(read=1, dead_letters=1, closed_letters=len(closes))
        example = f"{path}: {letter.reason}"
        return replace(chunk, changes=[Change(tally, dead_letter=letter, example=example, closes=closes)])

    async def _back_off(self, error: UnknownOutcome) -> None:
        seconds = self._backoff.failed(error)
        self.tail.count(Totals(retries=1))
        await self.watch.pause(seconds)

    async def _slow_down(self, error: Pressure, began: float | None = None) -> None:
        """Wait, and let the whole process spend half; a call that began at `began` was asked to."""
        now = self.clock.seconds()
        seconds = self._backoff.slowed(error, now, self.pacer.rate)
        self.pacer.pressed(now if began is None else began)
        self.tail.count(Totals(retries=1))
        await self.watch.pause(seconds)

    async def _ready(self) -> None:
        self.pacer.spend(-self._reserved)
        self._reserved = 0
        self._reserved = await self.pacer.turn(self.watch.pause)
        await self.watch.permit()

    def _spend(self, writes: int) -> None:
        self.pacer.spend(writes - self._reserved)
        self._reserved = 0


def _subject(change: Change) -> str:
    image = next(iter(change.images), None)
    return (image.source or image.path) if image else change.writes[0].path
