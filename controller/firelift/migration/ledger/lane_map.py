"""The document that holds a run's lanes: made once, and never changed.

A run that walks the journals of a hundred others has thousands of lanes, and a document has 1 MiB. The lanes of one
subject follow each other, so they are kept as one range of numbers and are told apart again when they are read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from firelift.api.run import FORMAT
from firelift.migration.errors import AlreadyExists, LedgerBroken
from firelift.migration.ledger import paths
from firelift.migration.ledger.format import check
from firelift.migration.store import Create, Missing, Store
from firelift.migration.work import Lane, LaneMap


async def read_lane_map(store: Store, ledger: str, run: str) -> LaneMap | None:
    """The lanes of a run, None when they have not been made."""
    document = (await store.get([paths.lane_map(ledger, run)]))[0]
    if isinstance(document, Missing):
        return None
    plain = {name: store.values.decode(value) for name, value in document.fields.items()}
    check(document.path, plain.get("format"))
    return LaneMap(_lanes(json.loads(plain["lanes"])), estimate=plain["estimate"], closed=plain["closed"])


async def adopt_lane_map(store: Store, ledger: str, run: str, made: LaneMap) -> LaneMap:
    """Keep these lanes as the run's, or return those that another writer was faster with."""
    plain = {
        "format": FORMAT,
        "lanes": json.dumps(_ranges(made.lanes), ensure_ascii=False, separators=(",", ":")),
        "estimate": made.estimate,
        "closed": made.closed,
    }
    fields = {name: store.values.encode(value) for name, value in plain.items()}
    # The first one holds, and may be our own whose answer was lost.
    with suppress(AlreadyExists):
        await store.commit([Create(paths.lane_map(ledger, run), fields)])
    found = await read_lane_map(store, ledger, run)
    if found is None:
        raise LedgerBroken(f"the lanes of run {run} were made and are gone; somebody removed parts of the ledger")
    return found


def _ranges(lanes: Iterable[Lane]) -> list[dict[str, Any]]:
    """The lanes in order, those of one subject as its name, the first of its lanes, and a cursor for each lane."""
    ranges: list[dict[str, Any]] = []
    for lane in lanes:
        last = ranges[-1] if ranges else {}
        if lane.subject is None:
            ranges.append(_scan(lane))
        elif _continues(last, lane) and last["first"] + len(last["cursors"]) == lane.subject_lane:
            last["cursors"].append(lane.cursor)
        else:
            more = {"marks": lane.marks, "whole": lane.whole, "turn": lane.turn}
            ranges.append({"subject": lane.subject, "first": lane.subject_lane, "cursors": [lane.cursor]} | _set(more))
    return [_without_idle(each) for each in ranges]


def _continues(last: dict[str, Any], lane: Lane) -> bool:
    same = (last.get("subject"), last.get("marks", False), last.get("whole", False), last.get("turn", 0))
    return same == (lane.subject, lane.marks, lane.whole, lane.turn)


def _set(more: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in more.items() if value}


def _scan(lane: Lane) -> dict[str, Any]:
    plain = {"start": lane.start, "end": lane.end, "cursor": lane.cursor}
    more = {"buckets": lane.buckets, "listing": lane.listing, "letters": lane.letters or None}
    more["joined"] = lane.joined or None
    return plain | {name: value for name, value in more.items() if value is not None}


def _without_idle(each: dict[str, Any]) -> dict[str, Any]:
    """A range whose lanes all begin at their starts has just their number."""
    if any(cursor is not None for cursor in each.get("cursors", [0])):
        return each
    idle = {name: value for name, value in each.items() if name != "cursors"}
    return {**idle, "count": len(each["cursors"])}


def _lanes(ranges: Sequence[dict[str, Any]]) -> list[Lane]:
    """The inverse of `_ranges`. Lanes are numbered in order."""
    return [Lane(number, **lane) for number, lane in enumerate(lane for each in ranges for lane in _told_apart(each))]


def _told_apart(each: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "subject" not in each:
        buckets = each.get("buckets")
        yield {**each, "buckets": tuple(buckets)} if buckets else each
        return
    cursors = each.get("cursors") or [None] * each["count"]
    for subject_lane, cursor in enumerate(cursors, start=each["first"]):
        more: dict[str, Any] = {name: each[name] for name in ("marks", "whole", "turn") if name in each}
        yield {"subject": each["subject"], "subject_lane": subject_lane, "cursor": cursor, **more}
