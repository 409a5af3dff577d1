"""The verb `migrate`: sweep what earlier phases own, move the difference, and take all of it back."""

from __future__ import annotations

from firelift.api.conditions import Reason
from firelift.api.run import RunPlan
from firelift.rollout.conduct import conduct, locked, stopped
from firelift.rollout.credits import own
from firelift.rollout.memory import changed
from firelift.rollout.place import Place
from firelift.rollout.runs import delete_plans, migrate_plans, revert_plans, revert_verify_plans
from firelift.rollout.steps.passes import checked, taken_back
from firelift.rollout.twin import Finished, StepOutcome, Twin


def _forward(place: Place) -> StepOutcome:
    plans = migrate_plans(place)
    groups = {group for plan in plans for group in plan.migration.lock_groups}
    working = locked(place, groups) or conduct(place, plans, Reason.MIGRATING)
    return working or Finished(changed(place.record, totals=place.record.totals.plus(own(place, plans))))


def inverse(place: Place) -> StepOutcome:
    """Take back all that the step's runs have written, and check it."""
    runs = [*(plan.id for plan in (*migrate_plans(place), *delete_plans(place))), *place.record.runs]
    halting = stopped(place, runs, Reason.REVERTING)
    if halting is not None:
        return halting
    if not place.record.journals:
        return Finished(place.record)
    return taken_back(place, [place], 0) or checked(place, [place], 0)


def undo_plans(place: Place) -> tuple[RunPlan, ...]:
    """The runs that `inverse` may want."""
    return (*revert_plans(place, [place], 0), *revert_verify_plans(place, [place], 0))


MIGRATE = Twin(forward=_forward, inverse=inverse, plans=migrate_plans, undo_plans=undo_plans)
