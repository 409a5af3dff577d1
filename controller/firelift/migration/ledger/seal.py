"""Sealing: closing the lanes of a run for good, so that no late commit of a lost worker can land."""

from __future__ import annotations

import secrets
from dataclasses import replace

from firelift.migration.errors import Conflict, LostRace, StoreError
from firelift.migration.ledger.entries import Entry, EntryKind, entry_writes
from firelift.migration.ledger.journal import Journal
from firelift.migration.ledger.lane_map import adopt_lane_map
from firelift.migration.work import LaneMap

TRIES = 100
"""Entries that a live writer may be faster with. A run is told to stop before it is sealed, so one is usual."""


def _nonce() -> str:
    return secrets.token_hex(8)


async def seal(journal: Journal, run: str, lane: int) -> Entry:
    """The seal of a lane: the one that is there, or one that closes the lane at its cursor.

    If the next number is taken, that entry counts and the seal moves on.

    Raises:
        StoreError: when the database cannot be asked; doing it again is safe.
        LostRace: when a live writer stays faster.
    """
    nonce, end = _nonce(), 0
    for _ in range(TRIES):
        last = await journal.last(run, lane, at_least=end)
        if last is not None and last.sealed:
            return last
        end = last.seq if last else 0
        made = _seal_after(last, run, lane, nonce)
        try:
            await journal.store.commit(entry_writes(journal.store.values, journal.ledger, made))
        except Conflict:
            continue
        except StoreError:
            found = await journal.entry(run, lane, made.seq)
            if found is None:
                raise
            continue
    raise LostRace(f"lane {lane} of run {run} could not be sealed: its writer was faster {TRIES} times; stop it first")


async def seal_run(journal: Journal, run: str) -> tuple[LaneMap, list[Entry]]:
    """Seal all lanes of a run; one that has not begun is closed, so that it cannot begin any more.

    Raises:
        StoreError: when the database cannot be asked; doing it again is safe.
        LostRace: when a live writer stays faster.
    """
    lanes = await adopt_lane_map(journal.store, journal.ledger, run, LaneMap(closed=True))
    return lanes, [await seal(journal, run, lane.number) for lane in lanes.lanes]


def _seal_after(last: Entry | None, run: str, lane: int, nonce: str) -> Entry:
    if last is None:
        return Entry(run, lane, 1, EntryKind.SEAL, nonce, start=None, end=None)
    return replace(
        last,
        seq=last.seq + 1,
        kind=EntryKind.SEAL,
        nonce=nonce,
        start=last.end,
        latency_ms=0,
        images=None,
        image_count=0,
        marks=False,
    )
