"""The runs of a migration whose work stands: those that no revert has taken back."""

from __future__ import annotations

from firelift.api.run import RunKind
from firelift.migration.ledger.journal import Journal
from firelift.migration.ledger.runs import RunStore
from firelift.migration.store import Micros

FORWARD = frozenset({RunKind.MIGRATE, RunKind.SWEEP})


async def standing(
    journal: Journal, migration: str, kinds: frozenset[RunKind] = FORWARD, *, undone: bool = False
) -> dict[str, Micros]:
    """The runs of these kinds with the time at which each was made, the newest first; `undone`: all there were.

    Raises:
        StoreError: when the ledger cannot be read.
    """
    listed = await RunStore(journal.store, journal.ledger).listed()
    gone = {subject for plan, _ in listed if plan.kind is RunKind.REVERT for subject in plan.subjects}
    ours = [
        (made, plan.id)
        for plan, made in listed
        if plan.migration.name == migration and plan.kind in kinds and (undone or plan.id not in gone)
    ]
    return {run: made for made, run in sorted(ours, reverse=True)}
