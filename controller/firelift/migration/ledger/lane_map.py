"""The document that holds a run's lanes: made once, and never changed."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict

from firelift.api.run import FORMAT
from firelift.migration.errors import AlreadyExists, LedgerBroken
from firelift.migration.ledger import paths
from firelift.migration.store import Create, Missing, Store
from firelift.migration.work import Lane, LaneMap


async def read_lane_map(store: Store, ledger: str, run: str) -> LaneMap | None:
    """The lanes of a run, None when they have not been made."""
    document = (await store.get([paths.lane_map(ledger, run)]))[0]
    if isinstance(document, Missing):
        return None
    plain = {name: store.values.decode(value) for name, value in document.fields.items()}
    if plain["format"] > FORMAT:
        raise LedgerBroken(f"{document.path} has format {plain['format']}; this version reads up to {FORMAT}: upgrade")
    lanes = [Lane(**each) for each in json.loads(plain["lanes"])]
    return LaneMap(lanes, estimate=plain["estimate"], closed=plain["closed"])


async def adopt_lane_map(store: Store, ledger: str, run: str, made: LaneMap) -> LaneMap:
    """Keep these lanes as the run's, or return those that another writer was faster with."""
    plain = {
        "format": FORMAT,
        "lanes": json.dumps([asdict(lane) for lane in made.lanes], ensure_ascii=False),
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
