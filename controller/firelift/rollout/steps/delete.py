"""The verb `delete`: the sources of what was moved go, and come back on a revert from the images in the journal."""

from __future__ import annotations

from firelift.api.conditions import Reason
from firelift.rollout.cohorts import unmoved
from firelift.rollout.conduct import conduct, locked, tally
from firelift.rollout.memory import changed
from firelift.rollout.place import Place
from firelift.rollout.runs import delete_plans
from firelift.rollout.steps.migrate import inverse, undo_plans
from firelift.rollout.twin import Failed, Finished, StepOutcome, Twin


def _forward(place: Place) -> StepOutcome:
    names, plans = unmoved(place), delete_plans(place)
    if names or not plans:
        what = ", ".join(names) or "anything"
        return Failed(f"delete: no step in front of {place.title} has moved {what}: there is nothing to clean up")
    groups = {plan.migration.source_group for plan in plans}
    working = locked(place, groups) or conduct(place, plans, Reason.DELETING)
    if working is not None:
        return working
    found = tally(place.turn, plans)
    message = f"{found.deleted:,} sources deleted"
    if found.kept or found.dead_letters:
        message += f", {found.kept + found.dead_letters:,} kept: their dead letters say why"
    return Finished(changed(place.record, totals=found, message=message))


DELETE = Twin(forward=_forward, inverse=inverse, plans=delete_plans, undo_plans=undo_plans)
