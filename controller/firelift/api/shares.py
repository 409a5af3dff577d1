"""How a run is cut: into lanes, each with a cursor of its own, and into indexes, each one pod's share of the lanes.

There are more indexes than pods where the work is large, so that no straggler holds the end: a pod that is done early
takes the next index. Where it is small an index more would cost more to start than it moves.
"""

from __future__ import annotations

LANES_PER_INDEX = 4
LANE_RECORDS = 500
"""A source is not cut finer than this: each lane costs a few reads and a seal."""

INDEX_RECORDS = 10_000
"""An index is not made smaller than this to level the load: its pod takes a second or more to start, in which a lane
moves a few thousand documents."""

INDEXES_PER_WORKER = 4


def lanes(indexes: int, records: int) -> int:
    """How many lanes so many records have at most."""
    return max(1, min(indexes * LANES_PER_INDEX, records // LANE_RECORDS))


def indexes(workers: int, records: int | None, levels: int = 1) -> int:
    """How many indexes a run has; `records` None: nobody knows yet.

    `levels` are the parts of a run that are worked off one behind the other: each is spread over all workers.
    """
    if records is None:
        return workers
    spread = max(1, min(workers, records // LANE_RECORDS))
    levelled = min(workers * INDEXES_PER_WORKER, records // INDEX_RECORDS)
    return max(levelled, min(workers * INDEXES_PER_WORKER, spread * levels))
