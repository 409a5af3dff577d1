"""The growing end of a lane's journal: the one place where the data plane commits.

The rule for unknown outcomes lives here. After any answer but OK the entry is read first. It is there with this
writer's nonce: the commit happened. It is there with another's: that one counts. It is absent: nothing is known, so
only the same number may be tried again, and whichever of the attempts lands first shuts the others out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from firelift.api.run import REHEARSALS, RunPlan, Totals
from firelift.migration.chunks import Chunk
from firelift.migration.clock import Clock
from firelift.migration.errors import FencedError, LedgerBroken, StoreError
from firelift.migration.ledger import paths
from firelift.migration.ledger.entries import Entry, EntryKind, entry_writes
from firelift.migration.ledger.journal import Journal
from firelift.migration.sentences import sentence
from firelift.migration.store import Committed, Create, Put, Update, Write
from firelift.migration.work import DeadLetter, Lane

EXAMPLES = 3
"""Sentences for people, the first ones of a lane, that each of its entries keeps: whoever looks late sees them too."""

MAX_EXAMPLE = 300

MOST_OCCUPIED = 0.25
"""Of a commit's latency, so that a measured one is at most a third too long."""

FOREIGN_ENTRIES = 2
"""One can be a lost predecessor's late commit; two are a live rival's."""


