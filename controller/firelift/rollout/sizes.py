"""How much there is to do, as far as earlier runs have seen it."""

from __future__ import annotations

from collections.abc import Sequence

from firelift.api.cohort import BUCKETS, Selection
from firelift.api.migration import MigrationSpec
from firelift.api.run import RunKind, RunPlan
from firelift.api.shares import indexes
from firelift.rollout.memory import changed
from firelift.rollout.place import Place

_SCANS = frozenset({RunKind.MIGRATE, RunKind.SWEEP})


def noted(place: Place, plans: Sequence[RunPlan]) -> Place:
    """The step with a memory of the sizes of the sources that its runs have found."""
    found = {
        plan.migration.name: round(estimate / part)
        for plan in plans
        if plan.kind in _SCANS and plan.follows is None and not plan.selection.where
        if (estimate := place.turn.run(plan.id).estimate) and (part := share_read(plan.migration, plan.selection))
    }
    return place.having(changed(place.state, sources={**place.state.sources, **found})) if found else place


def sized(place: Place, plan: RunPlan, written: int) -> RunPlan:
    """The plan with as many indexes as its work needs; `written` is what it walks, 0 when nobody knows."""
    if plan.subjects and plan.kind is not RunKind.VERIFY:
        records, levels = written or None, len(plan.subjects) if plan.kind is RunKind.REVERT else 1
    else:
        records = records_read(place, plan.migration, plan.selection)
        levels = 2 if plan.closing and plan.migration.entity_collection else 1
    return changed(plan, indexes=indexes(plan.workers, records, levels))


def records_read(place: Place, migration: MigrationSpec, selection: Selection) -> int | None:
    """About how many documents a run over this cohort reads; None while nobody knows."""
    size = place.state.sources.get(migration.name)
    return None if size is None else round(size * share_read(migration, selection)) + len(selection.ids)


def share_read(migration: MigrationSpec, selection: Selection) -> float:
    """The part of its source that a run reads for a cohort: that of its entities where they are listed, else all."""
    return share_moved(selection) if migration.entity_collection is not None else 1.0


def share_moved(selection: Selection) -> float:
    """About the part of all records that belong to a cohort; named entities count as none."""
    return max(0, selection.to_bucket - selection.from_bucket) / BUCKETS
