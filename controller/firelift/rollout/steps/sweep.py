"""The verb `sweep`: pass after pass over the cohorts moved so far, until one of them writes nothing.

What a pass moves stands with the step that owns the cohort, and goes back with it: so the inverse only has to see the
workers leave.
"""

from __future__ import annotations

from collections.abc import Sequence

from firelift.api.conditions import Reason
from firelift.api.run import RunPlan
from firelift.rollout.cohorts import unmoved
from firelift.rollout.conduct import conduct, locked, stopped
from firelift.rollout.credits import credited, own
from firelift.rollout.memory import changed
from firelift.rollout.place import Place
from firelift.rollout.runs import sweep_plans
from firelift.rollout.state import RolloutState
from firelift.rollout.turn import Outcome, Settled
from firelift.rollout.twin import Failed, Finished, StepOutcome, Twin


def _forward(place: Place) -> StepOutcome:
    names, plans = unmoved(place), sweep_plans(place)
    if names or not plans:
        what = ", ".join(names) or "anything"
        return Failed(f"sweep: no step in front of {place.title} has moved {what}: there is nothing to sweep")
    resting = _resting(place)
    if resting is not None:
        return resting
    groups = {group for plan in plans for group in plan.migration.lock_groups}
    working = locked(place, groups) or conduct(place, plans, Reason.SWEEPING)
    return working or _passed(place, plans)


def _resting(place: Place) -> Outcome | None:
    since, step = place.record.passed_time, place.spec.sweep
    seconds = step.pause_seconds if step is not None else 0
    if since is None or place.turn.seconds_since(since) >= seconds:
        return None
    message = f"resting for {seconds:,}s before pass {place.record.passes + 1} of {place.title}"
    return Settled(Reason.SWEEPING, message, due=place.turn.after(since, seconds))


def _passed(place: Place, plans: Sequence[RunPlan]) -> RolloutState | Finished | Failed:
    number, found = place.record.passes + 1, own(place, plans)
    total = place.record.totals.plus(found)
    if not found.written:
        message = f"{total.written:,} documents moved, nothing in pass {number}"
        return Finished(changed(place.record, totals=total, message=message))
    allowed = place.spec.sweep.max_passes if place.spec.sweep else 1
    if number < allowed:
        return credited(place, plans).save(passes=number, passed_time=place.turn.now, totals=total)
    return Failed(
        f"sweep: pass {number} of at most {allowed} of {place.title} still moved {found.written:,} documents: the app "
        "goes on writing the old shape only; make it write both, or give the step more maxPasses"
    )


def _inverse(place: Place) -> StepOutcome:
    runs = [plan.id for plan in sweep_plans(place)]
    return stopped(place, runs, Reason.REVERTING) or Finished(place.record)


SWEEP = Twin(forward=_forward, inverse=_inverse, plans=sweep_plans)