@dataclass(slots=True)
class Tail:
    """The state of a lane as its newest entry has it, and the way to append the next one."""

    journal: Journal
    plan: RunPlan
    lane: Lane
    nonce: str
    clock: Clock
    newest: Entry | None = None
    extra: Totals = field(default_factory=Totals)
    latency_ms: int = 0
    foreign: int = 0

    @property
    def cursor(self) -> str | None:
        """Behind what is committed; None at the lane's start."""
        return self.newest.end if self.newest else self.lane.cursor

    @property
    def complete(self) -> bool:
        """Whether the lane is sealed as worked off.

        Raises:
            FencedError: when it is sealed and not worked off, because something follows this run.
        """
        if self.newest is None or not self.newest.sealed:
            return False
        if not self.newest.complete:
            raise FencedError(
                f"lane {self.lane.number} of run {self.plan.id} is sealed at entry {self.newest.seq}: a revert or a "
                "later attempt has taken over; this run is history and has written nothing more"
            )
        return True

    async def load(self) -> None:
        """Find the end of the lane."""
        self.newest = await self.journal.last(self.plan.id, self.lane.number)

    def count(self, extra: Totals) -> None:
        """Count something that belongs to no record; it is kept with the next entry."""
        self.extra = self.extra.plus(extra)

    async def append(self, chunk: Chunk) -> bool:
        """Commit a chunk with its entry. False: the number holds something else, and `cursor` is that entry's.

        Raises:
            FencedError: when a rival works on this lane.
            LedgerBroken: when the commit's times are not those of one commit.
            StoreError: when there is no such entry; only the same number may be tried again.
        """
        writes = [*chunk.writes, *self._dead_letters(chunk), *self._closed_letters(chunk)]
        self._require_harmless(writes)
        return await self._commit(replace(self._next(EntryKind.CHUNK, chunk.end, chunk), images=chunk.images), writes)

    def _require_harmless(self, writes: Sequence[Write]) -> None:
        """Whatever a kind of migration does: a rehearsal changes the ledger and nothing else."""
        path = next((write.path for write in writes if not paths.of_ledgers(write.path)), None)
        if self.plan.kind in REHEARSALS and path is not None:
            raise LedgerBroken(f"{self.plan.kind} run {self.plan.id} was about to write {path}; nothing was written")

    def occupied(self, seconds: float) -> None:
        """For so long this process could not see the last commit's answer; where that is much, its time is unknown."""
        if seconds * 1000 > self.latency_ms * MOST_OCCUPIED:
            self.latency_ms = 0

    async def seal(self, end: str | None, scanned: int) -> bool:
        """End the lane as worked off. Returns and raises as `append`."""
        nothing = Chunk((), (), end or "", scanned)
        return await self._commit(replace(self._next(EntryKind.SEAL, end, nothing), complete=True), ())

    def _next(self, kind: EntryKind, end: str | None, chunk: Chunk) -> Entry:
        totals = (self.newest.totals if self.newest else Totals()).plus(self.extra).plus(chunk.tally)
        examples = [sentence(change.example, MAX_EXAMPLE) for change in chunk.changes if change.example]
        before = self.newest.examples if self.newest else ()
        return Entry(
            run=self.plan.id,
            lane=self.lane.number,
            seq=self.newest.seq + 1 if self.newest else 1,
            kind=kind,
            nonce=self.nonce,
            start=self.cursor,
            end=end,
            totals=totals,
            scanned=(self.newest.scanned if self.newest else 0) + chunk.scanned,
            latency_ms=self.latency_ms,
            examples=tuple(dict.fromkeys([*before, *examples]))[:EXAMPLES],
            marks=chunk.marks,
        )

    async def _commit(self, entry: Entry, data: Sequence[Write]) -> bool:
        store = self.journal.store
        documents = entry_writes(store.values, self.journal.ledger, entry)
        began = self.clock.seconds()
        try:
            committed = await store.commit([*documents, *data])
        except StoreError:
            found = await self.journal.entry(entry.run, entry.lane, entry.seq)
            if found is None:
                raise
            return self._adopt(found, entry)
        _require_one_time(entry, data, replace(committed, update_times=committed.update_times[len(documents) :]))
        self._advance(replace(entry, commit_time=committed.commit_time))
        self.latency_ms = round((self.clock.seconds() - began) * 1000)
        return True

    def _adopt(self, found: Entry, mine: Entry) -> bool:
        if found.nonce != self.nonce:
            self.foreign += 1
        if self.foreign >= FOREIGN_ENTRIES:
            raise FencedError(
                f"lane {self.lane.number} of run {self.plan.id}: another writer has made entry {found.seq}, the second "
                "that this worker has met; it is alive, so this one leaves the lane to it and has written nothing more"
            )
        landed = found.nonce == self.nonce and (found.kind, found.end) == (mine.kind, mine.end)
        self._advance(found)
        return landed

    def _advance(self, entry: Entry) -> None:
        self.newest = replace(entry, images=None)
        self.latency_ms = 0
        if entry.nonce == self.nonce:
            self.extra = Totals()

    def _dead_letters(self, chunk: Chunk) -> list[Put]:
        letters = (change.dead_letter for change in chunk.changes if change.dead_letter)
        return [self._dead_letter(letter) for letter in letters]

    def _closed_letters(self, chunk: Chunk) -> list[Update]:
        closed = {"closedByRun": self.plan.id, "closedInAttempt": self.plan.attempt, "closedTime": self.clock.date()}
        fields = {name: self.journal.store.values.encode(value) for name, value in closed.items()}
        mask = [(name,) for name in fields]
        return [Update(letter, fields, mask, None) for change in chunk.changes for letter in change.closes]

    def _dead_letter(self, letter: DeadLetter) -> Put:
        plain: dict[str, object] = {
            "path": letter.path,
            "reason": letter.reason,
            "rule": letter.rule,
            "attempt": self.plan.attempt,
            "run": self.plan.id,
            "time": self.clock.date(),
        }
        if letter.payload:
            plain["document"] = letter.payload
        encode = self.journal.store.values.encode
        path = paths.dead_letter(self.journal.ledger, self.plan.id, letter.path, letter.apart)
        return Put(path, {name: encode(value) for name, value in plain.items()})


def _require_one_time(entry: Entry, data: Sequence[Write], committed: Committed) -> None:
    """Later, "untouched since our commit" is told by the entry's time alone; so it has to be every document's."""
    for write, time in zip(data, committed.update_times, strict=True):
        if time == committed.commit_time:
            continue
        if isinstance(write, Create | Update) and time != getattr(write, "update_time", 0):
            raise LedgerBroken(
                f"{write.path} was committed with entry {entry.seq} of lane {entry.lane} of run {entry.run} at "
                f"{committed.commit_time} and has the time {time}: a revert could not tell it from a live write"
            )
